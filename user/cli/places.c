/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/places.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "identity/cgroups.h"

int places_cgroup2(char **ret)
{
	int mode = cgroups_find(ret);

	if (mode < 0)
		return log_err_errno(mode, "can't read /proc/self/mountinfo");
	if (mode == CGROUPS_V1) {
		log_err("no cgroup v2 hierarchy is mounted (mount -t cgroup2 none DIR makes one)");
		return -ENOTSUP;
	}
	return 0;
}

int places_output(const char *path)
{
	_free_ char *dir = path ? strdup(path) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;
	struct stat st;

	if (!path)
		return 0;
	if (!dir)
		return -ENOMEM;
	if (slash)
		slash[slash == dir] = '\0';
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return log_err_errno(-EISDIR, "%s", path);
	if (access(slash ? dir : ".", W_OK) < 0)
		return log_err_errno(-errno, "%s", path);
	return 0;
}
