/* SPDX-License-Identifier: Apache-2.0 */
/* list and show as commands: what they print of a real store, how they fail. */
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "store_fixture.h"

static char out_path[96], err_path[96];

static int make_files(void **state)
{
	int r = open_store(state);

	snprintf(out_path, sizeof(out_path), "%s/out", state_dir);
	snprintf(err_path, sizeof(err_path), "%s/err", state_dir);
	return r;
}

/* Points a descriptor at a file; returns what it was. */
static int redirect(int fd, const char *path)
{
	int old = dup(fd), file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(old >= 0 && file >= 0 && dup2(file, fd) == fd);
	close(file);
	return old;
}

static void restore(int fd, int old)
{
	assert_int_equal(dup2(old, fd), fd);
	close(old);
}

#define ARGS_MAX 8

static int run(const struct cmd *c, const char *const args[])
{
	char *argv[ARGS_MAX + 2] = { (char[]){ "cmd" } };
	int argc = 1, out, err, code;

	for (; args[argc - 1]; argc++)
		argv[argc] =
			strcmp(args[argc - 1], "DIR") ? strdup(args[argc - 1]) : strdup(state_dir);
	fflush(stdout);
	out = redirect(STDOUT_FILENO, out_path);
	err = redirect(STDERR_FILENO, err_path);
	optind = 0;
	code = c->run(argc, argv);
	fflush(stdout);
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	while (--argc > 0)
		free(argv[argc]);
	return code;
}

#define RUN(c, ...) run(&(c), (const char *const[]){ __VA_ARGS__, NULL })

static void read_text(const char *path, char **ret)
{
	assert_int_equal(file_read(path, 1 << 20, ret, NULL), 0);
}

static void fill(void)
{
	const struct policy_origin o = { .nr = 1,
					 .stage = TAMIS_WORKLOAD,
					 .abi = TAMIS_ABI_X86_64,
					 .first = NOW,
					 .pid = 42,
					 .comm = "re\ndis",
					 .exe = "/r" };
	const struct sysset exit_only = SET(1);

	IN_TRANSACTION
	{
		int64_t w = add_workload("podman/redis", "redis"), i = add_instance("i", w, NOW);

		(void)add_unit(NOW);
		(void)add_workload("podman/redis-2", "redis-2");
		(void)add_workload("cgroup/a\nb", NULL);
		add_calls(i, 1, TAMIS_SETUP, SET(165), NOW);
		add_calls(i, 1, TAMIS_WORKLOAD, SET(0, 1, 550), NOW);
		assert_stored(
			store_calls(st, i, 1, TAMIS_SESSION, TAMIS_ABI_I386, &exit_only, NOW));
		assert_stored(store_origin(st, i, &o));
	}
}

static void list_shows_every_workload(void **state)
{
	_free_ char *out = NULL;

	fill();
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	read_text(out_path, &out);
	assert_string_equal(out, "ENGINE  WORKLOAD       IMAGE  STATE             CALLS  STARTS  "
				 "FIRST                 LAST\n"
				 "podman  cgroup/a\\x0ab  -      gone, partial     0      0      "
				 " -                     -\n"
				 "podman  redis          -      running, partial  4      0       "
				 "2023-11-14 22:13:20Z  2023-11-14 22:13:20Z\n"
				 "podman  redis-2        -      gone, partial     0      0       "
				 "-                     -\n");
}

static void list_json_can_be_read(void **state)
{
	json_t *json, *workloads;

	fill();
	assert_int_equal(RUN(cmd_list, "--json", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	workloads = json_object_get(json, "workloads");
	assert_int_equal(json_integer_value(json_object_get(json, "version")), 1);
	assert_int_equal(json_array_size(workloads), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(workloads, 0), "key")),
			    "cgroup/a\nb");
	json_decref(json);
}

