/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
	uid_t uid;
	const char *parts[4];
	const char *key;
} rows[] = {
	{ 0, { "redis" }, "e/redis" },
	{ 1000, { "redis" }, "e/~1000/redis" },
	{ 0, { "ns", "web", "app" }, "e/ns/web/app" },
	{ 0, { "~1000", "redis" }, "e/%7E1000/redis" }, /* not the user's */
	{ 0, { "a~b" }, "e/a~b" },
	{ 0, { "id:0123456789ab" }, "e/%69d:0123456789ab" }, /* nor an id */
	{ 0, { "a/b" }, "e/a%2Fb" },
	{ 0, { "..", "." }, "e/%2E%2E/%2E" },
	{ 0, { "...", ".a" }, "e/.../.a" },
	{ 0, { "", "a" }, "e/%/a" },
	{ 0, { "a%2Fb#c" }, "e/a%252Fb%23c" },
	{ 0, { "a\nb\x1b[31m \xff" }, "e/a%0Ab%1B%5B31m%20%FF" },
	{ 0, { "dev-disk\\x2da.service" }, "e/dev-disk\\x2da.service" },
	{ 0, { "foo@a:b+c=d,e.service" }, "e/foo@a:b+c=d,e.service" },
};

static void joins_safe_parts(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *key = NULL;

		assert_int_equal(key_parts("e", rows[i].uid, rows[i].parts, &key), 0);
		assert_string_equal(key, rows[i].key);
	}
}

static void has_other_forms(void **state)
{
	_free_ char *image = NULL, *mine = NULL, *hostile = NULL, *id = NULL, *short_id = NULL,
		    *path = NULL;

	assert_int_equal(key_image("e", 0, "docker.io/library/redis:7", "redis-server", &image), 0);
	assert_string_equal(image, "e/docker.io/library/redis:7#redis-server");
	assert_int_equal(key_image("e", 7, "redis@sha256:ab", "a/b", &mine), 0);
	assert_string_equal(mine, "e/~7/redis@sha256:ab#a%2Fb");
	assert_int_equal(key_image("e", 0, "../..//~7/x#y", NULL, &hostile), 0);
	assert_string_equal(hostile, "e/%2E%2E/%2E%2E/%/%7E7/x%23y#");
	assert_int_equal(key_id("e", 0, "0123456789abcdef", &id), 0);
	assert_string_equal(id, "e/id:0123456789ab");
	assert_int_equal(key_id("e", 0, "x", &short_id), 0);
	assert_string_equal(short_id, "e/id:x");
	assert_int_equal(key_path("cgroup", "/a b/c/d", strlen("/a b/c"), &path), 0);
	assert_string_equal(path, "cgroup/a%20b/c");
}

static void stays_short(void **state)
{
	_free_ char *long_a = malloc(5000), *long_b = malloc(5000), *a = NULL, *b = NULL,
		    *fits = NULL;
	const char *const parts_a[] = { long_a, NULL }, *const parts_b[] = { long_b, NULL };

	memset(long_a, 'x', 4999);
	long_a[4999] = '\0';
	memcpy(long_b, long_a, 5000);
	long_b[4998] = 'y';
	assert_int_equal(key_parts("e", 0, parts_a, &a), 0);
	assert_int_equal(key_parts("e", 0, parts_b, &b), 0);
	assert_int_equal(strlen(a), KEY_MAX - 2);
	assert_string_not_equal(a, b); /* what was cut still counts */
	long_a[KEY_MAX - 1 - 2] = '\0';
	assert_int_equal(key_parts("e", 0, parts_a, &fits), 0);
	assert_int_equal(strlen(fits), KEY_MAX - 1);
	assert_null(strchr(fits, '%'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_safe_parts),
		cmocka_unit_test(has_other_forms),
		cmocka_unit_test(stays_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
