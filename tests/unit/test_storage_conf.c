/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/storage_conf.h"

#include "recorded.h"
#include "unit/skip.h"

#define S "[storage]\n"

static const struct {
	const char *conf, *graphroot, *runroot, *driver, *rootless;
} confs[] = {
	{ S "driver = \"vfs\"\ngraphroot = \"/data/c\"\nrunroot=\"/r\"\n", "/data/c", "/r", "vfs",
	  NULL },
	{ S "rootless_storage_path = \"$HOME/c\"", NULL, NULL, NULL, "$HOME/c" },
	{ "graphroot = \"/no/section\"", NULL, NULL, NULL, NULL },
	{ "[storage.options]\ngraphroot = \"/a\"\n" S "graphroot='/b'", "/b", NULL, NULL, NULL },
	{ S "# graphroot = \"/data/c\"\n#driver = \"vfs\"", NULL, NULL, NULL, NULL },
	{ S "graphroot = \"relative\"\nrunroot=\"\"", NULL, NULL, NULL, NULL },
	{ S "driver = \"../x\"", NULL, NULL, NULL, NULL },
	{ S "driver = \"\"", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

static void reads_storage_conf(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(confs); i++) {
		_storage_conf_ struct storage_conf found = STORAGE_CONF_INIT;

		storage_conf_parse(confs[i].conf, &found);
		same_text(confs[i].conf, "graphroot", found.graphroot, confs[i].graphroot);
		same_text(confs[i].conf, "runroot", found.runroot, confs[i].runroot);
		same_text(confs[i].conf, "driver", found.driver, confs[i].driver);
		same_text(confs[i].conf, "rootless", found.rootless, confs[i].rootless);
	}
}

static const struct {
	const char *text, *path;
} expanded[] = {
	{ "$HOME/.c", "/home/u/.c" },
	{ "/big/$USER/c", "/big/u/c" },
	{ "/big/$UID", "/big/1000" },
	{ "/a/$HOMER", "/a//home/uR" },
	{ "/a/$X$", "/a/$X$" },
	{ "a", NULL },
	{ "", NULL },
	{ "$UID", NULL },
};

static void fills_in_the_user(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expanded); i++) {
		_free_ char *path = storage_conf_expand(expanded[i].text, "/home/u", USER);

		same_text(expanded[i].text, "path", path, expanded[i].path);
	}
}

static void check_found(const struct recorded *r, uid_t uid, const char *graphroot,
			const char *runroot, const char *driver)
{
	_storage_conf_ struct storage_conf found = STORAGE_CONF_INIT;

	assert_int_equal(storage_conf_find(r->dir, uid, &found), 0);
	same_text("found", "graphroot", found.graphroot, graphroot);
	same_text("found", "runroot", found.runroot, runroot);
	same_text("found", "driver", found.driver, driver);
}

#define USERS_RUN "/run/user/1000/containers"

static void asks_in_order(void **state)
{
	struct storage_conf none = STORAGE_CONF_INIT;
	struct recorded *r;

	need_root();
	r = recorded_new();
	assert_int_equal(storage_conf_find(r->dir, USER, &none), -ENOENT);
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	check_found(r, 0, "/var/lib/containers/storage", "/run/containers/storage", NULL);
	check_found(r, USER, "/home/u/.local/share/containers/storage", USERS_RUN, NULL);
	recorded_file(r, "/usr/share/containers/storage.conf", S "driver = \"btrfs\"\n");
	check_found(r, 0, "/var/lib/containers/storage", "/run/containers/storage", "btrfs");
	recorded_file(r, "/etc/containers/storage.conf",
		      S "graphroot = \"/big\"\nrunroot = \"/run/c\"\n"
			"rootless_storage_path = \"/users/$UID\"\n");
	check_found(r, 0, "/big", "/run/c", NULL);
	check_found(r, USER, "/users/1000", USERS_RUN, NULL);
	r->owner = USER;
	recorded_file(r, "/home/u/.config/containers/storage.conf", S "graphroot = \"/own\"\n");
	r->owner = 0;
	check_found(r, USER, "/own", USERS_RUN, NULL);
	check_found(r, 0, "/big", "/run/c", NULL);
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_storage_conf),
		cmocka_unit_test(fills_in_the_user),
		cmocka_unit_test(asks_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
