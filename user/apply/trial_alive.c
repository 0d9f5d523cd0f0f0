/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/trial_alive.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"

/* How long after a start was noted its first process may begin. */
#define START_MS 10000

/* Engines inside go deeper, and the container's first process isn't there. */
#define DEPTH_MAX 3
#define PIDS_MAX  256
#define DIRS_MAX  64

CLEANUP_DEFINE(DIR *, closedir);

struct look {
	int64_t began_ms, now_ms;
	unsigned pids, dirs;
	bool in_time; /* a process was there that the start can have begun */
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In a group whose events can't be read nobody lives. */
static bool is_populated(int dir)
{
	_free_ char *text = NULL;

	return file_read_at(dir, "cgroup.events", 4096, &text, NULL) == 0 &&
	       strstr(text, "populated 1");
}

/* Field 22 of stat(5), behind a name that may hold anything. -1: not known. */
static int64_t process_began_ms(int pid)
{
	char path[sizeof("/proc//stat") + 3 * sizeof(int)];
	_free_ char *text = NULL;
	long long ticks = -1;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (pid <= 0 || file_read_at(AT_FDCWD, path, 8192, &text, NULL) < 0)
		return -1;
	at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%lld", &ticks) != 1)
		return -1;
	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

static void look_at_processes(int dir, struct look *l)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	int pid;

	if (!f && fd >= 0)
		close(fd);
	while (f && !l->in_time && fscanf(f, "%d", &pid) == 1) {
		int64_t began = process_began_ms(pid);

		if (++l->pids > PIDS_MAX || began < 0 ||
		    l->now_ms - began >= l->began_ms - START_MS)
			l->in_time = true;
	}
}

static void look_below(int at, const char *name, unsigned depth, struct look *l)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	look_at_processes(fd, l);
	while (depth < DEPTH_MAX && !l->in_time && l->dirs < DIRS_MAX && (e = readdir(dir))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		l->dirs++;
		look_below(fd, e->d_name, depth + 1, l);
	}
}

bool trial_alive(const char *mount, const char *path, int64_t began_ms)
{
	_close_ int top = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int dir = -1;
	struct look l = { .began_ms = began_ms, .now_ms = now_ms() };

	while (*path == '/')
		path++;
	if (top < 0 || !*path)
		return false;
	dir = openat(top, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || !is_populated(dir))
		return false;
	look_below(dir, ".", 0, &l);
	/* Nothing that could be looked at: deeper, of another pid namespace, gone meanwhile. */
	return l.in_time || l.pids == 0;
}
