/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp filter as a value: what every output format is made from and every policy file
 * is read into. One rule is (ABI, number, conditions) -> action; conditions of one rule are
 * ANDed, several rules of one call are alternatives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/abi.h"

enum filter_action {
	FILTER_KILL_PROCESS,
	FILTER_KILL_THREAD,
	FILTER_TRAP,
	FILTER_ERRNO,
	FILTER_NOTIFY,
	FILTER_TRACE,
	FILTER_LOG,
	FILTER_ALLOW,
	FILTER_ACTION_MAX,
};

enum filter_op {
	FILTER_NE,
	FILTER_LT,
	FILTER_LE,
	FILTER_EQ,
	FILTER_GE,
	FILTER_GT,
	FILTER_MASKED_EQ, /* (arg & value) == value_two */
	FILTER_OP_MAX,
};

#define FILTER_ARGS 6

struct filter_cond {
	uint8_t index; /* of the argument, 0..5; each at most once in a rule */
	enum filter_op op;
	uint64_t value;
	uint64_t value_two; /* filter_add clears what `value` masks out, as libseccomp does */
};

/* Why a rule is there: a mask, for the text format and for review. */
enum filter_why {
	FILTER_WHY_WORKLOAD = 1 << 0,
	FILTER_WHY_SESSION = 1 << 1,
	FILTER_WHY_GATE_SEEN = 1 << 2,	 /* observed in the gate stage */
	FILTER_WHY_GATE_TABLE = 1 << 3,	 /* policies/runtime/ */
	FILTER_WHY_ALWAYS = 1 << 4,	 /* policies/always/ */
	FILTER_WHY_ERRNO = 1 << 5,	 /* policies/errno/: refused with its own errno */
	FILTER_WHY_ENGINE = 1 << 6,	 /* narrowed by the engine's profile */
	FILTER_WHY_FALLBACK = 1 << 7,	 /* clone beside a learned clone3 that is answered ENOSYS */
	FILTER_WHY_DESCENDANTS = 1 << 8, /* isn't guarded, and processes leave the unit */
	FILTER_WHY_PROBATION = 1 << 9,	 /* nobody learned it, so it asks (but write) */
};

struct filter_rule {
	enum tamis_abi abi;
	uint32_t nr;
	enum filter_action action;
	uint32_t errno_ret; /* with FILTER_ERRNO and FILTER_TRACE: 0..4095 */
	uint32_t why;	    /* enum filter_why */
	uint32_t order;	    /* of adding: the filter's own, ignored by filter_add */
	unsigned cond_cnt;
	struct filter_cond cond[FILTER_ARGS];
};

struct filter {
	enum filter_action default_action;
	uint32_t default_errno;
	uint32_t abis; /* 1 << enum tamis_abi: those it speaks for; others are killed */
	struct filter_rule *rule;
	size_t rule_cnt;
	size_t rule_room;
};

struct filter_verdict {
	enum filter_action action;
	uint32_t errno_ret;
};

/* Empty, speaking for no ABI, refusing with ENOSYS. */
int filter_new(struct filter **ret);
void filter_free(struct filter *f);
CLEANUP_DEFINE(struct filter *, filter_free);

/* Copies the rule in, conditions by index. -EINVAL for a value out of range or a repeated
 * argument index. */
int filter_add(struct filter *f, const struct filter_rule *rule);
/*
 * Sorts by (abi, nr, conditions) and leaves of each call what an engine would load, given
 * the default action and the order in which the rules were added (what runc, crun and
 * libseccomp 2.5.4 were seen to do):
 *  1. A rule that says what the default says is skipped by the runtimes, so it goes where the
 *     call has others, and stays, for the reader, where it is alone.
 *  2. One unconditional rule: the first. The call's other rules go, whatever their action.
 *  3. No two rules of one call with the same conditions: the first stays; `why` is merged
 *     where the second said the same.
 * Equal filters are then equal byte for byte.
 */
void filter_sort(struct filter *f);
/*
 * What the kernel would answer, after filter_sort. An ABI it does not speak for:
 * FILTER_KILL_THREAD, as libseccomp's default is.
 *
 * Where conditional rules of one call overlap with different actions, the strictest is
 * answered (the kernel's order for stacked filters). libseccomp's own answer is neither the
 * first nor the strictest: it depends on the indices of the arguments, and where conditions
 * of several arguments use anything but EQ and MASKED_EQ it can match what no rule says.
 * What compose() makes is free of both: there, this is the kernel's answer.
 */
struct filter_verdict filter_verdict(const struct filter *f, enum tamis_abi abi, uint32_t nr,
				     const uint64_t args[FILTER_ARGS]);
/* Calls that return to the program with the kernel's own result, or may. */
static inline bool filter_action_passes(enum filter_action a)
{
	return a >= FILTER_NOTIFY;
}
/* Rules of one call, as a range of f->rule; empty (0) when the default speaks. */
size_t filter_find(const struct filter *f, enum tamis_abi abi, uint32_t nr,
		   const struct filter_rule **ret);

const char *filter_action_oci(enum filter_action a); /* "SCMP_ACT_ERRNO", ... */
int filter_action_from_oci(const char *name, enum filter_action *ret);
const char *filter_op_oci(enum filter_op op); /* "SCMP_CMP_EQ", ... */
int filter_op_from_oci(const char *name, enum filter_op *ret);
