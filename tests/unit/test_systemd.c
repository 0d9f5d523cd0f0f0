/* SPDX-License-Identifier: Apache-2.0 */
/* Watched units; what carries containers is none. */
#include "recorded.h"
#include "unit/skip.h"

static void record(struct recorded *r)
{
	recorded_file(r, "/run/systemd/generator/quadlet.service",
		      "ExecStart=/usr/bin/podman run x\n");
	recorded_bundle(r, "/var/lib/containers/storage/overlay-containers/" A_ID "/userdata",
			"/system.slice/quadlet.service/libpod-payload-" A_ID, "/bin/sh", "");
	recorded_file(r, "/var/lib/containers/storage/overlay-containers/containers.json",
		      "[{\"id\":\"" A_ID "\",\"names\":[\"web\"]}]");
	recorded_file(r, "/etc/systemd/system/shared@.service",
		      "ExecStart=podman run --cgroups=disabled x\n");
	recorded_file(r, "/usr/lib/systemd/system/sshd.socket", "Accept=yes\n");
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const char *const all[] = { "*", NULL };
static const char *const some[] = { "/system.slice/ssh.service", "/*/app.slice/*", NULL };

#define UNIT(name) "systemd", "systemd/" name, name

static const struct whose watching_all[] = {
	{ "/system.slice/ssh.service", UNIT("ssh.service") },
	{ "/system.slice/ssh.service/a/b.service", UNIT("ssh.service"), .inside = "/a/b.service" },
	{ "/system.slice/system-foo.slice/foo@x.service", UNIT("foo@x.service") },
	{ "/system.slice/dev-a\\x2db.service", UNIT("dev-a\\x2db.service") },
	{ "/init.scope", UNIT("init.scope"), .refused = true },
	{ "/system.slice/run-u12.service", UNIT("run-u12.service"), .refused = true },
	{ "/system.slice/run-r0123456789abcdef.service", UNIT("run-r0123456789abcdef.service"),
	  .refused = true },
	{ "/system.slice/system-shared.slice/shared@a.service", UNIT("shared@a.service"),
	  .refused = true },
	{ "/system.slice/runner.service", UNIT("runner.service") },
	{ USER_AT "/app.slice/mine.service", "systemd", "systemd/~1000/mine.service",
	  "mine.service" },
	{ "/system.slice/system-sshd.slice/sshd@3-10.0.0.1:22-10.0.0.2:5040.service",
	  UNIT("sshd@.service") },
	{ "/system.slice/system-other.slice/other@3-1-2.service", UNIT("other@3-1-2.service") },
	/* A user's unit may have been given to somebody: what is in it is its own. */
	{ USER_AT "/app.slice/mine.service/forged.service", "systemd", "systemd/~1000/mine.service",
	  "mine.service", .inside = "/forged.service" },
	/* Forged in a unit that may be delegated: that unit's. */
	{ "/system.slice/ssh.service/docker-" B_ID ".scope", UNIT("ssh.service"),
	  .inside = "/docker-" B_ID ".scope", .inner = "docker/bbbb0002bbbb" },
	{ "/system.slice/ssh.service/libpod-payload-" A_ID, UNIT("ssh.service"),
	  .inside = "/libpod-payload-" A_ID, .inner = "podman/aaaa0001aaaa" },
	{ "/system.slice/quadlet.service/libpod-payload-" A_ID, "podman", "podman/web", "web" },
	{ "/machine.slice/libpod-conmon-" B_ID ".scope" },
	{ "/system.slice" },
	/* A plain directory: what is in it is called as anybody likes. */
	{ "/plain/ssh.service", "cgroup", "cgroup/plain", "/plain", .inside = "/ssh.service" },
	{ "/user.slice/user-1000.slice/session-3.scope", "cgroup",
	  "cgroup/user.slice/user-1000.slice/session-3.scope",
	  "/user.slice/user-1000.slice/session-3.scope", .refused = true },
};

static const struct whose watching_some[] = {
	{ "/system.slice/ssh.service/x", UNIT("ssh.service"), .inside = "/x" },
	{ "/system.slice/other.service" },
	{ USER_AT "/app.slice/mine.service", "systemd", "systemd/~1000/mine.service",
	  "mine.service" },
	{ USER_AT "/init.scope" },
	{ USER_AT "/background.slice/given.service/app.slice/mine.service", "cgroup",
	  "cgroup/user.slice/user-1000.slice/user@1000.service/background.slice/given.service/"
	  "app.slice/mine.service",
	  USER_AT "/background.slice/given.service/app.slice/mine.service" },
	{ "/system.slice/quadlet.service/supervisor" },
	{ "/user.slice/user-1000.slice/session-3.scope" },
};

static void knows_watched_units(void **state)
{
	if (!*state)
		skip_because("needs root");
	check_all(*state, all, watching_all, ARRAY_SIZE(watching_all));
	check_all(*state, some, watching_some, ARRAY_SIZE(watching_some));
}

/* The supervisor of a quadlet is watched by "*" as a plain cgroup would be; not so its unit. */
static void carriers_are_no_workloads(void **state)
{
	static const char *const only[] = { "/system.slice/*.service", NULL };
	static const struct whose rows[] = {
		{ "/system.slice/quadlet.service" },
		{ "/system.slice/quadlet.service/supervisor" },
		{ "/system.slice/docker.service" },
		{ "/system.slice/containerd.service/x" },
	};

	if (!*state)
		skip_because("needs root");
	check_all(*state, only, rows, ARRAY_SIZE(rows));
	check_all(*state, all, rows, ARRAY_SIZE(rows));
}

static void nothing_without_a_watch(void **state)
{
	size_t i;

	if (!*state)
		skip_because("needs root");
	for (i = 0; i < ARRAY_SIZE(watching_all); i++)
		if (strcmp(watching_all[i].key ? watching_all[i].key : "", "podman/web") != 0)
			check_whose(*state, NULL, &(struct whose){ watching_all[i].path });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_watched_units),
		cmocka_unit_test(carriers_are_no_workloads),
		cmocka_unit_test(nothing_without_a_watch),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
