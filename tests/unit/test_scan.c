/* SPDX-License-Identifier: Apache-2.0 */
#include "start/scan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *text;
	bool sound;
} texts[] = {
	{ "{}", true },
	{ " [ ] ", true },
	{ "{\"a\":{\"b\":[1,-2.5e+10,0,0.1E-2,true,false,null,\"\"]},\"a\":1}", true },
	{ "\"\\u00e4\\n\\\"\\/\\ud800\"", true },
	{ "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb3\"", true },
	{ "18446744073709551616", true },
	{ "", false },
	{ "{", false },
	{ "[1,]", false },
	{ "[,1]", false },
	{ "[1 2]", false },
	{ "{\"a\"}", false },
	{ "{\"a\":}", false },
	{ "{\"a\":1,}", false },
	{ "{,\"a\":1}", false },
	{ "{a:1}", false },
	{ "{'a':1}", false },
	{ "{\"a\":1]", false },
	{ "[1}", false },
	{ "{\"a\":1}}", false },
	{ "{\"a\":1} x", false },
	{ "01", false },
	{ "1.", false },
	{ ".5", false },
	{ "+1", false },
	{ "-", false },
	{ "1e", false },
	{ "0x1", false },
	{ "tru", false },
	{ "trues", false },
	{ "NaN", false },
	{ "nul", false },
	{ "\"", false },
	{ "\"a", false },
	{ "\"\\", false },
	{ "\"\\x\"", false },
	{ "\"\\u12\"", false },
	{ "\"\\u12g4\"", false },
	{ "\"\n\"", false },
	{ "\"\x01\"", false },
	{ "\"\xff\"", false },
	{ "\"\xc0\xaf\"", false },
	{ "\"\xed\xa0\x80\"", false },
	{ "\"\xe2\x82\"", false },
	{ "\xef\xbb\xbf{}", false },
	{ "// x\n{}", false },
	{ "{}\v", false },
};

/* A copy without a NUL behind it: the sanitizer sees a byte too many. */
static char *exactly(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i];
	return copy;
}

static bool is_sound(const char *text, size_t len)
{
	_free_ char *copy = exactly(text, len);
	struct slice value = { 0 };
	struct scan c;
	int r;

	scan_begin(&c, copy, len);
	r = scan_value(&c, &value);
	if (r == 0)
		r = scan_finish(&c);
	if (r == 0) {
		assert_int_equal(c.depth, 0);
		assert_in_range(value.len, 1, len);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_non_null(c.why);
	}
	return r == 0;
}

static void test_strict(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (is_sound(texts[i].text, strlen(texts[i].text)) != texts[i].sound)
			fail_msg("%s: %s", texts[i].text, texts[i].sound ? "refused" : "taken");
	assert_false(is_sound("{\"a\0\":1}", 8));
	assert_false(is_sound("{}\0", 3));
}

/* No beginning of a text is one. */
static void test_cut(void **state)
{
	const char *text = "{\"a\":{\"b\":[1,\"x\\u00e4\\n\",true]},\"\xc3\xa4\":null}";

	for (size_t len = 0; len < strlen(text); len++)
		assert_false(is_sound(text, len));
	assert_true(is_sound(text, strlen(text)));
}

static void test_deep(void **state)
{
	char text[4 * SCAN_DEPTH];

	for (size_t depth = SCAN_DEPTH - 1; depth <= SCAN_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(is_sound(text, 2 * depth), depth <= SCAN_DEPTH);
	}
}

static const struct {
	const char *quoted, *name;
	bool same, folded;
} names[] = {
	{ "\"linux\"", "linux", true, true },
	{ "\"\\u006cinux\"", "linux", true, true },
	{ "\"\\u006c\\u0069\\u006E\\u0075\\u0078\"", "linux", true, true },
	{ "\"Linux\"", "linux", false, true },
	{ "\"l\\u0049nux\"", "linux", false, true },
	{ "\"l\xc4\xb0nux\"", "linux", false, true },
	{ "\"\xc5\xbf"
	  "eccomp\"",
	  "seccomp", false, true },
	{ "\"\\u017feccomp\"", "seccomp", false, true },
	{ "\"\xe2\x84\xaa\"", "k", false, true },
	{ "\"linu\"", "linux", false, false },
	{ "\"linuxx\"", "linux", false, false },
	{ "\"linux\\u0000\"", "linux", false, false },
	{ "\"\"", "linux", false, false },
	{ "\"\"", "", true, true },
	{ "\"\\/\\n\"", "/\n", true, true },
	{ "\"cgroupspath\"", "cgroupsPath", false, true },
};

static void test_spells(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct slice s = { names[i].quoted, strlen(names[i].quoted) };

		if (scan_spells(s, names[i].name, false) != names[i].same ||
		    scan_spells(s, names[i].name, true) != names[i].folded)
			fail_msg("%s", names[i].quoted);
	}
}

static void test_walk(void **state)
{
	const char *text = "{ \"a\" : [1, {}] , \"b\":2 }";
	struct slice key, value;
	struct scan c;

	scan_begin(&c, text, strlen(text));
	assert_int_equal(scan_peek(&c), '{');
	assert_int_equal(scan_enter(&c), 0);
	assert_int_equal(scan_key(&c, &key), 1);
	assert_true(scan_spells(key, "a", false));
	assert_int_equal(scan_enter(&c), 0);
	assert_int_equal(scan_item(&c), 1);
	assert_int_equal(scan_value(&c, &value), 0);
	assert_int_equal(value.len, 1);
	assert_int_equal(scan_item(&c), 1);
	assert_int_equal(scan_value(&c, &value), 0);
	assert_memory_equal(value.text, "{}", value.len);
	assert_int_equal(scan_item(&c), 0);
	assert_int_equal(scan_key(&c, &key), 1);
	assert_int_equal(scan_value(&c, &value), 0);
	assert_memory_equal(value.text, "2", value.len);
	assert_int_equal(scan_key(&c, &key), 0);
	assert_int_equal(scan_finish(&c), 0);
	scan_begin(&c, "1", 1);
	assert_int_equal(scan_enter(&c), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_deep),   cmocka_unit_test(test_spells),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
