/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void same_as_dumps(const json_t *json, size_t flags)
{
	char *ours = json_text(json, flags), *theirs = json_dumps(json, flags);

	assert_non_null(ours);
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
}

/* All sizes around the first guess, and one far beyond. */
static void every_size_is_whole(void **state)
{
	static char text[100001];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t len = 4000; len < 4200; len++) {
		json_t *json = json_pack("{s:s%}", "key", text, len);

		same_as_dumps(json, JSON_INDENT(1) | JSON_SORT_KEYS);
		same_as_dumps(json, JSON_COMPACT);
		json_decref(json);
	}
	json_t *json = json_pack("{s:s, s:[s,i]}", "b", text, "a", "\xc3\xa9\n", 7);

	same_as_dumps(json, JSON_INDENT(4) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	json_decref(json);
}

static void nothing_is_nothing(void **state)
{
	assert_null(json_text(NULL, JSON_COMPACT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_whole),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
