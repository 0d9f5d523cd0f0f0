/* SPDX-License-Identifier: Apache-2.0 */
/* What TAP says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mine/test.h"

struct row {
	const char *out;
	bool found;
	struct tap is;
	const char *first;
};

static const struct row rows[] = {
	{ "", false },
	{ "hello\nok\n", false },
	{ "ok so far\nnot ok, but anyway\n", false },
	{ "okay 1\n1..\n1.. 3\n", false },
	{ "1..2\nok 1\nok 2 - two\n", true, { 2, 2, 0, true, false } },
	{ "ok 1\nok 2\n1..2\n", true, { 2, 2, 0, true, false } },
	{ "TAP version 14\n1..2\nok\nok\n", true, { 2, 2, 0, true, false } },
	{ "1..3\r\nok 1\r\nnot ok 2 - two\r\nnot ok 3\r\n",
	  true,
	  { 3, 1, 2, true, false },
	  "not ok 2 - two" },
	{ "not ok 1 # TODO later\nok 2 # SKIP\n1..2\n", true, { 2, 2, 0, true, false } },
	{ "not ok 1 - x #todo\n", true, { 0, 1, 0, false, false } },
	{ "not ok 1 - has \\# todo in it\n",
	  true,
	  { 0, 0, 1, false, false },
	  "not ok 1 - has \\# todo in it" },
	{ "not ok 1 - a # comment", true, { 0, 0, 1, false, false }, "not ok 1 - a # comment" },
	{ "1..2\nok 1\nBail out! no disk\n", true, { 2, 1, 0, true, true } },
	{ "1..1\n    1..2\n    ok 1\n    not ok 2\nok 1 - parent\n",
	  true,
	  { 1, 1, 0, true, false } },
	{ "1..0 # SKIP none of it\n", true, { 0, 0, 0, true, false } },
	{ "1..99999999999999999999\n", false },
	{ "1..2 or so\n", false },
};

static void what_tap_says(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct tap tap = { 0 };
		bool found = tap_read(r->out, strlen(r->out), &tap);

		if (found != r->found)
			fail_msg("row %zu: found %d", i, found);
		if (!found)
			continue;
		if (tap.planned != r->is.planned || tap.ok != r->is.ok ||
		    tap.failed != r->is.failed || tap.has_plan != r->is.has_plan ||
		    tap.bailed != r->is.bailed)
			fail_msg("row %zu: %u planned, %u ok, %u failed", i, tap.planned, tap.ok,
				 tap.failed);
		assert_int_equal(tap.first_failed != NULL, r->first != NULL);
		if (r->first) {
			assert_int_equal(tap.first_len, strlen(r->first));
			assert_memory_equal(tap.first_failed, r->first, tap.first_len);
		}
	}
}

/* Every prefix, and with a NUL inside: nothing is read that isn't there. */
static void bounded(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].out);

		for (size_t part = 0; part <= len; part++) {
			char *copy = malloc(part + 1);
			struct tap tap;

			memcpy(copy, rows[i].out, part);
			if (part > 3)
				copy[3] = '\0';
			(void)tap_read(copy, part, &tap);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tap_says),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
