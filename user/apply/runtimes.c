/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/runtimes.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "identity/state.h"

static const char *const dirs[] = {
	"/usr/bin",	"/usr/sbin",	  "/usr/local/bin",    "/usr/local/sbin",
	"/usr/libexec", "/usr/lib/cri-o", "/usr/libexec/crio",
};
static const char *const names[] = { "runc", "crun", "youki" };

struct seen {
	struct stat seen[ARRAY_SIZE(dirs) * ARRAY_SIZE(names)];
	size_t cnt;
};

/* A link to one that was there is the same; what isn't root's alone is run by no engine of root's. */
static bool is_new(struct seen *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111) ||
	    st.st_mode & 022 || st.st_uid != state_uid_here(0))
		return false;
	for (size_t i = 0; i < s->cnt; i++)
		if (s->seen[i].st_dev == st.st_dev && s->seen[i].st_ino == st.st_ino)
			return false;
	s->seen[s->cnt++] = st;
	return true;
}

int runtimes_installed(int (*fn)(void *ctx, const char *path), void *ctx)
{
	struct seen s = { 0 };
	int r = 0;

	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++)
		for (size_t n = 0; n < ARRAY_SIZE(names) && r == 0; n++) {
			_free_ char *path = text_format("%s/%s", dirs[d], names[n]);

			if (!path)
				return -ENOMEM;
			if (is_new(&s, path))
				r = fn(ctx, path);
		}
	return r;
}
