/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wayin.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apply/hook.h"
#include "apply/wrapper.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static char root[64];

static int enter(void **state)
{
	snprintf(root, sizeof(root), "/tmp/tamis-wayin-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int leave(void **state)
{
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *dir, const char *name, const char *text)
{
	_free_ char *at = text_format("%s%s", root, dir), *path = text_format("%s/%s", at, name);

	assert_int_equal(file_mkdirs(at, 0755), 0);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0755), 0);
}

static void assert_missing(const char *engine, bool kubelet_dir, const char *want)
{
	const char *is = wayin_missing(root, engine, kubelet_dir);

	assert_true((!is && !want) || (is && want && strncmp(is, want, strlen(want)) == 0));
}

static void nothing_is_there(void **state)
{
	assert_missing("podman", false, "tamis install podman");
	assert_missing("docker", false, "tamis install wrapper");
	assert_missing("oci", true, "tamis install wrapper");
	assert_missing("kubernetes", false, "tamis install wrapper");
	assert_missing("kubernetes", true, NULL);
	assert_missing("systemd", false, NULL);
	assert_missing(NULL, false, NULL);
}

/* Only a hook that is asked before there is a container, and only podman asks it. */
static void finds_hooks(void **state)
{
	_free_ char *dir = text_format("%s" HOOK_DIR, root);

	put("/etc/containers/oci/hooks.d", "other.json", "{\"path\":\"/x\",\"precreate\":1}");
	put("/etc/containers/oci/hooks.d", "trace.json", "tamis-start prestart");
	put("/etc/containers/oci/hooks.d", "tamis.json.bak", "tamis-start precreate");
	assert_missing("podman", false, "tamis install podman");
	assert_true(hook_put(dir, "/usr/libexec/tamis-start", "/var/lib/tamis") >= 0);
	assert_missing("podman", false, NULL);
	assert_missing("docker", false, "tamis install wrapper");
	assert_true(hook_remove(dir) >= 0);
	assert_missing("podman", false, "tamis install podman");
}

/* What was taken out of use is none. */
static void finds_wrappers(void **state)
{
	_free_ char *path = text_format("%s" WRAPPER_DIR "/tamis-runc", root), *why = NULL;
	_free_ char *start = text_format("%s/tamis-start", root);

	put("", "tamis-start", "a program");
	put(WRAPPER_DIR, "tamis-else", "#!/bin/sh");
	assert_missing("docker", false, "tamis install wrapper");
	assert_int_equal(wrapper_put(path, start, "/usr/bin/runc", "/var/lib/tamis"), 0);
	assert_missing("docker", false, NULL);
	assert_missing("podman", false, NULL);
	assert_int_equal(wrapper_disable(path, &why), 0);
	assert_missing("docker", false, "tamis install wrapper");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_there),
		TEST(finds_hooks),
		TEST(finds_wrappers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
