/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a generation lets its workload live, found out without the daemon. A file in STATE/trial
 * has a line for every start under a generation on trial and for every end that somebody saw; lines
 * are appended with one write, so nobody locks. Root's only (0700): a user can't spoil a trial. A torn
 * line is ignored, a file over TRIAL_MAX is cut to its newest half.
 *
 *	key KEY .
 *	start GENERATION TIME ID CGROUP .
 *	end TIME ID HOW .             HOW: "exit N", "signal N", "unknown 0"
 *
 * TIME: CLOCK_BOOTTIME ms, '@', the boot id, so that neither clock steps nor reboots count. "-" is
 * unknown; bytes that would end a field are written as %XX.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIAL_MAX	 (64u << 10)
#define TRIAL_STARTS_MAX 64

enum trial_end {
	TRIAL_RUNS,    /* its cgroup has processes, or it is just being made */
	TRIAL_EXITED,  /* code */
	TRIAL_KILLED,  /* signal in code */
	TRIAL_UNKNOWN, /* it is gone, nobody saw how */
};

struct trial_start {
	uint32_t generation;
	int64_t began_ms; /* before now; earlier boots are ages ago, and ages apart */
	int64_t ended_ms; /* as began_ms; -1: not known, or it runs */
	enum trial_end end;
	int code;
	char id[80];  /* container's id, "" = not known */
	char *cgroup; /* below the cgroup2 mount, or NULL */
};

/* Pure: the newest starts of one generation, oldest first, to a verdict. */
enum trial_verdict {
	TRIAL_OPEN,
	TRIAL_PASSED, /* one lived for trial_s, or exited with 0 by itself */
	TRIAL_FAILED,
};

/*
 * FAILED: one died by SIGSYS; or, before one passed,
 *  - one exited with another code than 0, or by a signal that wasn't a request to end (not TERM, INT,
 *    KILL, HUP; nor a code of 128 and one of these), within trial_s of its start; or
 *  - three starts within trial_s, of which nobody saw an end but a KILL within a second, of one
 *    container, or of containers of which none runs (it restarted twice). Errno refusals leave no trace
 *    yet, so that a denial was the reason can't be excluded.
 */
struct trial_said {
	enum trial_verdict verdict;
	char why[96];
};
struct trial_said trial_judge(const struct trial_start *s, size_t cnt, unsigned trial_s);
/* The same where container `id` ("" = not known) is about to start again: that start counts too. */
struct trial_said trial_judge_next(const struct trial_start *s, size_t cnt, unsigned trial_s,
				   const char *id);

struct trial {
	struct trial_start *start; /* of the generation asked for, oldest first */
	size_t cnt;
};
void trial_done(struct trial *t);

/* Reads what is there of a generation; `mount` NULL: found. Liveness is asked of the cgroups. None: 0
 * and cnt 0. -EPERM when STATE/trial isn't root's alone. */
int trial_read(const char *state, const char *key, uint32_t generation, const char *mount,
	       struct trial *ret);
/* -EPERM, -EACCES (not root), -ENOSPC, ... Generation 0: a start under none that is on trial, of a
 * workload that has a trial; notes that what ran in this container before is over. */
int trial_add_start(const char *state, const char *key, uint32_t generation, const char *id,
		    const char *cgroup);
/* `end` and `code` as above. 0 also where no start of it is waiting for an end. */
int trial_add_end(const char *state, const char *key, const char *id, enum trial_end end, int code);
/* One that is told late: it was at `at_ms` (CLOCK_BOOTTIME), and is no later start's. */
int trial_add_end_at(const char *state, const char *key, const char *id, enum trial_end end,
		     int code, int64_t at_ms);
/* After its verdict is in the store. */
int trial_remove(const char *state, const char *key);
/* Keys that have a trial. Caller frees each and the array. */
int trial_list(const char *state, char ***ret, size_t *ret_cnt);
