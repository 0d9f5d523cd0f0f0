/* SPDX-License-Identifier: Apache-2.0 */
#include "start/trace_request.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANNOTATION_MAX (2 * PATH_MAX + 16)

void trace_request_done(struct trace_request *t)
{
	free(t->output);
	free(t->input);
	*t = (struct trace_request){ 0 };
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int parse_part(char *part, struct trace_request *t, const char **ret_why)
{
	bool out = strncmp(part, "of:", 3) == 0;
	char **field = out ? &t->output : &t->input;

	if (!out && strncmp(part, "if:", 3) != 0)
		return *ret_why = "neither of: nor if:", -EINVAL;
	if (*field)
		return *ret_why = "two files of one kind", -EINVAL;
	if (part[3] != '/' || strlen(part + 3) >= PATH_MAX)
		return *ret_why = "a path that isn't absolute", -EINVAL;
	*field = strdup(part + 3);
	return *field ? 0 : -ENOMEM;
}

int trace_request_parse(const char *text, struct trace_request *ret, const char **ret_why)
{
	_trace_request_ struct trace_request t = { 0 };
	_free_ char *copy = strnlen(text, ANNOTATION_MAX) < ANNOTATION_MAX ? strdup(text) : NULL;
	char *at = copy, *part;
	int r = 0;

	if (!copy)
		return *ret_why = "too long", -EINVAL;
	while (r == 0 && (part = strsep(&at, ";"))) {
		part = trim(part);
		if (*part)
			r = parse_part(part, &t, ret_why);
	}
	if (r < 0)
		return r;
	if (!t.output)
		return *ret_why = "no output file (of:)", -EINVAL;
	*ret = t;
	t = (struct trace_request){ 0 };
	return 0;
}

/* --- files --------------------------------------------------------------------------------- */

static int open_below(int dir, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* What of `path` is below `dir`, or NULL. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

static int check_file(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

/* An administrator's symlink in the name of an allowed directory is followed, nothing below it. */
static int open_dir(const char *allowed, const char *rest, const char **ret_name)
{
	const char *slash = strrchr(rest, '/'), *name = slash ? slash + 1 : rest;
	_free_ char *parent = strndup(rest, slash ? (size_t)(slash - rest) : 0);
	_close_ int top = open(allowed, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -1;
	int r;

	if (!parent)
		return -ENOMEM;
	if (top < 0)
		return -errno;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	dir = open_below(top, parent);
	if (dir < 0)
		return dir == -EXDEV ? -EPERM : dir;
	r = check_file(dir, name);
	if (r < 0)
		return r;
	*ret_name = name;
	return TAKE_FD(dir);
}

int trace_request_dir(const char *path, const char *const dirs[], const char **ret_name)
{
	for (size_t i = 0; dirs[i]; i++) {
		const char *rest = below(path, dirs[i]);

		if (rest)
			return open_dir(dirs[i], rest + strspn(rest, "/"), ret_name);
	}
	return -EPERM;
}
