/* SPDX-License-Identifier: Apache-2.0 */
#include "recorded.h"

static void record(struct recorded *r)
{
	recorded_file(r, "/var/lib/lxc/web/config", "lxc.uts.name = web\n");
	recorded_file(r, "/var/lib/lxc/db-2/config", "lxc.uts.name = db-2\n");
	recorded_file(r, "/var/lib/lxc/db/config", "lxc.uts.name = db\n");
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
	{ "/lxc.monitor.web" },
	{ "/lxc.payload." },
	{ "/give/lxc.payload.web" },
	{ "/system.slice/a.service/lxc.payload.web" },
	{ "/user.slice/user-1000.slice/lxc.payload.web" },
};

static void knows_payloads(void **state)
{
	static const char *const all[] = { "*", NULL };

	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
	check_whose(*state, all, &(struct whose){ "/lxc.monitor.web" });
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(knows_payloads) };

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
