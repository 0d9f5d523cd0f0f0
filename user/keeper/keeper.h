/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tamis-keeper: answers the calls that containers in probation make and nobody learned. One thread,
 * no SQLite, no libbpf. What must outlive it is kept by the service manager: the listening socket
 * (LISTEN_FDS, or made at --socket), the notification descriptors of running filters (FDSTORE, name
 * "notify"), and the slot (a file in the run directory, see keeper/slot.h).
 *
 *	tamis-keeper [--state DIR] [--run DIR] [--socket PATH] [-v]
 *
 * A runtime connects once for each start and each exec, and sends a filter's descriptor
 * (SCM_RIGHTS; runtime-spec config-linux.md, "The Container Process State"). The JSON beside it is
 * thrown away unread: whose call it is is asked of the caller's cgroup (keeper/whose.h).
 *
 * Who may connect: uid 0 in the initial user namespace (SO_PEERCRED), and not from inside of a
 * container. Others are cut off with one line.
 *
 * An answer looks at nothing but the number and the ABI: memory can change (seccomp_unotify(2)). So
 * it is CONTINUE or an errno: ENOSYS, EPERM for policies/errno's. Where it can't be told whose a
 * call is, or nothing is applied to it any more, it continues, and is journalled as nobody's: a
 * container is never stopped by us.
 */
#pragma once

#define KEEPER_STATE "/var/lib/tamis"
#define KEEPER_RUN   "/run/tamis"
#define KEEPER_FDS   65536 /* filters at a time */
#define KEEPER_HOT   1000  /* notifications of one call a minute that are worth a restart */

struct keeper_options {
	const char *state, *run;
	const char *socket; /* NULL: RUN/keeper.sock */
};

/* Until SIGTERM or SIGINT. The exit status. */
int keeper_run(const struct keeper_options *o);
