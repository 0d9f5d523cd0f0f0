/* SPDX-License-Identifier: Apache-2.0 */
/* What `tamis mine` was asked for, and what came of it. */
#pragma once

#include <jansson.h>

#include "cli/allowed.h"
#include "cli/policy_load.h"
#include "learn/oracle_argv.h"
#include "mine/explore.h"
#include "mine/mine.h"

struct mine_job {
	/* as the line says it */
	const char *image, *container, *unit;
	const char *state, *output, *report, *base, *explore, *runtime;
	struct oracle_argv podman, options, ready_command;
	const char *const *command;
	struct mine_tests tests;
	struct explorations explorations;
	struct ready_options ready;
	int64_t limit_s, test_limit_s, minimise_limit_s, ready_limit_s;
	struct allowed allowed;
	struct policy_options policy;
	bool json, minimise;
	/* what it opened */
	char *mount, *digest;
	struct store *store;
	struct target *target;
	int stop_fd;
	/* what came of it */
	struct mine_result result;
	struct filter *mined; /* the filter of the first generation; NULL: it didn't come so far */
	struct filter *base_filter;
};

/* As a person named the target. */
const char *mine_job_target(const struct mine_job *j);

/* --- mine_policy.c ----------------------------------------------------------------------- */

/* For struct mine_options: arg is a struct mine_job. */
int mine_policy_compose(void *arg, const struct store_row *row, const struct sysset *enosys,
			const struct sysset *eperm, char **ret);
int mine_policy_learned(void *arg, struct store *s, const struct store_row *row);
/* What the workload's policy is now. -ENOENT: there is none. Logs why not. */
int mine_policy_load(const struct mine_job *j, struct policy_loaded *ret);
/* As an OCI profile. Caller frees. */
int mine_policy_text(const struct policy *p, const char *format, char **ret);

/* --- mine_wider.c ------------------------------------------------------------------------ */

/* TAMIS_ABI_MAX sets: what passes, or waits for a person's word, and passes not, or only by other
 * arguments, by `base`. */
void mine_wider(const struct filter *base, const struct policy *now, struct sysset *ret);

/* --- mine_json.c ------------------------------------------------------------------------- */

/* The document (tamis-mine in tamis(1)); `p` NULL: there is no policy. NULL: out of memory. */
json_t *mine_json(const struct mine_job *j, const struct policy *p, bool stopped);
/* The part about calls: mine_json_calls.c. */
struct score_risk;
json_t *mine_json_calls(const struct mine_job *j, const struct policy *p,
			const struct score_risk *risk);
/* Of the matrix' unit: the test's index, -1: start or stop. */
int mine_job_test_of(const struct mine_job *j, size_t unit);

/* --- mine_put.c -------------------------------------------------------------------------- */

/* All files and lines of it; *ret_fine: nothing passes without the policy and fails under it, nor is it
 * wider than it may be. Logs why not. */
int mine_put(const struct mine_job *j, bool stopped, bool *ret_fine);

/* --- mine_print.c ------------------------------------------------------------------------ */

/* A document for people. */
void mine_print(const json_t *doc, FILE *f);

/* --- mine_progress.c --------------------------------------------------------------------- */

/* For struct mine_options: on a terminal one line that changes, else a line for each test. */
void mine_progress(void *arg, const struct mine_progress *p);
/* For people, of what is 0..1. */
double mine_percent(double part);
/* Nothing of the changing line stays. */
void mine_progress_end(void);
