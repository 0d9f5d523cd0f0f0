/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *in, *out;
	size_t max;
} escapes[] = {
	{ "plain", "plain", SIZE_MAX },
	{ "", "", SIZE_MAX },
	{ "a\nb\tc\r\033[31m\x7f", "a\\x0ab\\x09c\\x0d\\x1b[31m\\x7f", SIZE_MAX },
	{ "back\\slash", "back\\x5cslash", SIZE_MAX },
	{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3",
	  SIZE_MAX },
	{ "\xff\xfe\x80", "\\xff\\xfe\\x80", SIZE_MAX },
	{ "\xc3", "\\xc3", SIZE_MAX },
	{ "\xc3(", "\\xc3(", SIZE_MAX },
	{ "\xc0\xaf", "\\xc0\\xaf", SIZE_MAX },			  /* overlong '/' */
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", SIZE_MAX },	  /* overlong, three bytes */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", SIZE_MAX },	  /* surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", SIZE_MAX }, /* above U+10FFFF */
	{ "\xc2\x85", "\\xc2\\x85", SIZE_MAX },			  /* C1: next line */
	{ "a\xe2\x80\xae"
	  "b",
	  "a\\xe2\\x80\\xae"
	  "b",
	  SIZE_MAX }, /* right-to-left override */
	{ "a\xe2\x80\xa8"
	  "b",
	  "a\\xe2\\x80\\xa8"
	  "b",
	  SIZE_MAX },					   /* line separator */
	{ "a\xef\xbb\xbf", "a\\xef\\xbb\\xbf", SIZE_MAX }, /* byte order mark */
	{ "abcdef", "abc...", 3 },
	{ "abc", "abc", 4 },
	{ "ab\xc3\xa9", "ab\\xc3...", 3 }, /* a character that the limit cuts */
};

static void leaves_what_was_escaped(void **state)
{
	_free_ char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	text_escape_again(f, "a\\x1b\x1b\\", SIZE_MAX);
	text_escape_again(f, "1234", 3);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(out, "a\\x1b\\x1b\\123...");
}

static void escapes_what_a_terminal_would_obey(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		_free_ char *out = text_escaped(escapes[i].in, escapes[i].max);

		assert_non_null(out);
		assert_string_equal(out, escapes[i].out);
	}
}

static void reads_no_further_than_told(void **state)
{
	/* Not NUL-terminated: the sanitizer sees a byte too many. */
	char *four = malloc(4);
	_free_ char *out = NULL;

	assert_non_null(four);
	memcpy(four, "\xf0\x9f\x90\xb3", 4);
	assert_int_equal(text_char(four, 4), 4);
	assert_int_equal(text_char(four, 3), 0);
	assert_int_equal(text_char(four, 0), 0);
	out = text_escaped(four, 4);
	assert_string_equal(out, "\xf0\x9f\x90\xb3...");
	free(four);
}

static void sequences_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t c;
	} rows[] = {
		{ "a", 1, 'a' },
		{ "\x01", 1, 1 },
		{ "\xc3\xa4", 2, 0xe4 },
		{ "\xe2\x80\xae", 3, 0x202e }, /* well-formed, if not for showing */
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xc0\xaf", 0, 7 },
		{ "\xed\xa0\x80", 0, 7 },
		{ "\xc3", 0, 7 },
		{ "", 0, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t c = 7;

		assert_int_equal(text_utf8(rows[i].text, strlen(rows[i].text), &c), rows[i].n);
		assert_int_equal(c, rows[i].c);
	}
}

static void every_byte_pair_comes_out_printable(void **state)
{
	for (unsigned i = 0x100; i < 0x10000; i++) {
		char in[3] = { (char)(i >> 8), (char)i, 0 };
		_free_ char *out = text_escaped(in, SIZE_MAX);

		assert_non_null(out);
		for (const char *p = out; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static const struct {
	const char *in;
	uint64_t max, value;
	int r;
} numbers[] = {
	{ "0", 10, 0, 0 },
	{ "10", 10, 10, 0 },
	{ "007", 10, 7, 0 },
	{ "11", 10, 0, -ERANGE },
	{ "18446744073709551615", UINT64_MAX, UINT64_MAX, 0 },
	{ "18446744073709551616", UINT64_MAX, 0, -ERANGE },
	{ "99999999999999999999999", UINT64_MAX, 0, -ERANGE },
	{ "", 10, 0, -EINVAL },
	{ "-1", 10, 0, -EINVAL },
	{ "+1", 10, 0, -EINVAL },
	{ " 1", 10, 0, -EINVAL },
	{ "1 ", 10, 0, -EINVAL },
	{ "1x", 10, 0, -EINVAL },
	{ "0x1", 10, 0, -EINVAL },
};

static void numbers_are_whole_strings(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value = 4711;

		assert_int_equal(text_u64(numbers[i].in, numbers[i].max, &value), numbers[i].r);
		assert_int_equal(value, numbers[i].r ? 4711 : numbers[i].value);
	}
}

static void formats(void **state)
{
	_free_ char *text = text_format("%s/%d", "a", 7);

	assert_string_equal(text, "a/7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_what_a_terminal_would_obey),
		cmocka_unit_test(leaves_what_was_escaped),
		cmocka_unit_test(reads_no_further_than_told),
		cmocka_unit_test(sequences_are_read),
		cmocka_unit_test(every_byte_pair_comes_out_printable),
		cmocka_unit_test(numbers_are_whole_strings),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
