/* SPDX-License-Identifier: Apache-2.0 */
/* What list and show print: hostile text tamed, columns straight, JSON keys as the man page has
 * them. */
#include "cli/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define _table_ __attribute__((cleanup(print_table_donep)))

/* What a function prints. */
static FILE *out;
static char *text;
static size_t text_len;

static int open_out(void **state)
{
	out = open_memstream(&text, &text_len);
	return out ? 0 : -1;
}

static int close_out(void **state)
{
	fclose(out);
	free(text);
	text = NULL;
	return 0;
}

static const char *printed(void)
{
	fflush(out);
	return text;
}

static void times_are_utc(void **state)
{
	static const struct {
		int64_t time;
		const char *text;
	} rows[] = {
		{ 0, "-" },
		{ -1, "-" },
		{ INT64_MAX, "-" },
		{ 1, "1970-01-01 00:00:01Z" },
		{ 1700000000, "2023-11-14 22:13:20Z" },
	};
	char buf[PRINT_TIME_MAX];

	setenv("TZ", "Asia/Tokyo", 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(print_time(rows[i].time, buf), rows[i].text);
}

static void columns_are_straight(void **state)
{
	_table_ struct print_table t = PRINT_TABLE(3);
	static const char *const cells[] = {
		"A", "BB",	    "C",   "longer", NULL,   "",
		"x", "caf\xc3\xa9", "end", "a\nb",   "\xff", "\033[2J"
	};

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		print_cell(&t, cells[i]);
	assert_int_equal(print_table_write(&t, out), 0);
	assert_string_equal(printed(), "A       BB    C\n"
				       "longer  -     -\n"
				       "x       caf\xc3\xa9  end\n"
				       "a\\x0ab  \\xff  \\x1b[2J\n");
}

static void long_cells_are_cut(void **state)
{
	_table_ struct print_table t = PRINT_TABLE(1);
	static char name[100000];

	memset(name, 'n', sizeof(name) - 1);
	print_cell(&t, name);
	print_cell_u64(&t, UINT64_MAX);
	print_cell_time(&t, 1);
	assert_int_equal(print_table_write(&t, out), 0);
	assert_true(strlen(printed()) < 300);
	assert_non_null(strstr(printed(), "nnn...\n18446744073709551615\n1970-01-01 00:00:01Z\n"));
}

static const struct {
	struct evidence e;
	const char *partial, *lost;
} evidences[] = {
	{ { .starts = 1 }, "partial:   no\n", "lost:      nothing\n" },
	{ { 0 }, "partial:   yes: no start of it was seen\n", "lost:      nothing\n" },
	{ { .starts = 1, .lost_ring = 2, .lost_range = 1 },
	  "partial:   no\n",
	  "lost:      1 calls with numbers that no table can hold\n"
	  "           2 events were dropped: some first processes are not known\n" },
	{ { .lost_full = 3, .lost_gaps = 4 },
	  "partial:   yes: no start of it was seen, calls were dropped, it ran unobserved for a "
	  "time\n",
	  "lost:      3 calls found the kernel's map full: any call may be missing\n"
	  "           4 times nobody watched while it may have run\n" },
	{ { .starts = 1, .lost_task = 5 },
	  "partial:   no\n",
	  "lost:      5 tasks whose stage was lost: calls of its setup may be listed\n" },
};

static void evidence_is_said_in_words(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(evidences); i++) {
		(void)open_out(state);
		print_evidence(&evidences[i].e, out);
		assert_non_null(strstr(printed(), evidences[i].partial));
		assert_non_null(strstr(printed(), evidences[i].lost));
		if (i + 1 < ARRAY_SIZE(evidences))
			(void)close_out(state);
	}
}

static const struct {
	const char *in, *json;
} texts[] = {
	{ NULL, "null" },
	{ "", "\"\"" },
	{ "a\"\n\\", "\"a\\\"\\n\\\\\"" },
	{ "\xc3\xa9", "\"\\u00E9\"" },
	{ "\xe2\x80\xae", "\"\\u202E\"" },
	{ "a\xff\n", "\"a\\\\xff\\\\x0a\"" }, /* no UTF-8: escaped as the columns are */
};

static void json_is_ascii(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *json = print_json_text(texts[i].in);
		_free_ char *dump = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

		assert_non_null(dump);
		assert_string_equal(dump, texts[i].json);
		json_decref(json);
	}
	assert_int_equal(print_json(json_pack("{s:o}", "k", print_json_text("\xe2\x80\xae")), out),
			 0);
	assert_string_equal(printed(), "{\n  \"k\": \"\\u202E\"\n}\n");
}

