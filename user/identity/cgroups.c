/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "identity/mounts.h"

/* Of fs/exportfs: the handle of a kernfs file is its 64-bit id. */
#define FILEID_KERNFS 0xfe

CLEANUP_DEFINE(DIR *, closedir);

union kernfs_handle {
	struct file_handle handle;
	char room[sizeof(struct file_handle) + sizeof(uint64_t)];
};

int cgroups_find(char **ret_mount)
{
	_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");

	return f ? mounts_cgroup2(f, ret_mount) : -errno;
}

static int stat_id(const char *file, uint64_t *ret)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	*ret = st.st_ino;
	return 0;
}

int cgroups_id(const char *mount, const char *path, uint64_t *ret)
{
	_free_ char *file = text_format("%s%s", mount, path);

	if (!file)
		return -ENOMEM;
	return *path == '/' ? stat_id(file, ret) : -EINVAL;
}

static int open_id(const char *mount, uint64_t id)
{
	_close_ int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union kernfs_handle h = { .handle = { .handle_bytes = sizeof(id),
					      .handle_type = FILEID_KERNFS } };
	int r;

	if (fd < 0)
		return -errno;
	memcpy(h.handle.f_handle, &id, sizeof(id));
	r = open_by_handle_at(fd, &h.handle, O_PATH | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int read_link(int fd, char buf[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

int cgroups_path(const char *mount, uint64_t id, char **ret)
{
	_close_ int fd = open_id(mount, id);
	size_t len = strlen(mount);
	char file[PATH_MAX];
	uint64_t found = 0;
	char *path;
	int r;

	if (fd < 0)
		return fd;
	r = read_link(fd, file);
	if (r < 0)
		return r;
	while (len > 0 && mount[len - 1] == '/')
		len--;
	if (strncmp(file, mount, len) != 0 || (file[len] != '/' && file[len] != '\0'))
		return -ENOENT;
	/* A removed directory's link reads "... (deleted)", which a name may also end in. */
	r = stat_id(file, &found);
	if (r < 0 || found != id)
		return r < 0 ? r : -ENOENT;
	path = strdup(file[len] ? file + len : "/");
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

/* Directories that are still to be read. Not recursion: a delegated tree can be as deep as
 * its owner likes. */
struct todo {
	char **paths;
	size_t cnt, room;
};

static void todo_done(struct todo *t)
{
	while (t->cnt > 0)
		free(t->paths[--t->cnt]);
	free(t->paths);
}

static int todo_push(struct todo *t, char *path)
{
	if (t->cnt == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char **more = reallocarray(t->paths, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->paths = more;
		t->room = room;
	}
	t->paths[t->cnt++] = path;
	return 0;
}

struct walk {
	const char *mount;
	int (*fn)(const char *path, uint64_t id, void *arg);
	void *arg;
	struct todo todo;
};

static int visit(struct walk *w, const char *parent, const struct dirent *e)
{
	_free_ char *path = text_format("%s/%s", parent, e->d_name);
	int r;

	if (!path)
		return -ENOMEM;
	r = w->fn(path, e->d_ino, w->arg);
	if (r != 0)
		return r;
	r = todo_push(&w->todo, path);
	if (r == 0)
		path = NULL;
	return r;
}

static int visit_children(struct walk *w, const char *path)
{
	_free_ char *file = text_format("%s%s", w->mount, path);
	_cleanup_(closedir) DIR *dir = NULL;
	const struct dirent *e;
	int r = 0;

	if (!file)
		return -ENOMEM;
	dir = opendir(file);
	/* Gone meanwhile, or deeper than a path can name. */
	if (!dir)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	while (r == 0 && (e = readdir(dir)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			r = visit(w, path, e);
	return r;
}

int cgroups_walk(const char *mount, int (*fn)(const char *path, uint64_t id, void *arg), void *arg)
{
	struct walk w = { .mount = mount, .fn = fn, .arg = arg };
	int r = visit_children(&w, "");

	while (r == 0 && w.todo.cnt > 0) {
		_free_ char *path = w.todo.paths[--w.todo.cnt];

		r = visit_children(&w, path);
	}
	todo_done(&w.todo);
	return r;
}

int cgroups_first_pid(const char *mount, const char *path, pid_t *ret)
{
	_free_ char *file = text_format("%s%s/cgroup.procs", mount, path);
	_fclose_ FILE *f = NULL;
	int pid;

	if (!file)
		return -ENOMEM;
	f = fopen(file, "re");
	if (!f)
		return -errno;
	/* A process of a pid namespace that we can't see reads as 0. */
	while (fscanf(f, "%d", &pid) == 1)
		if (pid > 0) {
			*ret = pid;
			return 0;
		}
	return -ESRCH;
}
