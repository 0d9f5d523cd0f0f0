/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	bool made;
} rows[] = {
	{ "happy_curie", true },
	{ "admiring_agnesi", true }, /* the first of both lists */
	{ "zen_zhukovsky", true },   /* the last */
	{ "xenodochial_visvesvaraya", true },
	{ "happy_curie3", true },
	{ "happy_curie34", false },
	{ "happy_curie3a", false },
	{ "happy-curie", false },
	{ "curie_happy", false },
	{ "web_curie", false },
	{ "happy_web", false },
	{ "happ_curie", false },
	{ "happyy_curie", false },
	{ "happy_curi", false },
	{ "Happy_curie", false },
	{ "happy_", false },
	{ "_curie", false },
	{ "_", false },
	{ "", false },
	{ "redis", false },
	{ "adjective_surname", false },
	{ "happy_curie_1", false },
	{ "happy_curie\n", false },
	{ "myapp_web_1", false },
};

static void tells_made_up_names(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (names_is_made(rows[i].name) != rows[i].made)
			fail_msg("%s", rows[i].name);
}

static void tells_infra_containers(void **state)
{
	assert_true(names_is_infra("0123456789ab-infra"));
	assert_true(names_is_infra("0123456789ab-service"));
	assert_false(names_is_infra("0123456789ab-servant"));
	assert_false(names_is_infra("0123456789a-infra"));
	assert_false(names_is_infra("0123456789abc-infra"));
	assert_false(names_is_infra("my-infra"));
	assert_false(names_is_infra("0123456789ab-infra2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_made_up_names),
		cmocka_unit_test(tells_infra_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
