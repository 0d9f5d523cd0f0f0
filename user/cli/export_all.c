/* SPDX-License-Identifier: Apache-2.0 */
/* One file after the other, fsynced, would wait for the disk ten thousand times: they are staged in a
 * directory of their own, beside the others, and the file system is synced once. */
#include "cli/export_all.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

struct export_all {
	char *dir, *stage; /* stage: DIR/.tamis-XXXXXX, holding 0, 1, ... */
	char **path;	   /* what each becomes */
	size_t cnt, room;
};

int export_all_new(const char *dir, struct export_all **ret)
{
	_cleanup_(export_all_free) struct export_all *e = calloc(1, sizeof(*e));
	int r = file_mkdirs(dir, 0755);

	if (r < 0 || !e)
		return r < 0 ? r : -ENOMEM;
	e->dir = strdup(dir);
	if (!e->dir)
		return -ENOMEM;
	e->stage = text_format("%s/.tamis-XXXXXX", dir);
	if (!e->stage)
		return -ENOMEM;
	if (!mkdtemp(e->stage)) {
		r = -errno;
		free(e->stage);
		e->stage = NULL;
		return r;
	}
	*ret = TAKE_PTR(e);
	return 0;
}

static char *staged(const struct export_all *e, size_t n)
{
	return text_format("%s/%zu", e->stage, n);
}

void export_all_free(struct export_all *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->cnt; i++) {
		_free_ char *at = staged(e, i);

		if (at)
			(void)unlink(at);
		free(e->path[i]);
	}
	if (e->stage)
		(void)rmdir(e->stage);
	free(e->path);
	free(e->stage);
	free(e->dir);
	free(e);
}

/* Names that came from a store, which may be anybody's. */
static bool is_relative_name(const char *key)
{
	for (;; key++) {
		size_t len = strcspn(key, "/");

		if (len == 0 || key[0] == '.' || len > NAME_MAX - 16)
			return false;
		key += len;
		if (!*key)
			return true;
	}
}

static int add_path(struct export_all *e, const char *key, const char *suffix)
{
	char *path;

	if (e->cnt == e->room) {
		size_t room = e->room ? e->room * 2 : 64;
		char **more = reallocarray(e->path, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		e->path = more;
		e->room = room;
	}
	path = text_format("%s/%s%s", e->dir, key, suffix);
	if (!path)
		return -ENOMEM;
	e->path[e->cnt++] = path;
	return 0;
}

static int write_file(const char *path, const char *data, size_t len)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int export_all_add(struct export_all *e, const char *key, const char *suffix, const void *data,
		   size_t len)
{
	_free_ char *at = staged(e, e->cnt);
	int r = is_relative_name(key) ? 0 : -EINVAL;

	if (r == 0)
		r = at ? add_path(e, key, suffix) : -ENOMEM;
	if (r < 0)
		return r;
	r = write_file(at, data, len);
	if (r < 0) { /* half a policy gets nowhere */
		(void)unlink(at);
		free(e->path[--e->cnt]);
	}
	return r;
}

static int sync_all(const struct export_all *e)
{
	_close_ int fd = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || syncfs(fd) < 0 ? -errno : 0;
}

static int put_in_place(const struct export_all *e, size_t n)
{
	_free_ char *at = staged(e, n), *dir = strdup(e->path[n]);
	int r;

	if (!at || !dir)
		return -ENOMEM;
	*strrchr(dir, '/') = '\0';
	r = file_mkdirs(dir, 0755);
	return r < 0 ? r : rename(at, e->path[n]) < 0 ? -errno : 0;
}

int export_all_commit(struct export_all *e)
{
	int r = sync_all(e);

	for (size_t i = 0; r >= 0 && i < e->cnt; i++)
		r = put_in_place(e, i);
	return r < 0 ? r : sync_all(e);
}
