/* SPDX-License-Identifier: Apache-2.0 */
/* What oracles ask of systemd. Each call waits for systemd's answer, never for a job. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

int oracle_bus_open(sd_bus **ret);

/* "StartUnit", "StopUnit", "RestartUnit": the job is begun. -ENOENT: no such unit. */
int oracle_bus_job(sd_bus *bus, const char *method, const char *unit);
int oracle_bus_reset(sd_bus *bus, const char *unit);

/* 1: it can be started again; 0: it is transient, and gone once it has stopped. -ENOENT: no such unit. */
int oracle_bus_lasts(sd_bus *bus, const char *unit);

struct oracle_unit_state {
	/* exactly one, but that nothing may be true of a state that isn't known */
	bool is_moving; /* a job of it is queued or runs */
	bool is_active, is_failed, is_gone;
	bool has_main; /* a main process */
	bool killed;   /* its last main process, by signal `code` */
	int code;
};
int oracle_bus_state(sd_bus *bus, const char *unit, struct oracle_unit_state *ret);

/* A transient unit in the making: begun, given properties, started. */
int oracle_bus_transient(sd_bus *bus, const char *unit, sd_bus_message **ret);
int oracle_bus_begin(sd_bus *bus, sd_bus_message *m);
int oracle_bus_text(sd_bus_message *m, const char *name, const char *value);
/* ExecStart= of an argv, argv[0] absolute. */
int oracle_bus_exec(sd_bus_message *m, const char *const *argv);
/* Standard output, and with `errors` standard error, to a file; NULL: nowhere. */
int oracle_bus_output(sd_bus_message *m, const char *path, bool errors);
/* A property of another unit's service, as it stands there. */
int oracle_bus_copy(sd_bus *bus, sd_bus_message *m, const char *unit, const char *name,
		    const char *type);
