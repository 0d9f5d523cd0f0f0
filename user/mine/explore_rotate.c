/* SPDX-License-Identifier: Apache-2.0 */
/* What a log rotation does from outside: the logs that a container holds open get other names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/explore_internal.h"

#define LOGS_MAX 64

struct log {
	char *path; /* in the container */
	dev_t dev;
	ino_t ino;
};

struct logs {
	struct log log[LOGS_MAX];
	size_t cnt;
};

static void logs_done(struct logs *l)
{
	while (l->cnt)
		free(l->log[--l->cnt].path);
}

/* Written to at its end, or by name. */
static bool is_log(int64_t pid, const char *fd, const char *path)
{
	_free_ char *info = text_format("/proc/%lld/fdinfo/%s", (long long)pid, fd), *text = NULL;
	const char *line;
	unsigned long flags;

	if (!info || file_read_at(AT_FDCWD, info, 4096, &text, NULL) < 0)
		return false;
	line = strstr(text, "flags:\t");
	flags = line ? strtoul(line + 7, NULL, 8) : 0;
	if ((flags & O_ACCMODE) == O_RDONLY)
		return false;
	return strstr(path, ".log") || (flags & O_APPEND && strstr(path, "/log"));
}

static void add_log(struct logs *l, int64_t pid, int dir, const char *fd)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t len = readlinkat(dir, fd, path, sizeof(path) - 1);

	if (len <= 1 || path[0] != '/' || l->cnt == LOGS_MAX)
		return;
	path[len] = '\0';
	if (fstatat(dir, fd, &st, 0) < 0 || !S_ISREG(st.st_mode) || !is_log(pid, fd, path))
		return;
	for (size_t i = 0; i < l->cnt; i++)
		if (l->log[i].dev == st.st_dev && l->log[i].ino == st.st_ino)
			return;
	l->log[l->cnt] = (struct log){ strdup(path), st.st_dev, st.st_ino };
	l->cnt += l->log[l->cnt].path != NULL;
}

static void add_logs(struct logs *l, int64_t pid)
{
	_free_ char *path = text_format("/proc/%lld/fd", (long long)pid);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			add_log(l, pid, dirfd(dir), d->d_name);
	if (dir)
		closedir(dir);
}

static bool same_mount(int a, int b)
{
	struct statx x = { 0 }, y = { 0 };

	return statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	       statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) == 0 &&
	       x.stx_mask & y.stx_mask & STATX_MNT_ID && x.stx_mnt_id == y.stx_mnt_id;
}

/* Names in a container are its own: resolved below its root, and not on what is mounted into it, which
 * may be the host's. */
static void rename_log(int root, const struct log *log)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT };
	const char *base = strrchr(log->path, '/') + 1;
	_free_ char *parent = strndup(log->path, (size_t)(base - log->path));
	_free_ char *old = text_format("%s.1", base);
	_close_ int dir = -1;
	struct stat st;

	if (!parent || !old)
		return;
	dir = (int)syscall(SYS_openat2, root, parent, &how, sizeof(how));
	if (dir < 0 || !same_mount(root, dir) || fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_dev != log->dev || st.st_ino != log->ino)
		return;
	(void)renameat2(dir, base, dir, old, 0);
}

int explore_rotate(struct explore_run *r)
{
	__attribute__((cleanup(logs_done))) struct logs logs = { 0 };
	_free_ char *path = text_format("/proc/%lld/root", (long long)r->facts.pid);
	_close_ int root = -1;
	struct explore_procs all;

	if (!r->facts.id) /* a unit's logs are the host's */
		return 0;
	root = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root < 0)
		return explore_fail(r, "its files can't be reached: %s", strerror(errno));
	explore_procs(r->facts.pid, &all);
	for (size_t i = 0; i < all.cnt; i++)
		add_logs(&logs, all.pid[i]);
	for (size_t i = 0; i < logs.cnt; i++)
		rename_log(root, &logs.log[i]);
	return 0;
}
