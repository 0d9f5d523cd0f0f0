/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd units: DIR/NAME.service.d/zz-tamis.conf with SystemCallFilter=, SystemCallErrorNumber=,
 * SystemCallArchitectures= (systemd.exec(5)) and, on trial, the commands that watch over it without
 * the daemon (ExecStartPre=, ExecStopPost= of tamis-start). In force at the next start after a
 * daemon-reload, which goes through sd-bus. The name sorts behind `systemctl edit`'s override.conf,
 * whose own list would otherwise be added to ours.
 *
 * What such a list can't say, so that it is wider than the generation, or answers otherwise:
 *  - systemd adds @default to each list of allowed calls, and write where it waits for the exec;
 *  - a name counts for all ABIs, and whatever the arguments are (clone, socket, personality); calls
 *    without a name can't be said, those that its libseccomp doesn't know are left out by it;
 *  - a refused call gets ENOSYS, where a generation of containers says EPERM for some: libc falls back
 *    on ENOSYS alone. Denied ones have their own, where this systemd can say it beside a list of allowed
 *    calls (252 can);
 *  - systemd sets no_new_privs together with a list where the unit has no CAP_SYS_ADMIN (User=), so
 *    that it can't use sudo and its like any more.
 * The unit's own list gives way, but for descendants: what it refuses was never learned.
 */
#pragma once

#include "apply/applied.h"

#define UNIT_DIR     "/etc/systemd/system"
#define UNIT_DROP_IN "zz-tamis.conf"

struct unit_options {
	const char *dir;   /* NULL: UNIT_DIR */
	const char *state; /* for tamis-start */
	const char *start; /* absolute path of tamis-start; NULL: a trial needs the daemon */
	bool no_reload;
};

/* Key "systemd/NAME" to NAME. Caller frees. -EINVAL with a sentence (caller frees) for a user's unit,
 * and what is no service's name. */
int unit_name(const char *key, char **ret, char **ret_why);

/* The drop-in's text; pure. Caller frees. -EINVAL: a path in `o` that no unit file should have. */
int unit_print(const struct applied *a, const struct generation *g, const struct unit_options *o,
	       char **ret);
/* Key "systemd/NAME". Writes what is applied (`now`; when that failed or isn't enforced, `good` or
 * none) and reloads. -EINVAL for a name that is none of a unit, -EPERM for a directory that others
 * may change. On failure the file is as it was before. */
int unit_put(const struct applied *a, const struct unit_options *o, char **ret_why);
/* Back to the unit's own; 0 also when there was none. Directories that are empty then go. */
int unit_remove(const char *key, const struct unit_options *o, char **ret_why);

/* What is in force of `a`: NULL for nothing. */
const struct generation *unit_choose(const struct applied *a);
/* unit_print with a sentence; generation NULL: no text. */
int unit_text(const struct applied *a, const struct generation *g, const struct unit_options *o,
	      char **ret, char **ret_why);
/* Puts the text in its place (NULL: removes what is there) without telling systemd, for who links
 * no bus. */
int unit_place(const char *key, const char *text, const struct unit_options *o, char **ret_why);
