/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/slice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A copy without a NUL behind it: the sanitizer sees a byte too many. */
struct exact {
	char *text;
	struct slice s;
};

static struct exact exactly(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	size_t i;

	assert_non_null(copy);
	for (i = 0; i < len; i++)
		copy[i] = text[i];
	return (struct exact){ copy, { copy, len } };
}

#define DEEP_OK                                                            \
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" \
	"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static const struct {
	const char *text, *name, *value;
	int error;
} members[] = {
	{ "{\"a\":1}", "a", "1", 0 },
	{ " \n{ \"a\" : [1,{\"b\":2}] , \"b\" : \"x\" } trailing", "b", "\"x\"", 0 },
	{ "{\"a\":{\"b\":1}}", "b", NULL, -ENOENT }, /* not its own */
	{ "{\"a\":\"b\",\"c\":\"}\\\"{\",\"b\":3}", "b", "3", 0 },
	{ "{\"a\":1,\"a\":2}", "a", "2", 0 }, /* as Go reads it */
	{ "{\"aa\":1,\"a\":2}", "a", "2", 0 },
	{ "{\"a\":" DEEP_OK ",\"b\":1}", "b", "1", 0 },
	{ "{\"a\":[" DEEP_OK "],\"b\":1}", "b", NULL, -EINVAL },
	{ "{}", "a", NULL, -ENOENT },
	{ "", "a", NULL, -EINVAL },
	{ "{", "a", NULL, -EINVAL },
	{ "{\"a\"", "a", NULL, -EINVAL },
	{ "{\"a\":", "a", NULL, -EINVAL },
	{ "{\"a\":1", "a", NULL, -EINVAL },
	{ "{\"a\":\"", "a", NULL, -EINVAL },
	{ "{\"a\":\"x\\", "a", NULL, -EINVAL },
	{ "{\"a\":[1}", "a", NULL, -EINVAL },
	{ "{\"a\":[}]}", "a", NULL, -EINVAL },
	{ "{\"a\" 1}", "a", NULL, -EINVAL },
	{ "{a:1}", "a", NULL, -EINVAL },
	{ "[\"a\",1]", "a", NULL, -EINVAL },
	{ "\"a\"", "a", NULL, -EINVAL },
};

static void finds_members(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		struct exact e = exactly(members[i].text);
		struct slice got = { "untouched", 9 };

		assert_int_equal(slice_member(e.s, members[i].name, &got), members[i].error);
		if (members[i].error == 0) {
			assert_int_equal(got.len, strlen(members[i].value));
			assert_memory_equal(got.text, members[i].value, got.len);
		} else {
			assert_string_equal(got.text, "untouched");
		}
		free(e.text);
	}
}

static const struct {
	const char *text, *joined;
	int end;
} arrays[] = {
	{ "[]", "", 0 },
	{ " [ 1 , \"a,]\" , [2,3] , {\"a\":[]} ] ", "1;\"a,]\";[2,3];{\"a\":[]};", 0 },
	{ "[1,2", "1;", -EINVAL },
	{ "[1 2]", "", -EINVAL },
	{ "[1,]", "1;", 0 },
	{ "{}", "", -EINVAL },
	{ "", "", -EINVAL },
	{ "[", "", -EINVAL },
};

static void walks_over_elements(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		struct exact e = exactly(arrays[i].text);
		char joined[64] = "";
		struct slice got;
		size_t at = 0;
		int r;

		while ((r = slice_next(e.s, &at, &got)) > 0)
			snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%.*s;",
				 (int)got.len, got.text);
		assert_int_equal(r, arrays[i].end);
		assert_string_equal(joined, arrays[i].joined);
		free(e.text);
	}
}

static const struct {
	const char *text, *value;
	size_t max;
	int error;
} texts[] = {
	{ "\"plain\"", "plain", 6, 0 },
	{ "\"plain\"", NULL, 5, -EFBIG },
	{ "\"\"", "", 1, 0 },
	{ "\"a\\n\\u00e9\\\"\"", "a\n\xc3\xa9\"", 16, 0 },
	{ "\"\\u0041\\u0041\\u0041\"", "AAA", 4, 0 }, /* long only as written */
	{ "\"\xff\"", NULL, 16, -EINVAL },
	{ "\"a\\u0000b\"", NULL, 16, -EINVAL },
	{ "\"a\nb\"", NULL, 16, -EINVAL },
	{ "\"\\ud800\"", NULL, 16, -EINVAL },
	{ "1", NULL, 16, -EINVAL },
	{ "null", NULL, 16, -EINVAL },
	{ "[\"a\"]", NULL, 16, -EINVAL },
	{ "", NULL, 16, -EINVAL },
	{ "\"", NULL, 16, -EINVAL },
};

static void decodes_bounded_strings(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct exact e = exactly(texts[i].text);
		char *got = NULL;

		assert_int_equal(slice_text(e.s, texts[i].max, &got), texts[i].error);
		if (texts[i].value)
			assert_string_equal(got, texts[i].value);
		else
			assert_null(got);
		free(got);
		free(e.text);
	}
}

static void takes_nothing_for_empty(void **state)
{
	static const char *const way[] = { "a", NULL };
	const struct slice none = { 0 };
	struct slice got;
	char *text = NULL;
	size_t at = 0;

	assert_int_equal(slice_member(none, "a", &got), -EINVAL);
	assert_int_equal(slice_at(none, way, &got), -EINVAL);
	assert_int_equal(slice_next(none, &at, &got), -EINVAL);
	assert_int_equal(slice_text(none, 9, &text), -EINVAL);
}

static void goes_down_a_way(void **state)
{
	static const char *const there[] = { "a", "b", NULL },
				 *const not_there[] = { "a", "c", NULL },
				 *const too_far[] = { "a", "b", "c", NULL };
	struct exact e = exactly("{\"b\":0,\"a\":{\"b\":\"x\"}}");
	struct slice got;

	assert_int_equal(slice_at(e.s, there, &got), 0);
	assert_int_equal(got.len, 3);
	assert_int_equal(slice_at(e.s, not_there, &got), -ENOENT);
	assert_int_equal(slice_at(e.s, too_far, &got), -EINVAL);
	free(e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_members),
		cmocka_unit_test(walks_over_elements),
		cmocka_unit_test(decodes_bounded_strings),
		cmocka_unit_test(takes_nothing_for_empty),
		cmocka_unit_test(goes_down_a_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
