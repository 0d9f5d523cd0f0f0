/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/project.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *name, *project, *service;
	bool made;
} composed[] = {
	{ "shop-web-1", "shop", "web", true },
	{ "shop_web_12", "shop", "web", true },
	{ "my-shop-my-web-1", "my-shop", "my-web", true },
	{ "shop-web-run-0a1b2c3d4e5f", "shop", "web", true },
	{ "shop-web", "shop", "web", false },
	{ "shop-web-", "shop", "web", false },
	{ "shop-web-1x", "shop", "web", false },
	{ "shop-web-run-", "shop", "web", false },
	{ "shop-web-run-A", "shop", "web", false },
	{ "shop-other-1", "shop", "web", false },
	{ "miner", "shop", "web", false }, /* an image's labels are no evidence */
	{ "-web-1", "", "web", false },
	{ "", "", "", false },
};

static const struct {
	const char *name, *service;
	bool task;
} tasks[] = {
	{ "web.1.k2xv0ovl4zjqzvcjqf1dc5ry8", "web", true },
	{ "web.q7node.k2xv0ovl4zjq", "web", true }, /* global: the node's id */
	{ "web.1", "web", false },
	{ "web.1.", "web", false },
	{ "web..x", "web", false },
	{ "web", "web", false },
	{ "other.1.k2x", "web", false },
	{ ".1.k2x", "", false },
};

static void wants_the_name_to_agree(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(composed); i++)
		if (project_made(composed[i].name, composed[i].project, composed[i].service) !=
		    composed[i].made)
			fail_msg("%s", composed[i].name);
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		if (project_is_task(tasks[i].name, tasks[i].service) != tasks[i].task)
			fail_msg("%s", tasks[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(wants_the_name_to_agree) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
