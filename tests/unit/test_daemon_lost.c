/* SPDX-License-Identifier: Apache-2.0 */
/* Refused calls that found no room: when that is said, and what later daemons and commands know. */
#include "cli/daemon_lost.h"

#include "cmd_fixture.h"

/* What is said of `lost`. Caller frees. */
static char *tell(struct daemon_lost *l, uint64_t lost, time_t now)
{
	char *text = NULL;
	int err = redirect(STDERR_FILENO, err_path), r = daemon_lost_tell(l, st, lost, now);

	restore(STDERR_FILENO, err);
	assert_stored(r);
	read_text(err_path, &text);
	return text;
}

static void check(struct daemon_lost *l, uint64_t lost, time_t now, const char *said, uint64_t kept)
{
	_free_ char *text = tell(l, lost, now);
	uint64_t is = 77;

	if (said)
		assert_non_null(strstr(text, said));
	else
		assert_string_equal(text, "");
	assert_stored(daemon_lost_get(st, &is));
	assert_int_equal(is, kept);
}

static void told_when_it_grows(void **state)
{
	struct daemon_lost l = { 0 };

	check(&l, 0, NOW, NULL, 0);
	check(&l, 5, NOW + 1, "5 refused calls found no room", 5);
	check(&l, 5, NOW + 2, NULL, 5);
	/* once a minute: what comes meanwhile is told together */
	check(&l, 6, NOW + 3, NULL, 5);
	check(&l, 9, NOW + 60, NULL, 5);
	check(&l, 9, NOW + 61, "4 refused calls found no room", 9);
	/* a clock that was set back makes nobody wait */
	check(&l, 10, NOW - 1000, "1 refused calls", 10);
}

/* The maps outlive a daemon, or are made anew. */
static void a_later_daemon_goes_on(void **state)
{
	struct daemon_lost first = { 0 }, same = { 0 }, anew = { 0 };

	check(&first, 5, NOW, "5 refused calls", 5);
	check(&same, 5, NOW + 1, NULL, 5);
	check(&same, 7, NOW + 2, "2 refused calls", 7);
	check(&anew, 0, NOW + 3, NULL, 0);
	check(&anew, 1, NOW + 4, "1 refused calls", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(told_when_it_grows),
		TEST(a_later_daemon_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