static void show_tells_each_call(void **state)
{
	static const char *const lines[] = {
		"workload:  redis (podman/redis)\n",
		"state:     running, 1 instance seen\n",
		"partial:   yes: no start of it was seen\n",
		"x86_64  workload  write  2023-11-14 22:13:20Z  2023",
		"  re\\x0adis  42   /r\n",
		"x86_64  workload  #550   2023",
		"x86_64  setup     mount  2023",
		"i386    session   exit   2023",
	};
	_free_ char *out = NULL;

	fill();
	assert_int_equal(RUN(cmd_show, "podman/redis", "--state", "DIR"), EXIT_OK);
	read_text(out_path, &out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_non_null(strstr(out, lines[i]));
	/* What a policy is made of comes before the setup. */
	assert_non_null(strstr(strstr(out, "workload  write"), "setup     mount"));
}

static void show_json_can_be_read(void **state)
{
	json_t *json, *calls;
	const char *abi, *stage, *name, *comm;
	json_int_t nr, first, last, pid;

	fill();
	assert_int_equal(RUN(cmd_show, "--json", "podman/redis", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	calls = json_object_get(json, "calls");
	assert_int_equal(json_array_size(calls), 5);
	assert_int_equal(json_integer_value(json_object_get(json, "call_count")), 4);
	assert_int_equal(json_unpack(json_array_get(calls, 2), "{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s}",
				     "abi", &abi, "stage", &stage, "name", &name, "nr", &nr,
				     "first", &first, "last", &last, "pid", &pid, "comm", &comm),
			 0);
	assert_string_equal(name, "write");
	assert_string_equal(comm, "re\ndis");
	assert_int_equal(pid, 42);
	assert_int_equal(first, NOW);
	assert_true(json_is_null(json_object_get(json_array_get(calls, 0), "pid")));
	json_decref(json);
}

static const struct {
	const struct cmd *c;
	const char *args[ARGS_MAX];
	int code;
	const char *error;
} failures[] = {
	{ &cmd_show, { "nosuch", "--state", "DIR" }, EXIT_FAIL, "\"nosuch\"" },
	{ &cmd_show, { "", "--state", "DIR" }, EXIT_FAIL, "\"\"" },
	{ &cmd_show, { "no\nsuch", "--state", "DIR" }, EXIT_FAIL, "no\\x0asuch" },
	{ &cmd_show, { "edis", "--state", "DIR" }, EXIT_FAIL, "podman/redis, podman/redis-2" },
	{ &cmd_show, { "x", "--state", "/nonexistent" }, EXIT_FAIL, "/nonexistent/tamis.db" },
	{ &cmd_show, { "--state", "DIR" }, EXIT_USAGE, "missing" },
	{ &cmd_show, { "x", "y", "--state", "DIR" }, EXIT_USAGE, "\"y\"" },
	{ &cmd_show, { "x", "--jsno" }, EXIT_USAGE, "\"--jsno\"" },
	{ &cmd_list, { "x" }, EXIT_USAGE, "\"x\"" },
	{ &cmd_list, { "--state" }, EXIT_USAGE, "\"--state\" needs" },
	{ &cmd_list, { "-z" }, EXIT_USAGE, "\"-z\"" },
	{ &cmd_list, { "--json=yes" }, EXIT_USAGE, "\"--json=yes\"" },
	{ &cmd_list, { "--state", "/nonexistent" }, EXIT_FAIL, "/nonexistent/tamis.db" },
	{ &cmd_check, { "x" }, EXIT_USAGE, "\"x\"" },
};

static void failures_are_one_line(void **state)
{
	fill();
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		_free_ char *out = NULL, *err = NULL;

		assert_int_equal(run(failures[i].c, failures[i].args), failures[i].code);
		read_text(out_path, &out);
		read_text(err_path, &err);
		assert_string_equal(out, "");
		assert_int_equal(strncmp(err, "tamis: ", 7), 0);
		assert_non_null(strstr(err, failures[i].error));
		assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_files, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_shows_every_workload), TEST(list_json_can_be_read),
		TEST(show_tells_each_call),	 TEST(show_json_can_be_read),
		TEST(failures_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
