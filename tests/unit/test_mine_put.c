/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of a run where not all of it can. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/mine_job.h"

static char dir[] = "/tmp/tamis-test-put.XXXXXX";

static int setup(void **state)
{
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

/* A run whose one test passed both times. */
static void fill(struct mine_job *j)
{
	static const char *const argv[] = { "x", NULL };
	struct mine_result *r = &j->result;

	*j = (struct mine_job){
		.image = "image", .state = "nothing", .report = "report", .stop_fd = -1
	};
	assert_int_equal(mine_tests_add(&j->tests, "t", argv), 0);
	r->tests = 1;
	r->observed = calloc(1, sizeof(*r->observed));
	r->enforced = calloc(1, sizeof(*r->enforced));
	r->observed[0].outcome = r->enforced[0].outcome = MATRIX_PASS;
	r->run.workload = 1;
	r->row.key = strdup("podman/x");
}

static void done(struct mine_job *j)
{
	mine_result_done(&j->result);
	mine_tests_done(&j->tests);
	filter_free(j->mined);
}

/* Its standard output is the document's here. */
static int put(const struct mine_job *j, bool *ret_fine)
{
	FILE *before = stdout;
	int r;

	stdout = fopen("/dev/null", "w");
	assert_non_null(stdout);
	r = mine_put(j, false, ret_fine);
	fclose(stdout);
	stdout = before;
	return r;
}

static void a_run_that_is_fine(void **state)
{
	struct mine_job j;
	bool fine = false;

	fill(&j);
	assert_int_equal(put(&j, &fine), 0);
	assert_true(fine);
	assert_int_equal(unlink("report"), 0);
	done(&j);
}

/* Nobody knows whether a policy that can't be read is wider: that is no "yes". */
static void a_policy_that_is_gone(void **state)
{
	struct mine_job j;
	bool fine = true;

	fill(&j);
	j.output = "policy";
	assert_int_equal(filter_new(&j.mined), 0);
	assert_true(put(&j, &fine) < 0);
	assert_false(fine);
	assert_int_equal(access("policy", F_OK), -1);
	assert_int_equal(unlink("report"), 0);
	done(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_is_fine),
		cmocka_unit_test(a_policy_that_is_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
