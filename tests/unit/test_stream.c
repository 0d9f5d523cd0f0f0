/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fails_at; /* 0: never */

static void *fake_realloc(void *p, size_t size)
{
	return fails_at && --fails_at == 0 ? NULL : realloc(p, size);
}

#define realloc fake_realloc
#include "base/stream.c"
#undef realloc

static void fill(FILE *f, int lines)
{
	for (int i = 0; i < lines; i++)
		fprintf(f, "line %04d\n", i);
}

static void test_holds_what_is_written(void **state)
{
	_free_ char *text = NULL;
	size_t len = 1;
	FILE *f = stream_open(&text, &len);

	(void)state;
	assert_non_null(f);
	fputs("before", f);
	fputc('\0', f);
	assert_int_equal(ftell(f), 7);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(len, 7);
	assert_string_equal(text, "before");
	fill(f, 5000);
	assert_int_equal(ftell(f), 7 + 5000 * 10);
	assert_int_not_equal(fseek(f, 0, SEEK_SET), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(len, 7 + 5000 * 10);
	assert_memory_equal(text + len - 10, "line 4999\n", 11);
}

static void test_nothing_is_a_text(void **state)
{
	_free_ char *text = NULL;
	size_t len = 1;
	FILE *f = stream_open(&text, &len);

	(void)state;
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
}

/* The first growth, one in the middle, the last: later ones succeed, and it fails all the same. */
static void test_a_lost_byte_is_a_failure(void **state)
{
	(void)state;
	for (int n = 1; n <= 8; n++) {
		char *text = NULL;
		size_t len = 0;
		FILE *f = stream_open(&text, &len);

		assert_non_null(f);
		fails_at = n;
		fill(f, 2000);
		assert_int_equal(fflush(f), fails_at ? 0 : EOF);
		fill(f, 2000);
		if (fails_at) {
			/* It didn't grow so often. */
			assert_int_equal(fclose(f), 0);
			assert_true(n > 3);
			free(text);
		} else {
			assert_int_equal(fclose(f), EOF);
			assert_null(text);
			assert_int_equal(len, 0);
		}
		fails_at = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_what_is_written),
		cmocka_unit_test(test_nothing_is_a_text),
		cmocka_unit_test(test_a_lost_byte_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
