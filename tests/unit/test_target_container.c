/* SPDX-License-Identifier: Apache-2.0 */
/* Which container may have a twin, by a podman that is made up: it prints a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/target.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[] = "/tmp/tamis-test-twin.XXXXXX";

static void put(const char *name, const char *text)
{
	assert_int_equal(file_write_atomic(name, text, strlen(text), 0755), 0);
}

static int setup(void **state)
{
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	put("podman", "#!/bin/sh\ncat \"${0%/*}/inspect\"\n");
	return 0;
}

static int teardown(void **state)
{
	(void)unlink("podman");
	(void)unlink("inspect");
	return chdir("/") + rmdir(dir) == 0 ? 0 : -1;
}

/* What inspect says of a container that is there; NULL: its twin may run beside it. */
static const struct {
	const char *running, *mounts, *option, *why;
} originals[] = {
	{ "true", "", "-d", NULL },
	{ "true", "{\"Type\": \"bind\", \"Destination\": \"/etc/x\", \"RW\": false}", "-d", NULL },
	{ "true", "{\"Type\": \"volume\", \"Name\": \"" ID "\", \"RW\": true}", "-d", NULL },
	{ "true",
	  "{\"Type\": \"volume\", \"Name\": \"" ID "\", \"RW\": true, \"Destination\": \"/d\"}",
	  "--volumes-from=a", "it runs, and its twin would write to the same /d: stop it first" },
	{ "true",
	  "{\"Type\": \"volume\", \"Name\": \"data\", \"RW\": true, \"Destination\": \"/d\"}", "-d",
	  "it runs, and its twin would write to the same /d: stop it first" },
	{ "true", "{\"RW\": false}, {\"Type\": \"bind\", \"RW\": true, \"Destination\": \"/v\"}",
	  "-d", "it runs, and its twin would write to the same /v: stop it first" },
	{ "false", "{\"Type\": \"bind\", \"RW\": true, \"Destination\": \"/v\"}", "-d", NULL },
};

static void no_twin_beside_who_writes(void **state)
{
	_free_ char *program = text_format("%s/podman", dir);
	const char *const podman[] = { program, "--global", NULL };
	const struct target_options o = {
		.kind = TARGET_CONTAINER,
		.name = "db",
		.podman = podman,
		.stop_fd = -1,
		.limit_ms = 60000,
	};

	for (size_t i = 0; i < ARRAY_SIZE(originals); i++) {
		_free_ char *why = NULL, *says = NULL;
		struct target *t = NULL;

		says = text_format(
			"[{\"State\": {\"Running\": %s}, \"Mounts\": [%s], \"Config\": "
			"{\"CreateCommand\": [\"podman\", \"run\", \"%s\", \"image\"]}}]",
			originals[i].running, originals[i].mounts, originals[i].option);
		put("inspect", says);
		assert_int_equal(target_new(&o, &t, &why), originals[i].why ? -EBUSY : 0);
		assert_string_equal(why ? why : "", originals[i].why ?: "");
		target_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_twin_beside_who_writes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
