/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of a mining run: programs of the user's, or explorations of ours (mine/explore.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/matrix.h"

struct target;
struct exploration;

struct mine_test {
	char *name;			   /* a file's name, or "explore/http-crawl" */
	char **argv;			   /* of a program, NULL-terminated; NULL: an exploration */
	const struct exploration *explore; /* borrowed */
	bool restarts;			   /* it starts the target anew itself */
};

struct mine_tests {
	struct mine_test *test;
	size_t cnt;
};
void mine_tests_done(struct mine_tests *t);
#define _mine_tests_ __attribute__((cleanup(mine_tests_done)))

/* Every executable regular file of DIR, by name in C order (version order of digits), or one command's
 * words. -ENOENT, -ENOTDIR; an empty directory: -ENODATA. */
int mine_tests_dir(const char *dir, struct mine_tests *ret);
int mine_tests_add(struct mine_tests *t, const char *name, const char *const *argv);

struct mine_outcome {
	enum matrix_outcome outcome;
	unsigned tap_ok, tap_failed; /* of TAP in its output; both 0: it printed none */
	char *why; /* what failed, one line, escaped by whoever shows it; NULL: passed */
	int64_t took_ms;
	unsigned excused; /* what was skipped, or failed and was to */
};
void mine_outcome_done(struct mine_outcome *o);
/* `o` came of a test under a policy that came to `before` without one: more that it skips hasn't passed. */
int mine_outcome_compare(struct mine_outcome *o, const struct mine_outcome *before);

/*
 * A program passes when it exits with 0 and, where it prints TAP, no line "not ok" is without "# TODO"
 * or "# SKIP", the plan is kept and nothing bails out (TAP 13 and 14). Exit 77: skipped, which counts
 * as passed. It is told where the service is: TAMIS_HOST, TAMIS_PORT (the first), TAMIS_PORTS,
 * TAMIS_CONTAINER, TAMIS_PID, TAMIS_IMAGE.
 */
int mine_test_run(const struct mine_test *t, struct target *target, int64_t limit_ms, int stop_fd,
		  struct mine_outcome *ret);

/* Pure: what TAP in `out` says. Returns false where there is none. */
struct tap {
	unsigned planned, ok, failed;
	bool has_plan, bailed;
	const char *first_failed; /* in `out`, first_len bytes; NULL: none */
	size_t first_len;
	unsigned excused; /* of ok: skipped, or failed as "# TODO" */
};
bool tap_read(const char *out, size_t len, struct tap *ret);
