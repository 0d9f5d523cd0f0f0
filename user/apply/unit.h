/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd units: DIR/NAME.service.d/50-tamis.conf with SystemCallFilter=, SystemCallErrorNumber=,
 * SystemCallArchitectures= (systemd.exec(5)) and, on trial, the commands that watch over it without
 * the daemon (ExecStartPre=, ExecStopPost= of tamis-start). In force at the next start after a
 * daemon-reload, which goes through sd-bus.
 */
#pragma once

#include "apply/applied.h"

#define UNIT_DIR "/etc/systemd/system"

struct unit_options {
	const char *dir;   /* NULL: UNIT_DIR */
	const char *state; /* for tamis-start */
	const char *start; /* absolute path of tamis-start */
	bool no_reload;
};

/* The drop-in's text; pure. Caller frees. */
int unit_print(const struct applied *a, const struct generation *g, const struct unit_options *o,
	       char **ret);
/* Key "systemd/NAME". Writes and reloads. -EINVAL for a name that is none of a unit. */
int unit_put(const struct applied *a, const struct unit_options *o, char **ret_why);
/* Back to the unit's own; 0 also when there was none. Directories that are empty then go. */
int unit_remove(const char *key, const struct unit_options *o, char **ret_why);