/* The man page promises these; a key that goes or is renamed is a new version. */
static void rows_keep_their_keys(void **state)
{
	struct store_row row = { .key = (char[]){ "podman/x" },
				 .engine = (char[]){ "podman" },
				 .pod = (char[]){ "" },
				 .container = (char[]){ "c0ffee" },
				 .running = true,
				 .calls = 9,
				 .replicas = 3,
				 .containers = 2,
				 .evidence = { .starts = 1,
					       .since = 5,
					       .last = 6,
					       .units = 3,
					       .lost_full = UINT64_MAX } };

	assert_int_equal(print_json(print_json_row(&row, 2), out), 0);
	assert_string_equal(printed(), "{\n"
				       "  \"key\": \"podman/x\",\n"
				       "  \"name\": null,\n"
				       "  \"engine\": \"podman\",\n"
				       "  \"image\": null,\n"
				       "  \"image_digest\": null,\n"
				       "  \"namespace\": null,\n"
				       "  \"pod\": null,\n"
				       "  \"container\": \"c0ffee\",\n"
				       "  \"state\": \"running\",\n"
				       "  \"partial\": true,\n"
				       "  \"enforceable\": true,\n"
				       "  \"why_not\": null,\n"
				       "  \"call_count\": 9,\n"
				       "  \"starts\": 1,\n"
				       "  \"instances\": 3,\n"
				       "  \"containers\": 2,\n"
				       "  \"units\": 3,\n"
				       "  \"first\": 5,\n"
				       "  \"last\": 6,\n"
				       "  \"lost\": {\n"
				       "    \"full\": 9223372036854775807,\n"
				       "    \"gaps\": 0,\n"
				       "    \"task\": 0,\n"
				       "    \"range\": 0,\n"
				       "    \"ring\": 0\n"
				       "  },\n"
				       "  \"spawns_elsewhere\": null,\n"
				       "  \"mode\": \"observe\",\n"
				       "  \"generation\": null,\n"
				       "  \"generation_state\": null,\n"
				       "  \"opted_out\": false,\n"
				       "  \"pending_count\": 2\n"
				       "}\n");
}

static void says_why_not_and_who_left(void **state)
{
	struct store_row row = { .key = (char[]){ "systemd/ssh.service" },
				 .why_not = (char[]){ "no boundary" },
				 .leave_comm = (char[]){ "ssh\nd" },
				 .leave_path = (char[]){ "/user.slice" },
				 .evidence = { .leaves = 3 } };

	assert_int_equal(print_json(print_json_row(&row, 2), out), 0);
	assert_non_null(strstr(printed(), "  \"enforceable\": false,\n"
					  "  \"why_not\": \"no boundary\",\n"));
	assert_non_null(strstr(printed(), "  \"spawns_elsewhere\": {\n"
					  "    \"processes\": 3,\n"
					  "    \"comm\": \"ssh\\nd\",\n"
					  "    \"path\": \"/user.slice\"\n"
					  "  },\n"));
}

static void modes(void **state)
{
	static const struct {
		struct store_row row;
		const char *text, *json; /* the part of it that says so */
	} rows[] = {
		{ { .mode = MODE_OBSERVE }, "observe", "\"generation_state\": null" },
		{ { .mode = MODE_SHADOW, .generation = 3, .generation_state = GENERATION_TRIAL },
		  "shadow 3",
		  "\"mode\": \"shadow\"" },
		{ { .mode = MODE_ENFORCE, .generation = 3, .generation_state = GENERATION_GOOD },
		  "enforce 3",
		  "\"mode\": \"enforce\"" },
		{ { .mode = MODE_ENFORCE, .generation = 7, .generation_state = GENERATION_TRIAL },
		  "enforce 7 trial",
		  "\"generation\": 7" },
		{ { .mode = MODE_ENFORCE,
		    .generation = UINT32_MAX,
		    .generation_state = GENERATION_FAILED },
		  "enforce 4294967295 failed",
		  "\"generation_state\": \"failed\"" },
		{ { .opted_out = true }, "observe", "\"opted_out\": true" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_row row = rows[i].row;
		char buf[PRINT_MODE_MAX];
		size_t before = strlen(printed());

		row.key = (char[]){ "k" };
		assert_string_equal(print_mode(&row, buf), rows[i].text);
		assert_int_equal(print_json(print_json_row(&row, 0), out), 0);
		assert_non_null(strstr(printed() + before, rows[i].json));
	}
}

static void lists_of_texts(void **state)
{
	char *const list[] = { "a", "b\xff" };

	assert_int_equal(print_json(print_json_texts(list, 2), out), 0);
	assert_int_equal(print_json(print_json_texts(NULL, 0), out), 0);
	assert_string_equal(printed(), "[\n  \"a\",\n  \"b\\\\xff\"\n]\n[]\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_out, close_out)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_utc),
		TEST(columns_are_straight),
		TEST(long_cells_are_cut),
		cmocka_unit_test_teardown(evidence_is_said_in_words, close_out),
		TEST(json_is_ascii),
		TEST(rows_keep_their_keys),
		TEST(says_why_not_and_who_left),
		TEST(modes),
		TEST(lists_of_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
