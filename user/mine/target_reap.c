/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What podman forgot: one that is ended between its runtime's start and the line in its database takes
 * the container for one that was never started, and removes what it knows of it. The processes stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "mine/target_internal.h"

struct reaped {
	const char *mount, *name;
	int r;
};

#define TRIES	 100
#define PAUSE_US 20000

/* Its processes take a moment to be gone; whoever else removes it is welcome. */
static int remove_empty(const char *dir)
{
	for (int i = 0; rmdir(dir) < 0; i++) {
		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY || i == TRIES)
			return -errno;
		usleep(PAUSE_US);
	}
	return 0;
}

/* Linux 5.14: cgroup.kill ends all that is in the cgroup, and below it. */
static int end_all(const char *mount, const char *path)
{
	_free_ char *dir = text_format("%s%s", mount, path);
	_free_ char *file = text_format("%s%s/cgroup.kill", mount, path);
	_close_ int fd = dir && file ? open(file, O_WRONLY | O_CLOEXEC) : -1;

	if (!dir || !file)
		return -ENOMEM;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return write(fd, "1", 1) < 0 ? -errno : remove_empty(dir);
}

static int look(const char *path, uint64_t id, void *arg)
{
	struct reaped *w = arg;
	const char *last = strrchr(path, '/');

	if (last && strncmp(last + 1, w->name, strlen(w->name)) == 0)
		w->r = end_all(w->mount, path);
	return 0;
}

int podman_reap(const char *id)
{
	_free_ char *mount = NULL, *name = text_format("libpod-%s", id);
	struct reaped w = { .name = name };
	int r = name ? cgroups_find(&mount) : -ENOMEM;

	if (r < 0 || !mount)
		return r < 0 ? r : 0;
	w.mount = mount;
	r = cgroups_walk(mount, look, &w);
	return r < 0 ? r : w.r;
}
