/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of explorations against a service that echoes, delays, floods and hangs up. */
#include <signal.h>

#include "base/text.h"

#include "explore_fixture.h"
#include "less.h"

static struct service service;

static void flood(int fd)
{
	char block[65536];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 160; i++)
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
			return;
	(void)send(fd, "flooded\n", 8, MSG_NOSIGNAL);
}

static void obey(int fd)
{
	_fclose_ FILE *in = fdopen(dup(fd), "r");
	char line[65536];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (!strcmp(line, "bye\n"))
			return;
		if (!strcmp(line, "flood\n"))
			flood(fd);
		else if (!strcmp(line, "nul\n"))
			(void)send(fd, "a\0b\n", 4, MSG_NOSIGNAL);
		else if (strcmp(line, "silence\n") != 0)
			(void)send(fd, line, strlen(line), MSG_NOSIGNAL);
	}
}

#define HEAD "for: tcp\nwithin 60s\n"

static const struct {
	const char *steps, *why; /* NULL: passes */
} rows[] = {
	{ "send \"one\\n\" expect \"one\"\n", NULL },
	{ "send \"one\\n\"\nsend \"two\\n\"\nexpect \"one\"\nexpect \"two\"\n", NULL },
	{ "send \"one\\n\" expect \"two\" or \"one\"\n", NULL },
	{ "send \"nul\\n\" expect \"\\0b\\n\"\n", NULL },
	{ "send \"one\\ntwo\\n\" expect \"one\"\nexpect \"\\n\"\nexpect \"two\\n\"\nclose\n",
	  NULL },
	{ "send \"bye\\n\" expect closed\n", NULL },
	{ "send \"one\\n\" expect any\n", NULL },
	{ "send \"x\" times 1000000\nreset\nsend \"one\\n\" expect \"one\"\n", NULL },
	{ "send \"flood\\n\" expect \"flooded\"\n", NULL },
	{ "send \"a\\n\" expect \"a\"\non 2\nsend \"b\\n\"\non 1\nsend \"c\\n\" expect \"c\"\non "
	  "2\n"
	  "expect \"b\"\n",
	  NULL },
	{ "send \"a\"\nshutdown\nexpect \"a\"\nexpect closed\n", NULL },
	{ "slow \"a\\n\" clients 3 over 50ms\n", NULL },
	{ "connect 4\nclose\nconnect\nreset\nclose\n", NULL },
	{ "maybe send \"bye\\n\" expect \"x\"\nsend \"one\\n\" expect \"one\"\n", NULL },
	{ "maybe expect any\nconnect\n", NULL },
	/* A connection that a maybe left is gone: what it had to say is not taken for an answer. */
	{ "within 1s\nmaybe send \"late\\n\" expect \"never\"\nwithin 60s\nsend \"now\\n\"\nexpect "
	  "\"now\"\n",
	  NULL },
	{ "send \"bye\\n\" expect \"one\"\n", "x:3: no answer: it closed; expected \"one\"" },
	{ "send \"one\\nbye\\n\" expect \"t\\two\" or \"three\"\n",
	  "x:3: answered \"one\\x0a\", expected \"t\\x09wo\"" },
	{ "send \"bye\\n\" expect any\n", "x:3: no answer: it closed" },
	{ "expect any\n", "x:3: there is no connection" },
	{ "within 200ms\nsend \"silence\\n\" expect any\n", "x:4: no answer: nothing in time" },
	{ "within 200ms\nsend \"one\\n\" expect closed\n", "x:4: it did not close the connection" },
};

static void talk(const char *steps, const char *want)
{
	_free_ char *text = text_format(HEAD "%s", steps), *why = NULL;
	_explorations_ struct explorations e;

	target_is(service.port);
	explorations_of(text, &e);
	assert_int_equal(chosen(&e), 1);
	why = run_one(&e);
	same_text(steps, "why", why, want);
}

static void talks(void **state)
{
	service_start(&service, obey);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		talk(rows[i].steps, rows[i].why);
	service_stop(&service);
}

/* More than buffers hold. */
static void both_ends_send_at_once(void **state)
{
	_free_ char *steps = text_format("send \"flood\\n\"\n"
					 "send \"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\\n\" times %u\n"
					 "expect \"\\ny\"\n",
					 less(250000));

	service_start(&service, obey);
	talk(steps, NULL);
	service_stop(&service);
}

/* Nobody listens there any more. */
static void says_who_does_not_answer(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL, *want = NULL;

	service_start(&service, obey);
	service_stop(&service);
	target_is(service.port);
	explorations_of(HEAD "connect\n", &e);
	assert_int_equal(chosen(&e), 1);
	why = run_one(&e);
	want = text_format("x:3: no connection to port %u: Connection refused", service.port);
	assert_string_equal(why, want);
}

static void exits_as_the_first_time(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL;

	target_is(0);
	explorations_of("for: any\nexec false\nmaybe exec expect 0 true\n", &e);
	target.exec_status = 7;
	assert_null(run_one(&e));
	assert_null(run_one(&e));
	assert_string_equal(target.asked, "exec false\nexec true\nexec false\nexec true\n");
	target.exec_status = 0;
	why = run_one(&e);
	assert_string_equal(why, "x:2: false: 0, was 7 the first time");
}

