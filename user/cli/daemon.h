/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's options (options and configuration file), and the loop that wires the stages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/apply_config.h"
#include "cli/oracle_config.h"

#define DAEMON_CONFIG	   "/etc/tamis/tamis.conf"
#define DAEMON_INTERVAL_MS 1000
#define DAEMON_UNIT_S	   60
#define DAEMON_FOLD_S	   (7 * 86400)

struct daemon_options {
	char *state;
	char *bpffs; /* NULL: chosen (cli/bpffs.h) */
	bool no_pin;
	uint64_t interval_ms; /* 10..3600000 */
	uint64_t unit_s;      /* 1..86400 */
	uint32_t map_entries; /* 0: the sensor's default */
	uint32_t cache_slots;
	bool portable;
	bool legacy;
	bool watch_denials; /* refused calls that get an errno are counted, too */
	unsigned duty;	    /* of a duty cycle: per cent that is watched at the least; 0: none */
	uint64_t duty_sample_s; /* 1..3600; 0: DUTY_SAMPLE_S */
	int64_t fold_s;		/* sampling units older than this are made one a day; 0: never */
	int64_t gone_s;		/* workloads gone for so long are dropped; 0: never */
	char **watch;		/* NULL-terminated once there is one */
	size_t watch_cnt;
	struct apply_config apply;
	struct oracle_config oracle;
};

void daemon_options_done(struct daemon_options *o);
static inline void daemon_options_donep(struct daemon_options *o)
{
	daemon_options_done(o);
}

/* Sets one option by its configuration key: -ENOENT no such key, -EINVAL a bad value. Keys:
 * state, bpffs, pin (yes/no), watch-denials (yes/no), duty (off, on, 1..99), duty-sample (seconds),
 * interval (seconds), unit (seconds), map-entries, and watch and service, which add up. */
int daemon_option(struct daemon_options *o, const char *key, const char *value);
/* The same for section [store]: fold-after, gone-for (durations, a day at least, or "never"). */
int daemon_store_option(struct daemon_options *o, const char *key, const char *value);

/* Reads an ini file, sections [daemon], [store], and of cli/apply_config.h and cli/oracle_config.h; a missing one is -ENOENT, the first bad line
 * is logged. */
int daemon_config(struct daemon_options *o, const char *path);

/* Runs until SIGTERM or SIGINT. Returns the exit code. */
int daemon_run(const struct daemon_options *o);
