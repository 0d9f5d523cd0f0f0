/* SPDX-License-Identifier: Apache-2.0 */
/* What an exit event says, and the list of those that wait. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "learn/ended.h"

static int64_t boottime_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void stages_other_than_two_make_no_sense(void **state)
{
	for (uint32_t stage = 0; stage < TAMIS_STAGE_MAX + 2; stage++) {
		struct tamis_event e = { .kind = TAMIS_EV_EXIT, .stage = stage, .nr = 9 };
		bool fits = stage == TAMIS_WORKLOAD || stage == TAMIS_SESSION;
		struct ended got = { .status = 4711 };

		assert_int_equal(ended_read(&e, &got), fits ? 0 : -EINVAL);
		assert_int_equal(got.status, fits ? 9 : 4711);
		assert_true(!fits || got.entrypoint == (stage == TAMIS_WORKLOAD));
	}
}

static void fields_are_bounded(void **state)
{
	struct tamis_event e = { .stage = TAMIS_WORKLOAD, .nr = UINT32_MAX, .cgroup = 7 };
	struct ended got;

	memset(e.comm, 'x', sizeof(e.comm));
	e.pid = 4711;
	assert_int_equal(ended_read(&e, &got), 0);
	assert_int_equal(got.pid, 4711);
	assert_int_equal(got.status, 0xffff);
	assert_int_equal(got.cgroup, 7);
	assert_int_equal(strlen(got.comm), TAMIS_COMM);
}

static void a_call_is_one_of_a_table(void **state)
{
	static const struct {
		uint32_t abi, call;
		enum tamis_abi said_abi;
		uint32_t said;
	} rows[] = {
		{ TAMIS_ABI_I386, 64, TAMIS_ABI_I386, 64 },
		{ TAMIS_ABI_ARM, TAMIS_CALLS - 1, TAMIS_ABI_ARM, TAMIS_CALLS - 1 },
		{ TAMIS_ABI_I386, TAMIS_CALLS, TAMIS_ABI_I386, TAMIS_CALLS },
		{ TAMIS_ABI_I386, UINT32_MAX, TAMIS_ABI_I386, TAMIS_CALLS },
		{ TAMIS_ABI_MAX, 64, 0, TAMIS_CALLS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tamis_event e = { .stage = TAMIS_WORKLOAD,
					 .abi = rows[i].abi,
					 .call = rows[i].call };
		struct ended got;

		assert_int_equal(ended_read(&e, &got), 0);
		assert_int_equal(got.abi, rows[i].said_abi);
		assert_int_equal(got.nr, rows[i].said);
	}
}

/* The event has 32 bits of the time. */
static void the_time_is_made_whole(void **state)
{
	static const int64_t ago[] = { 0, 1, 1000, 86400000, -5 };

	for (size_t i = 0; i < sizeof(ago) / sizeof(ago[0]); i++) {
		int64_t now = boottime_ms(), at = now - ago[i];
		struct tamis_event e = { .stage = TAMIS_WORKLOAD, .at_ms = (uint32_t)at };
		struct ended got;

		assert_int_equal(ended_read(&e, &got), 0);
		assert_true(got.at_ms == at);
	}
}

static void a_list_has_an_end(void **state)
{
	struct ended_list l = { 0 };
	struct ended e = { 0 };
	int r = 0;

	for (; r == 0; e.cgroup++)
		r = ended_add(&l, &e);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(l.cnt, 65536);
	for (size_t i = 0; i < l.cnt; i++)
		assert_int_equal(l.list[i].cgroup, i);
	ended_done(&l);
	assert_int_equal(l.cnt + l.room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_other_than_two_make_no_sense),
		cmocka_unit_test(fields_are_bounded),
		cmocka_unit_test(a_call_is_one_of_a_table),
		cmocka_unit_test(the_time_is_made_whole),
		cmocka_unit_test(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
