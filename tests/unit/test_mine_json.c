/* SPDX-License-Identifier: Apache-2.0 */
/* A run's document, and what people see of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/mine_job.h"
#include "model/calls.h"
#include "model/score.h"

static struct sysset pending[TAMIS_ABI_MAX];

static struct matrix_unit *unit(struct matrix *m, const char *name, enum matrix_outcome o,
				const char *calls)
{
	_free_ char *copy = strdup(calls);
	struct matrix_unit *u;
	char *next = NULL;

	assert_int_equal(matrix_add(m, name, 0, &u), 0);
	u->outcome = o;
	for (char *c = strtok_r(copy, " ", &next); c; c = strtok_r(NULL, " ", &next))
		sysset_add(&u->set[TAMIS_ABI_X86_64], (unsigned)calls_number(TAMIS_ABI_X86_64, c));
	return u;
}

/* Two tests, one of which fails under the policy; its name is hostile. */
static void fill(struct mine_job *j)
{
	static const char *const argv[] = { "x", NULL };
	struct mine_result *r = &j->result;

	*j = (struct mine_job){ .image = "image", .state = "s", .stop_fd = -1 };
	assert_int_equal(mine_tests_add(&j->tests, "t1", argv), 0);
	assert_int_equal(mine_tests_add(&j->tests, "t\x1b[2", argv), 0);
	r->tests = 2;
	r->observed = calloc(2, sizeof(*r->observed));
	r->enforced = calloc(2, sizeof(*r->enforced));
	r->observed[0] = (struct mine_outcome){ MATRIX_PASS, 3, 1, NULL, 12 };
	r->observed[1] = (struct mine_outcome){ MATRIX_PASS, 0, 0, NULL, 13 };
	r->enforced[0] = (struct mine_outcome){ MATRIX_PASS, 0, 0, NULL, 14 };
	r->enforced[1] = (struct mine_outcome){ MATRIX_FAIL, 0, 0, strdup("no\nway"), 15 };
	r->refusal = calloc(2, sizeof(*r->refusal));
	r->refusal_cnt = 2;
	r->refusal[0] = (struct mine_refusal){ 1, TAMIS_ABI_X86_64, 101, 2, "web" };
	r->refusal[1] = (struct mine_refusal){ SIZE_MAX, TAMIS_ABI_X86_64, 165, 1, "" };
	r->run.began = 1790000000;
	r->run.generation = 4;
	r->row.key = strdup("podman/x");
	unit(&r->matrix, "start", MATRIX_NONE, "read write");
	unit(&r->matrix, "t1", MATRIX_PASS, "read openat");
	unit(&r->matrix, "t\x1b[2", MATRIX_PASS, "ptrace openat");
	unit(&r->matrix, "stop", MATRIX_NONE, "read kill");
	sysset_add(&pending[TAMIS_ABI_X86_64], 101);
}

static void done(struct mine_job *j)
{
	mine_result_done(&j->result);
	mine_tests_done(&j->tests);
	filter_free(j->base_filter);
}

static const json_t *at(const json_t *doc, const char *a, size_t i)
{
	return json_array_get(json_object_get(doc, a), i);
}

static json_int_t number(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static const json_t *call(const json_t *doc, const char *name)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(doc, "calls"), i, c)
	{
		if (strcmp(text(c, "call"), name) == 0)
			return c;
	}
	fail_msg("no %s", name);
	return NULL;
}

static void by(const json_t *doc, const char *name, const char *expected)
{
	_free_ char *is = json_dumps(json_object_get(call(doc, name), "by"), JSON_COMPACT);

	assert_string_equal(is, expected);
}

