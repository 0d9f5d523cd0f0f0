/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of engines as they were seen, and those that nobody should be sure about. */
#include "start/argv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define WORDS 24

struct line {
	const char *words[WORDS]; /* after the program's name */
	struct runtime_call want;
	bool starts;
};

#define START(cmd, dir, name)                                                    \
	{                                                                        \
		.command = (cmd), .bundle = (dir), .id = (name), .certain = true \
	}

static const struct line lines[] = {
	/* conmon: podman, CRI-O */
	{ { "create", "--bundle", "/b", "--pid-file", "/p", "ID" },
	  START("create", "/b", "ID"),
	  true },
	{ { "--systemd-cgroup", "create", "--bundle", "/b", "--pid-file", "/p", "--no-pivot",
	    "ID" },
	  { .command = "create", .bundle = "/b", .id = "ID", .systemd = true, .certain = true },
	  true },
	{ { "--log-format=json", "--log=/b/oci-log", "create", "--bundle", "/b", "--pid-file", "/p",
	    "--no-new-keyring", "--console-socket", "/s", "ID" },
	  START("create", "/b", "ID"),
	  true },
	{ { "restore", "--bundle", "/b", "--pid-file", "/p", "--detach", "--image-path", "/i",
	    "--work-path", "/w", "ID" },
	  { .command = "restore", .bundle = ".", .certain = true },
	  false },
	/* containerd-shim-runc-v2, docker's too */
	{ { "--root", "/run/containerd/runc/k8s.io", "--log", "/b/log.json", "--log-format", "json",
	    "create", "--bundle", "/b", "--pid-file", "/b/init.pid", "ID" },
	  START("create", "/b", "ID"),
	  true },
	{ { "--root", "/run/docker/runtime-runc/moby", "--log", "/l", "--log-format", "json",
	    "--systemd-cgroup", "create", "--bundle", "/b", "--pid-file", "/p", "--console-socket",
	    "/s", "ID" },
	  { .command = "create", .bundle = "/b", .id = "ID", .systemd = true, .certain = true },
	  true },
	{ { "--root", "/r", "--log", "/l", "--log-format", "json", "start", "ID" },
	  { .command = "start", .bundle = ".", .certain = true },
	  false },
	{ { "--root", "/r", "exec", "--process", "/tmp/runc-process1", "--detach", "--pid-file",
	    "/p", "ID" },
	  { .command = "exec", .bundle = ".", .certain = true },
	  false },
	{ { "--root", "/r", "kill", "--all", "ID", "9" },
	  { .command = "kill", .bundle = ".", .certain = true },
	  false },
	{ { "--root", "create", "delete", "--force", "run" },
	  { .command = "delete", .bundle = ".", .certain = true },
	  false },
	/* dockerd, containerd 2, podman info */
	{ { "features" }, { .command = "features", .bundle = ".", .certain = true }, false },
	{ { "--version" }, { .bundle = "." }, false },
	{ { NULL }, { .bundle = ".", .certain = true }, false },
	/* buildkit, buildah, ctr, people */
	{ { "run", "--bundle", "/b", "--keep", "ID" }, START("run", "/b", "ID"), true },
	{ { "run", "ID" }, START("run", ".", "ID"), true },
	{ { "run", "-d", "-b", "/b", "ID" }, START("run", "/b", "ID"), true },
	{ { "run", "-b=/b", "ID" }, START("run", "/b", "ID"), true },
	{ { "run", "-b/b", "ID" }, START("run", "/b", "ID"), true },
	{ { "run", "--bundle=/b", "ID" }, START("run", "/b", "ID"), true },
	{ { "run", "--bundle=/a", "--bundle", "/b", "ID" }, START("run", "/b", "ID"), true },
	{ { "create", "--preserve-fds", "3", "--", "ID" }, START("create", ".", "ID"), true },
	{ { "create", "--pidfd-socket", "/s", "ID" }, START("create", ".", "ID"), true },
	{ { "--rootless", "true", "--criu=/usr/sbin/criu", "run", "ID" },
	  START("run", ".", "ID"),
	  true },
	{ { "--debug", "create", "-b", "", "ID" }, START("create", "", "ID"), true },
	/* crun, youki */
	{ { "run", "--config=other.json", "ID", "--detach" },
	  { .command = "run", .bundle = ".", .config = "other.json", .id = "ID", .certain = true },
	  true },
	{ { "run", "-f", "other.json", "-b", "/b", "ID" },
	  { .command = "run", .bundle = "/b", .config = "other.json", .id = "ID", .certain = true },
	  true },
	{ { "--cgroup-manager=systemd", "create", "ID" },
	  { .command = "create", .bundle = ".", .id = "ID", .systemd = true, .certain = true },
	  true },
	{ { "--cgroup-manager", "cgroupfs", "create", "ID" }, START("create", ".", "ID"), true },
	{ { "-s", "-r", "/r", "-l/l", "create", "-b", "/b", "-p", "/p", "-c", "/c", "ID" },
	  { .command = "create", .bundle = "/b", .id = "ID", .systemd = true, .certain = true },
	  true },
	{ { "--systemd-cgroup=false", "create", "ID" }, START("create", ".", "ID"), true },
	/* a value that is attached can't take the command with it */
	{ { "--platform=kvm", "create", "ID" }, START("create", ".", "ID"), true },
	/* doubtful */
	{ { "--platform", "kvm", "create", "ID" }, { .command = "kvm", .bundle = "." }, false },
	{ { "--new-flag", "create", "ID" },
	  { .command = "create", .bundle = ".", .id = "ID" },
	  false },
	{ { "create", "--new", "x", "ID" },
	  { .command = "create", .bundle = ".", .id = "x" },
	  false },
	{ { "create", "--bund", "/b", "ID" },
	  { .command = "create", .bundle = ".", .id = "/b" },
	  false },
	{ { "run", "-bundle", "/b", "ID" },
	  { .command = "run", .bundle = ".", .id = "/b" },
	  false },
	{ { "run", "-bundle=/b", "ID" }, { .command = "run", .bundle = ".", .id = "ID" }, false },
	{ { "run", "-db", "/b", "ID" }, { .command = "run", .bundle = ".", .id = "/b" }, false },
	{ { "run", "ID", "more" }, { .command = "run", .bundle = ".", .id = "ID" }, false },
	{ { "run", "" }, { .command = "run", .bundle = ".", .id = "" }, false },
	{ { "run" }, { .command = "run", .bundle = ".", .certain = true }, false },
	{ { "run", "ID", "--bundle" }, { .command = "run", .bundle = ".", .id = "ID" }, false },
	{ { "create", "--pid-file" }, { .command = "create", .bundle = "." }, false },
	{ { "--root" }, { .bundle = "." }, false },
	{ { "-", "x" }, { .command = "-", .bundle = ".", .certain = true }, false },
	{ { "--", "run", "ID" }, START("run", ".", "ID"), true },
};

static void same(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void reads_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char *argv[WORDS + 1] = { (char[]){ "runtime" } };
		struct runtime_call call;
		int argc = 1;

		for (; lines[i].words[argc - 1]; argc++)
			argv[argc] = (char *)lines[i].words[argc - 1];
		runtime_call_read(argc, argv, &call);
		print_message("%zu: %s\n", i, argc > 1 ? argv[1] : "");
		same(call.command, lines[i].want.command);
		same(call.bundle, lines[i].want.bundle);
		same(call.config, lines[i].want.config);
		same(call.id, lines[i].want.id);
		assert_int_equal(call.systemd, lines[i].want.systemd);
		assert_int_equal(call.certain, lines[i].want.certain);
		assert_int_equal(runtime_call_starts(&call), lines[i].starts);
	}
}

/* No program's name at all: execve allows that. */
static void survives_nothing(void **state)
{
	char *argv[] = { NULL };
	struct runtime_call call;

	runtime_call_read(0, argv, &call);
	assert_null(call.command);
	assert_false(runtime_call_starts(&call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(survives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
