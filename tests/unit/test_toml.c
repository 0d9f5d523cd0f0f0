/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/toml.h"

#include "recorded.h"

static const struct {
	const char *text, *section, *name, *value;
} rows[] = {
	{ "state = \"/run/c\"", "", "state", "/run/c" },
	{ "\t state='/run/c' # why\r\n", "", "state", "/run/c" },
	{ "version = 2\nstate = \"/a\"\nstate = \"/b\"", "", "state", "/a" },
	{ "[a]\nstate = \"/a\"", "", "state", NULL },
	{ "[a]\nstate = \"/a\"", "a", "state", "/a" },
	{ " [ a ] \n state = \"/a\"", "a", "state", "/a" },
	{ "[a.b]\nstate = \"/b\"\n[a]\nstate = \"/a\"", "a", "state", "/a" },
	{ "[ab]\nstate = \"/b\"", "a", "state", NULL },
	{ "[[a]]\nstate = \"/b\"", "a", "state", NULL },
	{ "[a\nstate = \"/b\"", "a", "state", NULL },
	{ "#state = \"/a\"", "", "state", NULL },
	{ "states = \"/a\"", "", "state", NULL },
	{ "stat = \"/a\"", "", "state", NULL },
	{ "state \"/a\"", "", "state", NULL },
	{ "state = /a", "", "state", NULL },
	{ "state = \"/a", "", "state", NULL },
	{ "state = \"/a\n\"", "", "state", NULL },
	{ "state = \"/a\\u0041\"", "", "state", NULL },
	{ "state = '/a\\x'", "", "state", "/a\\x" },
	{ "state = \"\"", "", "state", "" },
	{ "state =", "", "state", NULL },
	{ "state", "", "state", NULL },
	{ "[", "a", "state", NULL },
	{ "\n\n", "", "state", NULL },
	{ "", "", "state", NULL },
};

static void finds_texts(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *value = toml_text(rows[i].text, rows[i].section, rows[i].name);

		same_text(rows[i].text, "value", value, rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_texts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
