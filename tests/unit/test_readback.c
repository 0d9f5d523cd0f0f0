/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/readback.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A record of its own size: a sanitizer sees what is read past it. */
static void *record(const struct tamis_event *e, const char *text, size_t text_len, size_t *ret_len)
{
	char *data = malloc(sizeof(*e) + text_len);

	assert_non_null(data);
	memcpy(data, e, sizeof(*e));
	memcpy(data + sizeof(*e), text, text_len);
	*ret_len = sizeof(*e) + text_len;
	return data;
}

static void texts_end_where_the_record_does(void **state)
{
	static const struct {
		const char *text;
		size_t room;
		uint32_t said;
		const char *wanted;
	} rows[] = {
		{ "/a/b", 4, 4, "/a/b" },
		{ "/a/b", 4, 2, "/a" },
		{ "/a/b", 4, 5, "/a/b" },
		{ "/a/b", 4, UINT32_MAX, "/a/b" },
		{ "/a\0b", 4, 4, "/a" },
		{ "", 0, 0, "" },
		{ "", 0, UINT32_MAX, "" },
		{ "\0\0\0\0\0\0\0\0", 8, 8, "" },
		{ "sh/bin/\0\0\0", 10, 7, "sh/bin/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tamis_event e = { .kind = TAMIS_EV_CALL, .text_len = rows[i].said }, got;
		char text[TAMIS_TEXT_PATH + 1];
		size_t len;
		_free_ void *data = record(&e, rows[i].text, rows[i].room, &len);

		assert_true(readback_event(data, len, &got, text));
		assert_string_equal(text, rows[i].wanted);
		assert_int_equal(got.text_len, strlen(rows[i].wanted));
	}
}

static void long_texts_are_cut(void **state)
{
	struct tamis_event e = { .kind = TAMIS_EV_MKDIR, .text_len = 5000 }, got;
	char text[TAMIS_TEXT_PATH + 1], long_text[5000];
	_free_ void *data = NULL;
	size_t len;

	memset(long_text, 'x', sizeof(long_text));
	data = record(&e, long_text, sizeof(long_text), &len);
	assert_true(readback_event(data, len, &got, text));
	assert_int_equal(strlen(text), TAMIS_TEXT_PATH);
	assert_int_equal(got.text_len, TAMIS_TEXT_PATH);
}

static void records_without_sense_change_nothing(void **state)
{
	static const struct {
		uint32_t kind;
		size_t less;
	} rows[] = {
		{ 0, 0 },
		{ TAMIS_EV_MAX, 0 },
		{ UINT32_MAX, 0 },
		{ TAMIS_EV_CALL, 1 },
		{ TAMIS_EV_CALL, sizeof(struct tamis_event) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tamis_event e = { .kind = rows[i].kind }, got = { .nr = 4711 };
		char text[TAMIS_TEXT_PATH + 1] = "untouched";
		size_t len;
		_free_ void *data = record(&e, "", 0, &len);

		assert_false(readback_event(data, len - rows[i].less, &got, text));
		assert_int_equal(got.nr, 4711);
		assert_string_equal(text, "untouched");
	}
}

static void names_of_processes_get_an_end(void **state)
{
	struct tamis_event e = { .kind = TAMIS_EV_CALL }, got;
	struct tamis_leave leave = { .count = 1 }, left;
	char text[TAMIS_TEXT_PATH + 1];

	memset(e.comm, 'x', sizeof(e.comm));
	memset(leave.comm, 'x', sizeof(leave.comm));
	assert_true(readback_event(&e, sizeof(e), &got, text));
	assert_string_equal(got.comm, "xxxxxxxxxxxxxxx");
	assert_true(readback_leave(&leave, &left));
	assert_string_equal(left.comm, "xxxxxxxxxxxxxxx");
}

static void paths_are_bounded(void **state)
{
	struct tamis_path path = { "" };
	char *got = NULL;

	assert_int_equal(readback_path(&path, &got), -ENOENT);
	memset(path.text, 'a', sizeof(path.text));
	assert_int_equal(readback_path(&path, &got), -ENOENT);
	assert_null(got);
	path.text[0] = '/';
	assert_int_equal(readback_path(&path, &got), 0);
	assert_int_equal(strlen(got), TAMIS_PATH);
	free(got);
	path.text[3] = '\0';
	assert_int_equal(readback_path(&path, &got), 0);
	assert_string_equal(got, "/aa");
	free(got);
}

static void keys_of_another_version_are_none(void **state)
{
	assert_true(readback_key(&(struct tamis_key){ 1, TAMIS_ABI_ARM, TAMIS_SESSION }));
	assert_false(readback_key(&(struct tamis_key){ 1, TAMIS_ABI_MAX, 0 }));
	assert_false(readback_key(&(struct tamis_key){ 1, 0, TAMIS_STAGE_MAX }));
	assert_false(readback_key(&(struct tamis_key){ 1, UINT32_MAX, UINT32_MAX }));
}

static void calls_of_deaths_are_in_range(void **state)
{
	static const struct {
		uint32_t abi, call, said;
	} rows[] = {
		{ 0, 110, 110 },
		{ TAMIS_ABI_ARM, TAMIS_CALLS - 1, TAMIS_CALLS - 1 },
		{ 0, TAMIS_CALLS, TAMIS_CALLS },
		{ 0, UINT32_MAX, TAMIS_CALLS },
		{ TAMIS_ABI_MAX, 110, TAMIS_CALLS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tamis_event e = { .kind = TAMIS_EV_EXIT,
					 .abi = rows[i].abi,
					 .call = rows[i].call },
				   got;
		char text[TAMIS_TEXT_PATH + 1];

		assert_true(readback_event(&e, sizeof(e), &got, text));
		assert_int_equal(got.call, rows[i].said);
	}
}

static void refused_calls_are_bounded(void **state)
{
	struct tamis_denied_key key = { 1, TAMIS_ABI_ARM, TAMIS_CALLS - 1 };
	struct tamis_denied d = { .count = UINT64_MAX, .first_ms = UINT64_MAX, .last_ms = 7 }, got;

	memset(d.comm, 'x', sizeof(d.comm));
	assert_true(readback_denied(&key, &d, &got));
	assert_int_equal(got.count, READBACK_COUNT_MAX);
	assert_int_equal(got.first_ms, 7);
	assert_int_equal(got.last_ms, 7);
	assert_string_equal(got.comm, "xxxxxxxxxxxxxxx");
	d.first_ms = 3;
	assert_true(readback_denied(&key, &d, &got));
	assert_int_equal(got.first_ms, 3);
	d.first_ms = 0; /* it is just being made */
	assert_true(readback_denied(&key, &d, &got));
	assert_int_equal(got.first_ms, 7);

	got.pid = 4711;
	d.count = 0;
	assert_false(readback_denied(&key, &d, &got));
	d.count = 1;
	key.nr = TAMIS_CALLS;
	assert_false(readback_denied(&key, &d, &got));
	key = (struct tamis_denied_key){ 1, TAMIS_ABI_MAX, 1 };
	assert_false(readback_denied(&key, &d, &got));
	assert_int_equal(got.pid, 4711);
}

static void counts_fit_a_store(void **state)
{
	struct tamis_loss loss = { 1, UINT64_MAX, READBACK_COUNT_MAX, READBACK_COUNT_MAX + 1,
				   UINT64_MAX };
	struct tamis_leave leave = { .count = UINT64_MAX }, left = { .count = 4711 };

	loss = readback_loss(&loss);
	assert_int_equal(loss.range, 1);
	assert_int_equal(loss.full, READBACK_COUNT_MAX);
	assert_int_equal(loss.ring, READBACK_COUNT_MAX);
	assert_int_equal(loss.task, READBACK_COUNT_MAX);
	assert_int_equal(loss.rest, READBACK_COUNT_MAX);
	assert_true(readback_leave(&leave, &left));
	assert_int_equal(left.count, READBACK_COUNT_MAX);
	leave.count = 0;
	left.count = 4711;
	assert_false(readback_leave(&leave, &left));
	assert_int_equal(left.count, 4711);
}

static void a_legacy_set_reads_as_any_other(void **state)
{
	enum { NR = 70 }; /* the 7th bit of its words */
	static const struct {
		uint32_t unit;	    /* the current one */
		uint32_t when[2];   /* it was called, 0: never; another call of the word */
		uint64_t wanted[2]; /* words, of even units and odd */
	} rows[] = {
		{ 1, { 0, 0 }, { 0, 0 } },
		{ 1, { 1, 0 }, { 0, 1ull << 32 | 1 << 6 } },
		{ 2, { 1, 2 }, { 2ull << 32 | 1 << 7, 1ull << 32 | 1 << 6 } },
		{ 8, { 8, 8 }, { 8ull << 32 | 3 << 6, 0 } },
		{ 8, { 6, 8 }, { 8ull << 32 | 1 << 7, 0 } }, /* the last unit has the word */
		{ 8, { 8, 6 }, { 8ull << 32 | 1 << 6, 0 } },
		{ 9, { 2, 6 }, { 6ull << 32 | 1 << 7, 0 } },
		{ 9, { 8, 6 }, { 8ull << 32 | 1 << 6, 0 } },
		{ 65536, { 65536, 65535 }, { 65536ull << 32 | 1 << 6, 65535ull << 32 | 1 << 7 } },
		{ 65541, { 7, 65534 }, { 65534ull << 32 | 1 << 7, 7ull << 32 | 1 << 6 } },
		{ UINT32_MAX, { UINT32_MAX, 0 }, { 0, (uint64_t)UINT32_MAX << 32 | 1 << 6 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tamis_legacy_set kept = { 0 };
		struct tamis_set set, wanted = { 0 };

		for (unsigned n = 0; n < 2; n++) {
			uint32_t unit = rows[i].when[n];

			if (!unit)
				continue;
			kept.unit[unit & 1][NR + n] = TAMIS_LEGACY_MARK(unit);
			wanted.seen[NR / 64] |= UINT64_C(1) << (NR % 64 + n);
		}
		wanted.unit[0][NR / 32] = rows[i].wanted[0];
		wanted.unit[1][NR / 32] = rows[i].wanted[1];
		readback_legacy(&kept, rows[i].unit, &set);
		assert_memory_equal(&set, &wanted, sizeof(set));
	}
}

static void every_call_of_a_legacy_set_has_its_bit(void **state)
{
	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
		struct tamis_legacy_set kept = { 0 };
		struct tamis_set set, wanted = { 0 };

		kept.unit[1][nr] = TAMIS_LEGACY_MARK(5);
		wanted.seen[nr / 64] = UINT64_C(1) << (nr % 64);
		wanted.unit[1][nr / 32] = 5ull << 32 | UINT64_C(1) << (nr % 32);
		readback_legacy(&kept, 5, &set);
		assert_memory_equal(&set, &wanted, sizeof(set));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_end_where_the_record_does),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(records_without_sense_change_nothing),
		cmocka_unit_test(names_of_processes_get_an_end),
		cmocka_unit_test(paths_are_bounded),
		cmocka_unit_test(keys_of_another_version_are_none),
		cmocka_unit_test(calls_of_deaths_are_in_range),
		cmocka_unit_test(refused_calls_are_bounded),
		cmocka_unit_test(counts_fit_a_store),
		cmocka_unit_test(a_legacy_set_reads_as_any_other),
		cmocka_unit_test(every_call_of_a_legacy_set_has_its_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
