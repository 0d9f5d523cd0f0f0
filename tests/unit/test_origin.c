/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "learn/origin.h"

static void paths_are_turned_around(void **state)
{
	static const struct {
		const char *reversed, *path;
	} rows[] = {
		{ "redis-server/bin/usr/", "/usr/bin/redis-server" },
		{ "init/", "/init" },
		{ "", "" },
		{ "/", "/" },
		{ "cut-off-without-end/bin", "/bin/cut-off-without-end" },
		{ "a\nb/c d/", "/c d/a\nb" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char exe[ORIGIN_EXE_MAX];

		origin_exe(rows[i].reversed, exe);
		assert_string_equal(exe, rows[i].path);
	}
}

static void long_paths_stay_in_bounds(void **state)
{
	char reversed[4 * ORIGIN_EXE_MAX], exe[ORIGIN_EXE_MAX];

	memset(reversed, 'x', sizeof(reversed) - 1);
	reversed[sizeof(reversed) - 1] = '\0';
	origin_exe(reversed, exe);
	assert_true(strlen(exe) < ORIGIN_EXE_MAX);
	memset(reversed, '/', sizeof(reversed) - 1);
	origin_exe(reversed, exe);
	assert_true(strlen(exe) < ORIGIN_EXE_MAX);
}

static void make_event(uint32_t abi, uint32_t stage, uint32_t nr, struct tamis_event *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = TAMIS_EV_CALL;
	ret->abi = abi;
	ret->stage = stage;
	ret->nr = nr;
	ret->pid = 7;
	memcpy(ret->comm, "sixteen-bytes-xx", TAMIS_COMM); /* no NUL */
}

static void events_that_make_no_sense_are_refused(void **state)
{
	static const uint32_t rows[][3] = {
		{ TAMIS_ABI_MAX, 0, 0 },
		{ 0, TAMIS_STAGE_MAX, 0 },
		{ 0, 0, TAMIS_CALLS },
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX },
	};
	struct origin o;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tamis_event e;

		make_event(rows[i][0], rows[i][1], rows[i][2], &e);
		assert_int_equal(origin_read(&e, "", &o), -EINVAL);
	}
}

static void a_full_list_says_so(void **state)
{
	struct tamis_event e;
	struct origins all = { 0 };
	struct origin o;
	int r = 0;

	make_event(0, TAMIS_WORKLOAD, 59, &e);
	assert_int_equal(origin_read(&e, "sh/bin/", &o), 0);
	assert_string_equal(o.comm, "sixteen-bytes-xx");
	assert_string_equal(o.exe, "/bin/sh");
	while ((r = origins_add(&all, &o)) == 0)
		;
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(all.cnt, 65536);
	assert_string_equal(all.list[65535].exe, "/bin/sh");
	origins_done(&all);
	assert_null(all.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_turned_around),
		cmocka_unit_test(long_paths_stay_in_bounds),
		cmocka_unit_test(events_that_make_no_sense_are_refused),
		cmocka_unit_test(a_full_list_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
