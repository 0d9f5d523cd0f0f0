/* SPDX-License-Identifier: Apache-2.0 */
#include "recorded.h"

static const struct whose rows[] = {
	{ "/machine.slice/systemd-nspawn@deb.service/payload", "nspawn", "nspawn/deb", "deb" },
	{ "/machine.slice/systemd-nspawn@deb.service/payload/system.slice/ssh.service", "nspawn",
	  "nspawn/deb", "deb", .inside = "/system.slice/ssh.service" },
	{ "/machine.slice/machine-my\\x2dbox.scope/payload/init.scope", "nspawn", "nspawn/my-box",
	  "my-box", .inside = "/init.scope" },
	{ "/machine.slice/machine-a\\x00b.scope/payload", "nspawn", "nspawn/a\\x00b", "a\\x00b" },
	{ "/machine.slice/machine-a\\x2.scope/payload", "nspawn", "nspawn/a\\x2", "a\\x2" },
	{ "/machine.slice/machine-\\x2e\\x2e.scope/payload", "nspawn", "nspawn/%2E%2E", ".." },
	{ "/machine.slice/systemd-nspawn@deb.service/supervisor" },
	{ "/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator" },
	{ "/machine.slice/systemd-nspawn@.service/payload" },
	{ "/machine.slice/machine-.scope/payload" },
	{ "/a/systemd-nspawn@deb.service/payload" },
	{ "/system.slice/systemd-nspawn@deb.service/payload" },
	{ USER_AT "/machine.slice/machine-deb.scope/payload" },
};

static void knows_payloads(void **state)
{
	struct recorded *r = recorded_new();

	check_all(r, NULL, rows, ARRAY_SIZE(rows));
	recorded_free(r);
}

/* A watch on all that runs finds the machine all the same, and its supervisor nobody's. */
static void comes_before_a_watch(void **state)
{
	static const char *const all[] = { "*", NULL };
	struct recorded *r = recorded_new();

	check_all(r, all, rows, 1);
	check_whose(r, all,
		    &(struct whose){ "/machine.slice/systemd-nspawn@deb.service/supervisor" });
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_payloads),
		cmocka_unit_test(comes_before_a_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
