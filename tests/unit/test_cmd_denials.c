/* SPDX-License-Identifier: Apache-2.0 */
/* denials on a real store: the table, JSON, and what comes while it is followed. */
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd_fixture.h"
#include "policy/denials.h"

static int64_t web;

static void deny(struct store_denial d)
{
	IN_TRANSACTION
	assert_stored(store_denial_add(st, &d, NULL));
}

#define DENY(w, ...) deny((struct store_denial){ .workload = (w), ##__VA_ARGS__ })

/* One of each kind, the last one first. */
static void fill(void)
{
	int64_t db;

	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		db = add_workload("podman/d\033b", "db");
	}
	DENY(web, .kind = DENIAL_ERRNO, .abi = TAMIS_ABI_X86_64, .nr = 111, .generation = 3,
	     .pid = 12, .comm = "httpd\n", .exe = "/usr/bin/httpd", .count = 5, .first = NOW + 10,
	     .last = NOW + 50);
	DENY(web, .kind = DENIAL_SIGSYS, .abi = TAMIS_ABI_I386, .nr = TAMIS_CALLS, .count = 1,
	     .first = NOW + 20, .last = NOW + 20);
	DENY(db, .kind = DENIAL_ASKED, .abi = TAMIS_ABI_I386, .nr = 20, .comm = "mysqld",
	     .count = 2, .first = NOW, .last = NOW + 30);
	DENY(web, .kind = DENIAL_DENIED, .abi = TAMIS_ABI_X86_64, .nr = 500, .count = 1,
	     .first = NOW, .last = NOW + 40);
	DENY(web, .kind = DENIAL_REJECTED, .abi = TAMIS_ABI_X86_64, .nr = 101, .count = 1,
	     .first = NOW, .last = NOW + 60);
}

static void the_table_has_them_all(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_denials, "--state", "DIR"), EXIT_OK);
	check_said("WORKLOAD       CALL     ABI     HOW       PROCESS         COUNT  "
		   "FIRST                 LAST                  GENERATION\n"
		   "podman/web     -        -       sigsys    -               1      "
		   "2023-11-14 22:13:40Z  2023-11-14 22:13:40Z  -\n"
		   "podman/d\\x1bb  getpid   i386    asked     mysqld          2      "
		   "2023-11-14 22:13:20Z  2023-11-14 22:13:50Z  -\n"
		   "podman/web     #500     x86_64  denied    -               1      "
		   "2023-11-14 22:13:20Z  2023-11-14 22:14:00Z  -\n"
		   "podman/web     getpgrp  x86_64  errno     httpd\\x0a (12)  5      "
		   "2023-11-14 22:13:30Z  2023-11-14 22:14:10Z  3\n"
		   "podman/web     ptrace   x86_64  rejected  -               1      "
		   "2023-11-14 22:13:20Z  2023-11-14 22:14:20Z  -\n");
}

static void one_workloads_alone(void **state)
{
	_free_ char *text = NULL;

	fill();
	assert_int_equal(RUN(cmd_denials, "db", "--state", "DIR"), EXIT_OK);
	text = printed_text();
	assert_non_null(strstr(text, "mysqld"));
	assert_null(strstr(text, "podman/web"));
}

static void none_is_a_heading(void **state)
{
	assert_int_equal(RUN(cmd_denials, "--state", "DIR"), EXIT_OK);
	check_said("WORKLOAD  CALL  ABI  HOW  PROCESS  COUNT  FIRST  LAST  GENERATION\n");
}

static void json_has_what_is_known(void **state)
{
	_free_ char *text = NULL;
	json_t *top, *one;

	fill();
	assert_int_equal(RUN(cmd_denials, "--json", "--state", "DIR"), EXIT_OK);
	text = printed_text();
	top = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(top, "version")), 1);
	assert_int_equal(json_array_size(json_object_get(top, "denials")), 5);
	one = json_array_get(json_object_get(top, "denials"), 3);
	assert_string_equal(json_string_value(json_object_get(one, "key")), "podman/web");
	assert_string_equal(json_string_value(json_object_get(one, "name")), "getpgrp");
	assert_string_equal(json_string_value(json_object_get(one, "how")), "errno");
	assert_string_equal(json_string_value(json_object_get(one, "abi")), "x86_64");
	assert_string_equal(json_string_value(json_object_get(one, "comm")), "httpd\n");
	assert_string_equal(json_string_value(json_object_get(one, "exe")), "/usr/bin/httpd");
	assert_int_equal(json_integer_value(json_object_get(one, "nr")), 111);
	assert_int_equal(json_integer_value(json_object_get(one, "count")), 5);
	assert_int_equal(json_integer_value(json_object_get(one, "first")), NOW + 10);
	assert_int_equal(json_integer_value(json_object_get(one, "last")), NOW + 50);
	assert_int_equal(json_integer_value(json_object_get(one, "generation")), 3);
	assert_int_equal(json_integer_value(json_object_get(one, "pid")), 12);
	one = json_array_get(json_object_get(top, "denials"), 0);
	assert_true(json_is_null(json_object_get(one, "name")));
	assert_true(json_is_null(json_object_get(one, "abi")));
	assert_true(json_is_null(json_object_get(one, "nr")));
	assert_true(json_is_null(json_object_get(one, "generation")));
	assert_true(json_is_null(json_object_get(one, "comm")));
	json_decref(top);
}

