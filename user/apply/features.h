/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime can do with seccomp, from `RUNTIME features` (runtime-spec features.md: runc 1.1,
 * later cruns; "linux.seccomp" with "actions", "supportedFlags"). Asking costs a process, so
 * STATE/features remembers answers by device, inode, size and mtime, as STATE/runtimes does
 * (apply/runtime_cache.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct features {
	bool known;	    /* false: it has no such command, or was late */
	bool notify;	    /* SCMP_ACT_NOTIFY, of runc or crun; also of a crun that can't say so */
	bool wait_killable; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
	bool log;	    /* SECCOMP_FILTER_FLAG_LOG */
	/* It says that it has notify, but is neither: nobody has seen that its own calls behind the
	 * filter don't ask before anybody can answer. */
	bool other;
};

/* Negative errno only for no memory. */
int features_of_runtime(const char *state, const char *path, unsigned wait_ms,
			struct features *ret);
/* What all runtimes installed where engines look for them have in common (podman's hook isn't told
 * which will run); `other`: that one of them is. */
int features_of_installed(const char *state, unsigned wait_ms, struct features *ret);
/* Pure: from the JSON. -EINVAL. */
int features_parse(const char *text, size_t len, struct features *ret);
