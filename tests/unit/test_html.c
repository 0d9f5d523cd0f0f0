/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static char *written;
static size_t len;

static FILE *open_page(void)
{
	FILE *f = open_memstream(&written, &len);

	assert_non_null(f);
	return f;
}

static void assert_written(FILE *f, const char *want)
{
	assert_int_equal(fclose(f), 0);
	assert_string_equal(written, want);
	free(written);
	written = NULL;
}

static const struct {
	const char *in, *out;
} texts[] = {
	{ "plain", "plain" },
	{ "", "" },
	{ NULL, "" },
	{ "</script><b a='1' c=\"2\">&amp;",
	  "&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;" },
	{ "caf\xc3\xa9 \xf0\x9f\x90\xb3", "caf\xc3\xa9 \xf0\x9f\x90\xb3" },
	{ "a\nb\x1b[31m", "a\\x0ab\\x1b[31m" },
	{ "a\xe2\x80\xae", "a\\xe2\\x80\\xae" }, /* right-to-left override */
	{ "\xc3<", "\\xc3&lt;" },		 /* what isn't UTF-8 hides no bracket */
	{ "\xe2\x80\"", "\\xe2\\x80&quot;" },
};

static void escapes_text(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		FILE *f = open_page();

		html_text(f, texts[i].in);
		assert_written(f, texts[i].out);
	}
}

static void escapes_what_fills_a_format(void **state)
{
	FILE *f = open_page();
	size_t size = 7;
	long long large = -1234567890123;

	html(f, "<p a=\"%s\">%d %u %zu %lld %.0f %.2f %f 9%%</p>", "\"<", -1, 2u, size, large, 2.6,
	     1.005, 0.5);
	assert_written(f, "<p a=\"&quot;&lt;\">-1 2 7 -1234567890123 3 1.00 0.500000 9%</p>");
	f = open_page();
	html(f, "%s", "%s%d");
	assert_written(f, "%s%d");
}

static const struct {
	double share;
	const char *out;
} shares[] = {
	{ -1, "0.0 %" },     { 0, "0.0 %" },	       { 0.5, "50.0 %" }, { 0.9639, "96.3 %" },
	{ 0.999, "99.9 %" }, { 0.99999999, "99.9 %" }, { 1, "99.9 %" },	  { 2, "99.9 %" },
};

static void is_never_all(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		FILE *f = open_page();

		html_share(f, shares[i].share);
		assert_written(f, shares[i].out);
	}
}

static const struct {
	int64_t ms;
	const char *out;
} durations[] = {
	{ 0, "0 ms" },
	{ 999, "999 ms" },
	{ 1000, "1.0 s" },
	{ 59999, "59.9 s" },
	{ 60000, "1 min 0 s" },
	{ 161400, "2 min 41 s" },
	{ 3600000, "60 min 0 s" },
};

static void says_how_long(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		FILE *f = open_page();

		html_duration(f, durations[i].ms);
		assert_written(f, durations[i].out);
	}
}

static const struct {
	double part, whole;
	const char *width;
} bars[] = {
	{ 1, 4, "width=\"25.0\"" }, { 4, 4, "width=\"100.0\"" }, { 5, 4, "width=\"100.0\"" },
	{ -1, 4, "width=\"0.0\"" }, { 1, 0, "width=\"0.0\"" },
};

static void draws_within_its_box(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
		FILE *f = open_page();

		html_bar(f, bars[i].part, bars[i].whole);
		assert_int_equal(fclose(f), 0);
		assert_non_null(strstr(written, bars[i].width));
		free(written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_text),
		cmocka_unit_test(escapes_what_fills_a_format),
		cmocka_unit_test(is_never_all),
		cmocka_unit_test(says_how_long),
		cmocka_unit_test(draws_within_its_box),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
