/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a mining run: what was learned, but what is tried without, and a person's word. */
#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "unit/native.h"

#include "cli/mine_job.h"
#include "generation_fixture.h"
#include "model/calls.h"

/* What it called: one of them is guarded. */
static const char *const made[] = { "read", "write", "execve", "splice", "ptrace" };

static struct store_row row;

static unsigned number(const char *name)
{
	int nr = calls_number(MACHINE, name);

	assert_true(nr >= 0);
	return (unsigned)nr;
}

/* No engine: none of this machine's profiles is in it. */
static int fill(void **state)
{
	const struct store_workload w = { .key = "oci/x", .name = "x" };
	struct sysset calls = { 0 };
	int64_t id = 0;
	int r = open_store(state);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		sysset_add(&calls, number(made[i]));
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
		add_calls(add_instance("a", id, NOW), add_unit(NOW), TAMIS_WORKLOAD, calls, NOW);
	}
	return store_find(st, "oci/x", &row, NULL);
}

static int empty(void **state)
{
	store_row_done(&row);
	return drop_dir(state);
}

static struct mine_job job(void)
{
	return (struct mine_job){ .store = st,
				  .state = state_dir,
				  .policy = { .runtime = { "runc" }, .runtime_cnt = 1 } };
}

/* What an OCI profile does with a call: its errno, 0 where it passes. */
static int verdict_of(const char *profile, const char *call)
{
	json_t *doc = json_loads(profile, 0, NULL), *rule, *name;
	int errno_ret, is;
	size_t i, n;

	assert_non_null(doc);
	is = (int)json_integer_value(json_object_get(doc, "defaultErrnoRet"));
	json_array_foreach(json_object_get(doc, "syscalls"), i, rule)
	{
		const char *action = json_string_value(json_object_get(rule, "action"));

		errno_ret = (int)json_integer_value(json_object_get(rule, "errnoRet"));
		json_array_foreach(json_object_get(rule, "names"), n, name)
		{
			if (strcmp(json_string_value(name), call) == 0)
				is = strcmp(action, "SCMP_ACT_ALLOW") == 0 ? 0 : errno_ret;
		}
	}
	json_decref(doc);
	return is;
}

static void what_is_tried(void **state)
{
	static const struct {
		const char *enosys, *eperm;
		int splice, write;
		bool is_mined; /* what the run would leave */
	} rows[] = {
		{ NULL, NULL, 0, 0, true },
		{ "splice", NULL, ENOSYS, 0, false },
		{ NULL, "splice", EPERM, 0, false },
		{ "splice", "write", ENOSYS, EPERM, false },
		{ "splice", "splice", ENOSYS, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sysset enosys[TAMIS_ABI_MAX] = { 0 }, eperm[TAMIS_ABI_MAX] = { 0 };
		struct mine_job j = job();
		_free_ char *text = NULL;

		if (rows[i].enosys)
			sysset_add(&enosys[MACHINE], number(rows[i].enosys));
		if (rows[i].eperm)
			sysset_add(&eperm[MACHINE], number(rows[i].eperm));
		assert_int_equal(mine_policy_compose(&j, &row, enosys, eperm, &text), 0);
		assert_int_equal(verdict_of(text, "read"), 0);
		assert_int_equal(verdict_of(text, "splice"), rows[i].splice);
		assert_int_equal(verdict_of(text, "write"), rows[i].write);
		assert_int_not_equal(verdict_of(text, "ptrace"), 0);
		assert_int_equal(verdict_of(text, "mq_open"), ENOSYS);
		assert_int_equal(j.mined != NULL, rows[i].is_mined);
		filter_free(j.mined);
	}
}

static void a_unit_gets_its_own_format(void **state)
{
	const struct sysset none[TAMIS_ABI_MAX] = { 0 };
	struct mine_job j = job();
	_free_ char *text = NULL;

	j.unit = "x.service";
	assert_int_equal(mine_policy_compose(&j, &row, none, none, &text), 0);
	assert_non_null(strstr(text, "[Service]\n"));
	assert_non_null(strstr(text, "splice"));
	filter_free(j.mined);
}

/* As by tamis allow: kept, and from then on in what is composed. */
static void a_word_on_the_line(void **state)
{
	const struct sysset none[TAMIS_ABI_MAX] = { 0 };
	struct mine_job j = job();
	_free_ char *text = NULL;
	struct verdicts said;

	assert_int_equal(allowed_take("ptrace", &j.allowed), 0);
	IN_TRANSACTION
	assert_int_equal(mine_policy_learned(&j, st, &row), 0);
	said = said_of(row.id);
	assert_true(sysset_has(&said.allowed[MACHINE], number("ptrace")));
	assert_int_equal(sysset_count(&said.allowed[MACHINE]), 1);
	assert_int_equal(mine_policy_compose(&j, &row, none, none, &text), 0);
	assert_int_equal(verdict_of(text, "ptrace"), 0);
	filter_free(j.mined);
}

static void what_it_is_now(void **state)
{
	_policy_loaded_ struct policy_loaded p = { 0 };
	struct mine_job j = job();
	_free_ char *text = NULL;

	assert_int_equal(mine_policy_load(&j, &p), -ENOENT); /* no run */
	j.result.run.workload = row.id;
	assert_int_equal(mine_policy_load(&j, &p), -ENOENT); /* it was forgotten */
	j.result.row.key = (char *)"oci/x";
	assert_int_equal(mine_policy_load(&j, &p), 0);
	assert_int_equal(mine_policy_text(&p.policy, "oci", &text), 0);
	assert_int_equal(verdict_of(text, "splice"), 0);
	assert_int_not_equal(verdict_of(text, "ptrace"), 0);
}

#define FILLED(f) cmocka_unit_test_setup_teardown(f, fill, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILLED(what_is_tried),
		FILLED(a_unit_gets_its_own_format),
		FILLED(a_word_on_the_line),
		FILLED(what_it_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