/* The kernel's map was full: nobody knows whose they were. */
static void what_found_no_room_is_said(void **state)
{
	_free_ char *text = NULL, *err = NULL;
	json_t *top;

	fill();
	IN_TRANSACTION
	assert_stored(store_meta_set(st, "denials-lost", "42"));
	assert_int_equal(RUN(cmd_denials, "web", "--state", "DIR"), EXIT_OK);
	read_text(err_path, &err);
	assert_non_null(strstr(err, "42 more refused calls"));
	assert_int_equal(RUN(cmd_denials, "--json", "--state", "DIR"), EXIT_OK);
	text = printed_text();
	top = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(top, "lost")), 42);
	json_decref(top);
}

/* --- following ---------------------------------------------------------------------------- */

static pid_t begin_following(const char *flag)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)RUN(cmd_denials, "--follow", "--state", "DIR", flag);
		_exit(1);
	}
	return pid;
}

static void end_following(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

/* Until what is printed has it. */
static void wait_for(const char *part)
{
	for (int i = 0; i < 600; i++) {
		_free_ char *text = NULL;

		if (file_read(out_path, 1 << 20, &text, NULL) == 0 && strstr(text, part))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	fail_msg("\"%s\" never came", part);
}

static size_t count_lines(void)
{
	_free_ char *text = printed_text();
	size_t cnt = 0;

	for (const char *s = text; (s = strchr(s, '\n')); s++)
		cnt++;
	return cnt;
}

static void what_comes_is_told(void **state)
{
	pid_t pid;

	fill();
	pid = begin_following("-f");
	wait_for("ptrace");
	assert_int_equal(count_lines(), 6);
	DENY(web, .kind = DENIAL_ERRNO, .nr = 111, .generation = 4, .pid = 13, .comm = "sh\t",
	     .exe = "/bin/sh", .count = 2, .first = NOW + 70, .last = NOW + 70);
	wait_for("2023-11-14 22:14:30Z podman/web: errno x86_64 getpgrp to sh\\x09 (13) of /bin/sh,"
		 " 2 more, 7 in all, generation 4\n");
	DENY(web, .kind = DENIAL_SIGSYS, .nr = 240, .count = 1, .first = NOW, .last = NOW + 80);
	wait_for("2023-11-14 22:14:40Z podman/web: sigsys x86_64 mq_open to ?\n");
	/* what is no denial is no news */
	IN_TRANSACTION(void) add_workload("podman/new", "new");
	DENY(web, .kind = DENIAL_ERRNO, .nr = 112, .count = 3, .first = NOW, .last = NOW + 90);
	wait_for("setsid to ?, 3 times\n");
	assert_int_equal(count_lines(), 9);
	end_following(pid);
}

static void scripts_get_a_line_each(void **state)
{
	_free_ char *text = NULL;
	char *line, *save = NULL;
	pid_t pid;

	fill();
	pid = begin_following("--json");
	wait_for("rejected");
	DENY(web, .kind = DENIAL_ERRNO, .nr = 111, .count = 2, .last = NOW + 70);
	wait_for("\"count\":7");
	end_following(pid);
	assert_int_equal(count_lines(), 6);
	text = printed_text();
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *one = json_loads(line, 0, NULL);

		assert_non_null(json_object_get(one, "how"));
		json_decref(one);
	}
}

static void what_cannot_be_done_is_said(void **state)
{
	static const struct failure failures[] = {
		{ &cmd_denials, { "none", "--state", "DIR" }, EXIT_FAIL, "unknown workload" },
		{ &cmd_denials, { "a", "b", "--state", "DIR" }, EXIT_USAGE, "\"b\"" },
		{ &cmd_denials, { "--never", "--state", "DIR" }, EXIT_USAGE, "--never" },
		{ &cmd_denials, { "--state", "/nonexistent" }, EXIT_FAIL, "/nonexistent" },
	};

	check_failures(failures, ARRAY_SIZE(failures));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_has_them_all),	  TEST(one_workloads_alone),
		TEST(none_is_a_heading),	  TEST(json_has_what_is_known),
		TEST(what_found_no_room_is_said), TEST(what_comes_is_told),
		TEST(scripts_get_a_line_each),	  TEST(what_cannot_be_done_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
