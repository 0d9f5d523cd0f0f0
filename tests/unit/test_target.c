/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "mine/target_internal.h"

static const struct {
	const char *cgroup;
	bool owned;
} units[] = {
	{ "/system.slice/nginx.service", true },
	{ "/system.slice/nginx.service/worker", true },
	{ "/system.slice/system-web.slice/nginx.service", true },
	{ "/nginx.service", true },
	/* who may name cgroups there isn't systemd */
	{ "/machine.slice/libpod-0123.scope/system.slice/nginx.service", false },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service", false },
	{ "/kubepods.slice/pod/nginx.service", false },
	{ "/system.slice/nginx.service.d", false },
	{ "/system.slice/my-nginx.service", false },
	{ "/.slice", false },
	{ "nginx.service", false },
	{ "", false },
};

static void a_unit_is_where_only_slices_are_above_it(void **state)
{
	char *words[] = { "/nginx.service", NULL };
	const struct target t = { .owned = { .word = words, .cnt = 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (target_owns(&t, units[i].cgroup) != units[i].owned)
			fail_msg("%s", units[i].cgroup);
}

static void a_container_is_wherever_its_id_is(void **state)
{
	char *words[] = { "libpod-0123", "0123", NULL };
	const struct target t = { .owned = { .word = words, .cnt = 2 } };

	assert_true(target_owns(&t, "/machine.slice/libpod-0123.scope"));
	assert_true(target_owns(&t, "/libpod_parent/libpod-0123"));
	assert_false(target_owns(&t, "/machine.slice/libpod-4567.scope"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_where_only_slices_are_above_it),
		cmocka_unit_test(a_container_is_wherever_its_id_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
