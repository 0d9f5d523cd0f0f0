/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/place.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define U "/user.slice/user-1000.slice"

/* The kinds of a path's components, one letter each: System, Plain, unIt, User, Login. */
static const char letters[] = { [PLACE_SYSTEM] = 'S',
				[PLACE_PLAIN] = 'P',
				[PLACE_UNIT] = 'I',
				[PLACE_USER] = 'U',
				[PLACE_LOGIN] = 'L' };

static const struct {
	const char *path, *kinds;
} paths[] = {
	{ "/", "" },
	{ "/a", "S" },
	{ "/a/b/c", "SPP" },
	{ "/machine.slice/x.scope/container", "SSI" },
	{ "/machine.slice/machine-a.slice/x.scope", "SSS" },
	{ "/a.slice/plain/x.scope", "SSP" },
	{ "/a/b.slice/c.scope/d", "SPPP" }, /* what lies in a plain directory is no slice */
	{ "/system.slice/a.service/b.slice/c.scope", "SSII" },
	{ U, "SL" },
	{ U "/session-1.scope/x", "SLLL" },
	{ U "/user@1000.service/app.slice/a.service/b", "SLLUUU" },
	{ U "/user@1001.service/a", "SLLL" }, /* somebody else's */
	{ U "/user@01000.service/a", "SLLL" },
	{ U "/user@1000.service.scope/a", "SLLL" },
	{ U "/x/user@1000.service/a", "SLLLL" },
	{ "/user.slice/user-1000a.slice/user@1000.service/a", "SLLL" },
	{ "/user.slice/user-99999999999.slice/user@99999999999.service/a", "SLLL" },
	{ "/user.slice/user-4294967295.slice/user@4294967295.service/a", "SLLL" },
	{ "/user.slice/user-.slice/user@.service/a", "SLLL" },
	{ "/user.slice/docker.scope/a", "SLL" },
	{ "/user.slice/user-0.slice/session-1.scope/x", "SLSI" },
	{ "/user.slice/user-0.slice/user@0.service/x", "SLSI" },
	{ "/a/user.slice/user-1000.slice/user@1000.service/x", "SPPPP" },
	{ "/system.slice/user.slice/user-1000.slice/user@1000.service/x", "SSSSI" },
};

static void knows_who_made_it(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		char kinds[16] = "";
		struct place p;
		size_t n = 0;

		assert_int_equal(place_begin(&p, paths[i].path), 0);
		while (place_next(&p)) {
			assert_int_equal(p.depth, n);
			kinds[n++] = letters[p.kind];
			if (p.kind == PLACE_USER)
				assert_int_equal(p.uid, 1000);
		}
		assert_false(place_next(&p));
		if (strcmp(kinds, paths[i].kinds) != 0)
			fail_msg("%s: %s, not %s", paths[i].path, kinds, paths[i].kinds);
	}
}

static void refuses_what_is_no_path(void **state)
{
	static const char *const bad[] = { "",	  "a",	     "//",	"/a//b", "/a/",	 "/.",
					   "/..", "/a/../b", "/a/./b/", "//a",	 "/a/.." };
	char *longest = malloc(PATH_MAX + 1);
	struct place p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(place_begin(&p, bad[i]), -EINVAL);
	assert_int_equal(place_begin(&p, "/..."), 0);
	memset(longest, 'a', PATH_MAX);
	longest[0] = '/';
	longest[PATH_MAX] = '\0';
	assert_int_equal(place_begin(&p, longest), -EINVAL);
	longest[PATH_MAX - 1] = '\0';
	assert_int_equal(place_begin(&p, longest), 0);
	free(longest);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *prefix, *suffix;
	bool is;
} ids[] = {
	{ "/x-" HEX ".scope", "x-", ".scope", true },
	{ "/" HEX, "", "", true },
	{ "/x-" HEX, "x-", ".scope", false },
	{ "/x-" HEX "0.scope", "x-", ".scope", false },
	{ "/x-" HEX ".scope", "x", ".scope", false },
	{ "/x-g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", "x-",
	  ".scope", false },
	{ "/x-0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef.scope", "x-",
	  ".scope", false },
	{ "/x-.scope", "x-", ".scope", false },
	{ "/x", "x-", ".scope", false },
};

static void knows_ids(void **state)
{
	struct place p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		const char *id;

		assert_int_equal(place_begin(&p, ids[i].path), 0);
		assert_true(place_next(&p));
		id = place_id64(&p, ids[i].prefix, ids[i].suffix);
		assert_int_equal(id != NULL, ids[i].is);
		if (id)
			assert_memory_equal(id, HEX, PLACE_ID_LEN);
	}
}

static void remembers_what_is_above(void **state)
{
	_free_ char *unit = NULL, *text = NULL;
	struct place p;

	assert_int_equal(place_begin(&p, "/system.slice/web.service/payload/x"), 0);
	while (place_next(&p) && !place_is(&p, "x"))
		;
	unit = place_unit(&p);
	text = place_text(&p);
	assert_string_equal(unit, "web.service");
	assert_string_equal(text, "x");
	assert_true(place_top_is(&p, "system.slice"));
	assert_false(place_top_is(&p, "system"));
	assert_string_equal(p.path + p.above, "/x");
}

static void goes_up(void **state)
{
	struct place p, above;

	assert_int_equal(place_begin(&p, "/a.slice/pod-b/c"), 0);
	assert_true(place_next(&p));
	assert_false(place_parent(&p, &above));
	assert_true(place_next(&p));
	assert_true(place_next(&p));
	assert_true(place_parent(&p, &above));
	assert_true(place_is(&above, "pod-b"));
	assert_int_equal(above.depth, 1);
	assert_ptr_equal(place_find(&above, "-b"), above.path + above.start + 3);
	assert_null(place_find(&above, "/c"));
	assert_null(place_find(&above, "a"));
}

static const struct {
	const char *path;
	bool is;
} users_units[] = {
	{ "/user.slice/user-7.slice/user@7.service/a", false },
	{ "/user.slice/user-7.slice/user@7.service/a.service", false }, /* it isn't inside of one */
	{ "/user.slice/user-7.slice/user@7.service/app.slice/a.service/b", true },
	{ "/user.slice/user-7.slice/user@7.service/a.scope/b/c", true },
	{ "/system.slice/a.service/b", false },
	{ "/user.slice/user-7.slice/session-1.scope/a", false },
	{ "/user.slice/user-7.slice/user@8.service/a.service/b", false },
};

static void knows_users_units(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(users_units); i++) {
		struct place p, last = { 0 };

		assert_int_equal(place_begin(&p, users_units[i].path), 0);
		while (place_next(&p))
			last = p;
		if (place_in_users_unit(&last) != users_units[i].is)
			fail_msg("%s", users_units[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_who_made_it), cmocka_unit_test(refuses_what_is_no_path),
		cmocka_unit_test(knows_ids),	     cmocka_unit_test(remembers_what_is_above),
		cmocka_unit_test(goes_up),	     cmocka_unit_test(knows_users_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
