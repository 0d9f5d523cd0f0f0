/* SPDX-License-Identifier: Apache-2.0 */
/* When a service is ready: of a target that is made up. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mine/ready.h"
#include "mine/target_internal.h"

/* --- a service ------------------------------------------------------------------------------ */

static struct {
	int healthy, asked;
	const char *log;
	int status;
	uint64_t seen;
	int growing; /* asks for which it makes new calls */
} service;

static int its_log(struct target *t, char **ret)
{
	*ret = strdup(service.log ?: "");
	return 0;
}

static int its_health(struct target *t)
{
	return service.asked++ >= service.healthy;
}

static int its_status(struct target *t)
{
	return service.status;
}

static const struct target_ops ops = {
	.log = its_log,
	.healthy = its_health,
	.status = its_status,
};

static uint64_t its_calls(void *arg)
{
	if (service.growing > 0) {
		service.growing--;
		service.seen++;
	}
	return service.seen;
}

static struct target running(void)
{
	struct target t = { .ops = &ops, .running = true, .pid = fork() };

	if (t.pid == 0)
		for (;;)
			pause();
	t.pidfd = pidfd_open(t.pid, 0);
	return t;
}

static void end(struct target *t)
{
	(void)kill(t->pid, SIGKILL);
	(void)waitpid(t->pid, NULL, 0);
	close(t->pidfd);
}

static int wait_for(struct target *t, struct ready_options *o, char **ret_why)
{
	o->stop_fd = o->stop_fd ?: -1;
	o->limit_ms = o->limit_ms ?: 60000;
	return ready_wait(t, o, ret_why);
}

/* --- ways ----------------------------------------------------------------------------------- */

static void by_log(void **state)
{
	struct target t = running();
	struct ready_options o = { .log_line = "^Ready to (accept|serve)", .limit_ms = 500 };
	char *why = NULL;

	service = (typeof(service)){ .log = "begin\nNot Ready to serve\n" };
	assert_int_equal(wait_for(&t, &o, &why), -ETIMEDOUT);
	assert_string_equal(why, "it isn't ready after 0 s: no line of its log matches");
	free(why);
	service.log = "begin\nReady to serve\n";
	assert_int_equal(wait_for(&t, &o, &why), 0);
	o.log_line = "(";
	why = NULL;
	assert_int_equal(wait_for(&t, &o, &why), -EINVAL);
	assert_string_equal(why, "\"(\" is no regular expression");
	free(why);
	end(&t);
}

static void by_command(void **state)
{
	static const char *const good[] = { "true", NULL }, *const bad[] = { "false", NULL },
				 *const none[] = { "/nonexistent", NULL };
	struct target t = running();
	struct ready_options o = { .command = bad, .limit_ms = 500 };
	char *why = NULL;

	service = (typeof(service)){ 0 };
	assert_int_equal(wait_for(&t, &o, &why), -ETIMEDOUT);
	assert_non_null(strstr(why, "the command doesn't succeed"));
	free(why);
	o.command = good;
	assert_int_equal(wait_for(&t, &o, &why), 0);
	o.command = none;
	assert_int_equal(wait_for(&t, &o, &why), -ENOENT);
	assert_string_equal(why, "can't ask whether it is ready: No such file or directory");
	free(why);
	end(&t);
}

static void by_healthcheck(void **state)
{
	struct target t = running();
	struct ready_options o = { .health = true };
	char *why = NULL;

	service = (typeof(service)){ .healthy = 3 };
	assert_int_equal(wait_for(&t, &o, &why), 0);
	assert_int_equal(service.asked, 4);
	/* nothing was said, and it has one */
	service = (typeof(service)){ .healthy = 2 };
	t.facts.health = true;
	o = (struct ready_options){ 0 };
	assert_int_equal(wait_for(&t, &o, &why), 0);
	assert_int_equal(service.asked, 3);
	end(&t);
}

static void by_being_quiet(void **state)
{
	struct target t = running();
	struct ready_options o = { .seen = its_calls };
	char *why = NULL;

	service = (typeof(service)){ .growing = 5 };
	assert_int_equal(wait_for(&t, &o, &why), 0);
	assert_int_equal(service.seen, 5);
	service = (typeof(service)){ .growing = 1000000 };
	o.limit_ms = 2000;
	assert_int_equal(wait_for(&t, &o, &why), -ETIMEDOUT);
	free(why);
	/* quiet, but its image says that it has a port */
	service = (typeof(service)){ 0 };
	t.facts.exposes = true;
	why = NULL;
	assert_int_equal(wait_for(&t, &o, &why), -ETIMEDOUT);
	assert_non_null(strstr(why, "listens on no port"));
	free(why);
	end(&t);
}

static void a_port_that_nobody_has(void **state)
{
	struct target t = running();
	struct ready_options o = { .port = 1, .limit_ms = 300 };
	char *why = NULL;

	service = (typeof(service)){ 0 };
	assert_int_equal(wait_for(&t, &o, &why), -ETIMEDOUT);
	assert_non_null(strstr(why, "nobody listens on its port"));
	free(why);
	end(&t);
}

static void one_that_ends(void **state)
{
	static const struct {
		int status;
		const char *log, *why;
	} rows[] = {
		{ 3, "a\nb\nno such\nfile\n\n",
		  "it ended with status 3 before it was ready; its log ends: a|b|no such|file" },
		{ 137, "", "it ended by signal 9 before it was ready" },
		{ 1, "1\n2\n3\n4\n5\n6\n7",
		  "it ended with status 1 before it was ready; its log ends: 3|4|5|6|7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct target t = running();
		struct ready_options o = { .log_line = "never" };
		char *why = NULL;

		service = (typeof(service)){ .status = rows[i].status, .log = rows[i].log };
		(void)kill(t.pid, SIGKILL);
		assert_int_equal(wait_for(&t, &o, &why), -ECHILD);
		assert_string_equal(why, rows[i].why);
		free(why);
		end(&t);
	}
}

static void a_stop(void **state)
{
	struct target t = running();
	struct ready_options o = { .log_line = "never" };
	char *why = NULL;
	int fd[2];

	service = (typeof(service)){ 0 };
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	o.stop_fd = fd[0];
	assert_int_equal(wait_for(&t, &o, &why), -EINTR);
	assert_null(why);
	close(fd[0]);
	close(fd[1]);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_log),	  cmocka_unit_test(by_command),
		cmocka_unit_test(by_healthcheck), cmocka_unit_test(by_being_quiet),
		cmocka_unit_test(one_that_ends),  cmocka_unit_test(a_port_that_nobody_has),
		cmocka_unit_test(a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
