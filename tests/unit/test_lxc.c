/* SPDX-License-Identifier: Apache-2.0 */
#include "recorded.h"

static void record(struct recorded *r)
{
	recorded_file(r, "/var/lib/lxc/web/config", "lxc.uts.name = web\n");
	recorded_file(r, "/var/lib/lxc/db-2/config", "lxc.uts.name = db-2\n");
	recorded_file(r, "/var/lib/lxc/db/config", "lxc.uts.name = db\n");
	recorded_file(r, "/var/lib/lxc/100/config", "lxc.cgroup.relative = 0\n");
	recorded_file(r, "/var/lib/lxc/own/config", "lxc.cgroup.dir = /farm/a\n");
	recorded_file(r, "/var/lib/lxc/split/config",
		      "lxc.cgroup.dir.monitor = farm/m\nlxc.cgroup.dir.container=farm/c\n");
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = USER;
	recorded_file(r, "/home/u/.local/share/lxc/mine/config", "lxc.uts.name = mine\n");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const struct whose rows[] = {
	{ "/lxc.payload.web", "lxc", "lxc/web", "web" },
	{ "/lxc.payload.web/system.slice/ssh.service", "lxc", "lxc/web", "web",
	  .inside = "/system.slice/ssh.service" },
	{ "/lxc.payload.web-1", "lxc", "lxc/web", "web" },
	{ "/lxc.payload.db-2", "lxc", "lxc/db-2", "db-2" }, /* its own name */
	{ "/lxc.payload.new-1", "lxc", "lxc/new-1", "new-1" },
	{ "/lxc.payload.-1", "lxc", "lxc/-1", "-1" },
	{ "/lxc.payload.a b", "lxc", "lxc/a%20b", "a b" },
	{ "/lxc/lxc.payload.web", "lxc", "lxc/web", "web" },
	{ "/machine.slice/lxc.payload.web", "lxc", "lxc/web", "web" },
	{ USER_AT "/lxc.payload.web", "lxc", "lxc/~1000/web", "web" },
	{ USER_AT "/lxc.payload.web-1", "lxc", "lxc/~1000/web-1", "web-1" },
	/* A user's scope is delegated to the user's own LXC. */
	{ USER_AT "/app.slice/run-r1.scope/lxc.payload.mine", "lxc", "lxc/~1000/mine", "mine" },
	{ USER_AT "/app.slice/run-r1.scope/lxc.payload.mine-2", "lxc", "lxc/~1000/mine", "mine" },
	{ USER_AT "/app.slice/run-r1.scope/lxc.payload.web" },
	/* Older shapes, and where a container's file has it. */
	{ "/lxc/web", "lxc", "lxc/web", "web" },
	{ "/lxc/100/ns/init.scope", "lxc", "lxc/100", "100", .inside = "/ns/init.scope" },
	{ "/lxc/web/payload", "lxc", "lxc/web", "web", .inside = "/payload" },
	{ "/farm/a/lxc.payload.own", "lxc", "lxc/own", "own" },
	{ "/farm/a/lxc.payload.own-1", "lxc", "lxc/own", "own" },
	{ "/lxc/web/monitor" },
	{ "/lxc.monitor/web" },
	{ "/lxc/none" },
	{ "/farm/b/lxc.payload.own" },
	{ "/farm/a/lxc.payload.web" },
	{ "/farm/c/lxc.payload.own" },
	{ "/farm/c/lxc.payload.split" },
	{ "/lxc.monitor.web" },
	{ "/lxc.payload." },
	{ "/give/lxc.payload.web" },
	{ "/system.slice/a.service/lxc.payload.web" },
	{ "/user.slice/user-1000.slice/lxc.payload.web" },
};

static const char *const monitors[] = { "/lxc.monitor.web", "/lxc.monitor/web", "/lxc/web/monitor",
					"/lxc/lxc.monitor.web", "/lxc.pivot" };

static void knows_payloads(void **state)
{
	static const char *const all[] = { "*", NULL };

	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
	check_nobodys(recorded_need(state), all, monitors, ARRAY_SIZE(monitors));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(knows_payloads) };

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
