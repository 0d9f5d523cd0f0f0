/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define ROOT	"25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define V1	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
#define UNIFIED "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
#define PURE	"30 25 0:26 / /sys/fs/cgroup rw shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate\n"
#define PART	"50 25 0:26 /system.slice/a /mnt rw - cgroup2 cgroup2 rw\n"

static const struct {
	const char *text, *mount;
	int mode;
} rows[] = {
	{ ROOT PURE, "/sys/fs/cgroup", CGROUPS_V2 },
	{ ROOT V1 UNIFIED, "/sys/fs/cgroup/unified", CGROUPS_HYBRID },
	{ ROOT UNIFIED V1, "/sys/fs/cgroup/unified", CGROUPS_HYBRID },
	{ ROOT V1, NULL, CGROUPS_V1 },
	{ ROOT, NULL, CGROUPS_V1 },
	{ "", NULL, CGROUPS_V1 },
	{ PART PURE UNIFIED, "/sys/fs/cgroup",
	  CGROUPS_V2 }, /* a part of the tree won't do; the first */
	{ PART, NULL, CGROUPS_V1 },
	{ "1 1 0:1 / /a\\040b\\134\\012\\043 rw - cgroup2 x rw\n", "/a b\\\n#", CGROUPS_V2 },
	{ "1 1 0:1 / /a\\04 rw - cgroup2 x rw\n", "/a\\04", CGROUPS_V2 },
	{ "1 1 0:1 / /a\\999 rw - cgroup2 x rw\n", "/a\\999", CGROUPS_V2 },
	{ "1 1 0:1 / /cgroup2 rw - tmpfs cgroup2 rw\n", NULL, CGROUPS_V1 },
	{ "1 1 0:1 / - rw - cgroup2 x rw\n", "-", CGROUPS_V2 },
	{ "garbage\n\n- - - - - - -\n1 1 0:1 / /x rw -\n" PURE, "/sys/fs/cgroup", CGROUPS_V2 },
};

static void finds_the_whole_tree(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *mount = NULL;
		_fclose_ FILE *f = fmemopen((void *)rows[i].text, strlen(rows[i].text) + 1, "r");

		assert_non_null(f);
		assert_int_equal(mounts_cgroup2(f, &mount), rows[i].mode);
		if (rows[i].mount)
			assert_string_equal(mount, rows[i].mount);
		else
			assert_null(mount);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_the_whole_tree) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