static void a_document(void **state)
{
	struct mine_job j;
	json_t *doc;

	fill(&j);
	doc = mine_json(&j, NULL, false);
	assert_non_null(doc);
	assert_int_equal(number(doc, "version"), 1);
	assert_int_equal(number(doc, "generation"), 4);
	assert_string_equal(text(doc, "workload"), "podman/x");
	assert_true(json_is_null(json_object_get(doc, "minimised_generation")));
	assert_true(json_is_null(json_object_get(doc, "widened")));
	assert_true(json_is_null(json_object_get(doc, "policy")));
	assert_true(json_is_null(json_object_get(doc, "score")));
	assert_int_equal(json_array_size(json_object_get(doc, "growth")), 3);
	assert_int_equal(json_integer_value(at(doc, "growth", 0)), 2);
	assert_int_equal(json_integer_value(at(doc, "growth", 1)), 3);
	assert_int_equal(json_integer_value(at(doc, "growth", 2)), 4);
	assert_int_equal(number(at(doc, "tests", 0), "new"), 1);
	assert_int_equal(number(at(doc, "tests", 0), "calls"), 2);
	assert_int_equal(number(json_object_get(at(doc, "tests", 0), "tap"), "failed"), 1);
	assert_int_equal(number(at(doc, "tests", 1), "took_ms"), 13);
	assert_int_equal(json_array_size(json_object_get(doc, "calls")), 5);
	by(doc, "read", "[-1,0]");
	by(doc, "openat", "[0,1]");
	by(doc, "ptrace", "[1]");
	by(doc, "kill", "[-1]");
	assert_null(text(call(doc, "read"), "first"));
	assert_string_equal(text(call(doc, "openat"), "first"), "t1");
	assert_null(text(call(doc, "openat"), "only"));
	assert_string_equal(text(call(doc, "ptrace"), "only"), "t\x1b[2");
	assert_null(text(call(doc, "kill"), "only"));
	assert_int_equal(number(call(doc, "read"), "units"), 3);
	assert_true(json_is_true(json_object_get(call(doc, "ptrace"), "guarded")));
	assert_true(json_is_false(json_object_get(call(doc, "ptrace"), "pending")));
	json_decref(doc);
	done(&j);
}

/* Guarded, and nobody allowed it. */
static void what_waits(void **state)
{
	struct policy p = { .pending = pending };
	struct score_risk none = { 0 };
	json_t *doc = json_object();
	struct mine_job j;

	fill(&j);
	json_object_set_new(doc, "calls", mine_json_calls(&j, &p, &none));
	assert_true(json_is_true(json_object_get(call(doc, "ptrace"), "pending")));
	assert_true(json_is_false(json_object_get(call(doc, "read"), "pending")));
	json_decref(doc);
	done(&j);
}

/* It never ran. */
static void an_empty_one(void **state)
{
	struct mine_job j = { .image = "\xff" };
	json_t *doc = mine_json(&j, NULL, true);

	assert_non_null(doc);
	assert_string_equal(text(doc, "target"), "\\xff");
	assert_string_equal(text(doc, "why"), "stopped");
	assert_int_equal(json_array_size(json_object_get(doc, "tests")), 0);
	assert_true(json_is_false(json_object_get(json_object_get(doc, "estimate"), "known")));
	json_decref(doc);
}

static void for_people(void **state)
{
	_free_ char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);
	struct mine_job j;
	json_t *doc;

	fill(&j);
	doc = mine_json(&j, NULL, false);
	mine_print(doc, f);
	fclose(f);
	assert_non_null(strstr(out, "image (podman/x): 5 calls, in 0.0 s\n"));
	assert_non_null(strstr(out, "2 of 2 tests pass; under the policy 1 of these\n"));
	assert_non_null(strstr(out, "  under the policy, t\\x1b[2: fail: no\\x0away; refused: "
				    "ptrace\n"));
	assert_non_null(strstr(out, "  refused while it started or stopped: mount\n"));
	assert_non_null(strstr(out, "needed by one test alone: ptrace (t\\x1b[2)\n"));
	assert_non_null(strstr(out, "completeness isn't known: 2 of the 5 units"));
	assert_null(strchr(out, '\x1b'));
	json_decref(doc);
	done(&j);
}

static void never_a_hundred(void **state)
{
	assert_true(mine_percent(0.9999) < 99.95);
	assert_true(mine_percent(0.98765) > 98.69 && mine_percent(0.98765) < 98.71);
	assert_true(mine_percent(0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document),	   cmocka_unit_test(what_waits),
		cmocka_unit_test(an_empty_one),	   cmocka_unit_test(for_people),
		cmocka_unit_test(never_a_hundred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
