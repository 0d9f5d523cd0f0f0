/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which unit made which calls: the record that estimates, attribution and curves are made of. A unit
 * is what was sampled once: a test of `tamis mine`, an epoch of the daemon, a start. Owns its units.
 */
#pragma once

#include <stddef.h>

#include "model/sysset.h"

enum matrix_outcome {
	MATRIX_NONE, /* nobody judged it: an epoch */
	MATRIX_PASS,
	MATRIX_FAIL,
	MATRIX_HUNG, /* ended by its time limit */
	MATRIX_OUTCOME_MAX,
};
const char *matrix_outcome_name(enum matrix_outcome o); /* "none", "pass", "fail", "hung" */
int matrix_outcome_from_name(const char *name, enum matrix_outcome *ret);

struct matrix_unit {
	char *name;    /* hostile; NULL: an epoch without one */
	int64_t began; /* seconds since the epoch */
	enum matrix_outcome outcome;
	struct sysset set[TAMIS_ABI_MAX]; /* workload and session stages */
};

/* In the order in which they were sampled. {0} is empty. */
struct matrix {
	struct matrix_unit *unit;
	size_t cnt, room;
};
void matrix_done(struct matrix *m);
#define _matrix_ __attribute__((cleanup(matrix_done)))

/* Adds a unit with a copy of `name` (may be NULL) and no calls. *ret is valid until the next one.
 * -ENOMEM. */
int matrix_add(struct matrix *m, const char *name, int64_t began, struct matrix_unit **ret);

/* One call, over all units. */
struct matrix_call {
	enum tamis_abi abi;
	uint32_t nr;
	uint32_t units; /* how many made it, 1.. */
	size_t first;	/* index of the first that did */
};
/* Every call of any unit, sorted by (abi, nr). Caller frees. -ENOMEM. */
int matrix_calls(const struct matrix *m, struct matrix_call **ret, size_t *ret_cnt);
/* What was made in a unit that didn't fail: by a test that can tell whether it is needed, or beside all. */
void matrix_judged(const struct matrix *m, struct sysset ret[TAMIS_ABI_MAX]);
/* After unit i the units up to it have made ret[i] different calls; room for m->cnt. */
void matrix_growth(const struct matrix *m, uint32_t *ret);