/* Where the service listens is told to what runs inside. */
static void tells_the_port(void **state)
{
	_explorations_ struct explorations e;

	target_is(81);
	explorations_of("for: port 81\nexec $PORT\nexec \"a$PORT,$PORT $POR\"\n", &e);
	assert_int_equal(chosen(&e), 1);
	assert_null(run_one(&e));
	assert_string_equal(target.asked, "exec 81\nexec a81,81 $POR\n");
}

static void wants_the_status_said(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL;

	target_is(0);
	explorations_of("for: any\nexec expect 1..2 false\n", &e);
	target.exec_status = 2;
	assert_null(run_one(&e));
	target.exec_status = 3;
	why = run_one(&e);
	assert_string_equal(why, "x:2: false: 3, expected 1..2");
}

static void nobody(int signal)
{
}

static void signals_what_is_caught(void **state)
{
	_explorations_ struct explorations e;
	char want[64];

	signal(SIGUSR1, nobody);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	target_is(0);
	explorations_of(
		"for: any\nsignal USR1 if caught\nsignal USR2 if caught\nsignal HUP if caught\n"
		"signal QUIT\n",
		&e);
	assert_null(run_one(&e));
	snprintf(want, sizeof(want), "signal %d\nsignal %d\n", SIGUSR1, SIGQUIT);
	assert_string_equal(target.asked, want);
}

static void ends_and_starts(void **state)
{
	_explorations_ struct explorations e, dead;
	_free_ char *why = NULL;

	target_is(0);
	explorations_of("for: any\nlast\nrestart if ended\nwait up\nrestart if ended\n", &e);
	target.ended = 1;
	assert_null(run_one(&e));
	assert_string_equal(target.asked, "restart \n");
	explorations_of("for: any\npause 1ms\n", &dead);
	target.ended = 1;
	why = run_one(&dead);
	assert_string_equal(why, "x:2: the service ended, exit status 3");
}

/* Its time, and a stop that is asked, end it within a step. */
static void ends_when_told(void **state)
{
	_explorations_ struct explorations e;
	struct mine_outcome out = { 0 };
	int pipes[2];

	service_start(&service, obey);
	target_is(service.port);
	explorations_of(HEAD "send \"silence\\n\" expect any\n", &e);
	assert_int_equal(chosen(&e), 1);
	assert_int_equal(exploration_run(e.list[0], &target, 300, -1, &out), 0);
	assert_int_equal(out.outcome, MATRIX_HUNG);
	assert_string_equal(out.why, "x:3: its time is over");
	free(out.why);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(exploration_run(e.list[0], &target, 60000, pipes[0], &out), -EINTR);
	close(pipes[0]);
	close(pipes[1]);
	service_stop(&service);
}

/* Services are told from one another by what runs and where it listens. */
static const struct {
	const char *head;
	bool is_for;
} matches[] = {
	{ "for: any", true },
	{ "for: tcp", true },
	{ "for: port 1-65535", true },
	{ "for: port 1", false },
	{ "for: program entrypoint", true },
	{ "for: program test_explore_r*", true },
	{ "for: program redis-server", false },
	{ "for: image *tamis-test", true },
	{ "for: image other", false },
	{ "for: http", false },
	{ "for: program redis-server, port 1\nfor: tcp", true },
	{ "for: any\nin: container", true },
	{ "for: any\nnot: program entry*", false },
	{ "for: any\nnot: image *tamis*", false },
	{ "for: tcp\nnot: port 1-65535", false },
};

static void knows_its_services(void **state)
{
	service_start(&service, obey);
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		_free_ char *text = text_format("%s\nconnect\n", matches[i].head);
		_explorations_ struct explorations e;

		target_is(service.port);
		explorations_of(text, &e);
		if (chosen(&e) != matches[i].is_for)
			fail_msg("%s: not as it should be", matches[i].head);
		target.facts.id = NULL;
		if (strstr(text, "in: container"))
			assert_int_equal(chosen(&e), 0);
	}
	service_stop(&service);
}

/* What ends the service comes after the rest, and says so. */
static void leaves_the_end_to_the_end(void **state)
{
	_explorations_ struct explorations all = { 0 };
	_mine_tests_ struct mine_tests tests = { 0 };
	_free_ char *why = NULL;
	bool last = false;

	target_is(0);
	assert_int_equal(explorations_load(NULL, &all, &why), 0);
	assert_int_equal(explorations_for(&all, &target.facts, &tests), 0);
	assert_true(tests.cnt >= 4);
	for (size_t i = 0; i < tests.cnt; i++) {
		const struct exploration *e = tests.test[i].explore;

		assert_true(!last || e->last);
		last = e->last;
		assert_memory_equal(tests.test[i].name, "explore/", 8);
		assert_int_equal(tests.test[i].restarts,
				 !strcmp(e->name, "restart") || !strcmp(e->name, "signals") ||
					 !strcmp(e->name, "logs") || !strncmp(e->name, "stop-", 5));
	}
	assert_true(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks),
		cmocka_unit_test(both_ends_send_at_once),
		cmocka_unit_test(says_who_does_not_answer),
		cmocka_unit_test(exits_as_the_first_time),
		cmocka_unit_test(tells_the_port),
		cmocka_unit_test(wants_the_status_said),
		cmocka_unit_test(signals_what_is_caught),
		cmocka_unit_test(ends_and_starts),
		cmocka_unit_test(ends_when_told),
		cmocka_unit_test(knows_its_services),
		cmocka_unit_test(leaves_the_end_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
