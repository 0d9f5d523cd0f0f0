/* SPDX-License-Identifier: Apache-2.0 */
/* What podman says of a container. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "mine/target_internal.h"

static const char full[] =
	"[{\"Path\": \"/usr/bin/redis-server\", \"ImageName\": \"localhost/redis:1\", "
	"\"OCIRuntime\": \"/usr/sbin/runc\","
	"\"State\": {\"Pid\": 123, \"ExitCode\": 7},"
	"\"Config\": {\"Healthcheck\": {\"Test\": [\"CMD\", \"true\"]}, \"ExposedPorts\": "
	"{\"80/tcp\": {}}},"
	"\"NetworkSettings\": {\"IPAddress\": \"\", \"Networks\": {\"podman\": {\"IPAddress\": "
	"\"10.88.0.2\"}}}}]";

static void all_of_it(void **state)
{
	struct inspected i = { .code = 9, .host = strdup("old") };

	assert_int_equal(inspected_parse(full, strlen(full), &i), 0);
	assert_int_equal(i.pid, 123);
	assert_int_equal(i.code, 7);
	assert_string_equal(i.program, "redis-server");
	assert_string_equal(i.runtime, "runc");
	assert_string_equal(i.image, "localhost/redis:1");
	assert_string_equal(i.host, "10.88.0.2");
	assert_true(i.health && i.exposes);
	inspected_done(&i);
}

static void little_of_it(void **state)
{
	static const char text[] =
		"[{\"State\": {\"Pid\": \"1\"}, \"Config\": {}, \"Path\": 3, \"NetworkSettings\": "
		"{\"IPAddress\": \"10.0.0.1\", \"Networks\": {\"a\": {\"IPAddress\": 1}}}}]";
	struct inspected i = { 0 };

	assert_int_equal(inspected_parse(text, strlen(text), &i), 0);
	assert_int_equal(i.pid, 0);
	assert_null(i.program);
	assert_null(i.image);
	assert_string_equal(i.host, "10.0.0.1");
	assert_false(i.health || i.exposes);
	inspected_done(&i);
}

static void none_of_it(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"[{}]",
		"[1]",
		"[{\"Config\": {}}]",
		"[{\"State\": {}}]",
		"[{\"State\": {}, \"Config\": {}}, {\"State\": {}, \"Config\": {}}]",
	};
	struct inspected i = { .code = 9 };

	for (size_t n = 0; n < ARRAY_SIZE(rows); n++)
		assert_int_equal(inspected_parse(rows[n], strlen(rows[n]), &i), -EINVAL);
	for (size_t len = 0; len + 1 < sizeof(full); len++)
		assert_int_equal(inspected_parse(full, len, &i), -EINVAL);
	assert_int_equal(i.code, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(little_of_it),
		cmocka_unit_test(none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
