/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/kubelet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/meet.h"
#include "base/file.h"
#include "base/text.h"
#include "emit/emit.h"

#define PART_ROOM 254 /* a DNS name of Kubernetes */

/* --- key to path ------------------------------------------------------------------------- */

struct parts {
	char namespace[PART_ROOM], owner[PART_ROOM], container[PART_ROOM];
};

/* Names as Kubernetes has them: neither ".." nor a hidden file can be one. */
static int take_part(const char **s, char end, char ret[PART_ROOM])
{
	size_t len = strspn(*s, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	if (len == 0 || len >= PART_ROOM || **s == '.' || **s == '-' || (*s)[len] != end)
		return -EINVAL;
	memcpy(ret, *s, len);
	ret[len] = '\0';
	*s += len + (end != '\0');
	return 0;
}

static int split(const char *key, struct parts *ret, char **ret_why)
{
	static const char engine[] = "kubernetes/";
	const char *s = key;

	if (strncmp(s, engine, strlen(engine)) != 0)
		return text_why(-EINVAL, ret_why, "%s is no pod's", key);
	s += strlen(engine);
	if (take_part(&s, '/', ret->namespace) < 0 || take_part(&s, '/', ret->owner) < 0 ||
	    take_part(&s, '\0', ret->container) < 0)
		return text_why(-EINVAL, ret_why,
				"%s has not the form kubernetes/NAMESPACE/OWNER/CONTAINER", key);
	return 0;
}

/* --- the walk ---------------------------------------------------------------------------- */

static int open_dir(int at, const char *name, char **ret_why)
{
	_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return text_why(-errno, ret_why, "%s: %s", name,
				errno == ELOOP || errno == ENOTDIR ? "a link, or not a directory"
								   : strerror(errno));
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return text_why(-EPERM, ret_why, "%s: others than root may change it", name);
	return TAKE_FD(fd);
}

static int make_dir(int at, const char *name, char **ret_why)
{
	bool made = mkdirat(at, name, 0755) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return text_why(-errno, ret_why, "%s: %s", name, strerror(errno));
	fd = open_dir(at, name, ret_why);
	/* whatever the umask is: runtimes of users read there too */
	if (fd >= 0 && made && fchmod(fd, 0755) < 0) {
		close(fd);
		return text_why(-EPERM, ret_why, "%s: its mode can't be set", name);
	}
	return fd;
}

/* The directory of the container's file, made where it isn't there. */
static int walk(const char *dir, const struct parts *p, char **ret_why)
{
	_close_ int top = -1, namespace = -1;
	int r = file_mkdirs(dir, 0755);

	if (r < 0)
		return text_why(r, ret_why, "%s: %s", dir, strerror(-r));
	top = open_dir(AT_FDCWD, dir, ret_why);
	if (top < 0)
		return TAKE_FD(top);
	namespace = make_dir(top, p->namespace, ret_why);
	return namespace < 0 ? TAKE_FD(namespace) : make_dir(namespace, p->owner, ret_why);
}

/* --- text -------------------------------------------------------------------------------- */

static int render(const struct filter *filter, char **ret, size_t *ret_len)
{
	const struct policy p = { .workload = "", .engine = "kubernetes", .filter = filter };

	return emit_text(emit_find("oci")->write, &p, NULL, ret, ret_len);
}

static bool has_profile(int dir, const char *file)
{
	struct stat st;

	return fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size > 0;
}

/* `always`: also over what is there. */
static int put(const char *dir, const char *key, const struct generation *g,
	       const struct sysset *gate, bool always, char **ret_why)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *text = NULL, *file = NULL;
	_close_ int at = -1;
	struct parts parts;
	size_t len = 0;
	int r = split(key, &parts, ret_why);

	if (r < 0)
		return r;
	file = text_format("%s.json", parts.container);
	if (!file)
		return -ENOMEM;
	at = walk(dir, &parts, ret_why);
	if (at < 0)
		return TAKE_FD(at);
	if (!always && has_profile(at, file))
		return 0;
	r = meet_generation(g, NULL, gate, &filter);
	if (r == 0)
		r = render(filter, &text, &len);
	if (r == 0)
		r = file_replace_at(at, file, text, len, 0644);
	return r < 0 ? text_why(r, ret_why, "%s: %s", file, strerror(-r)) : 0;
}

/* All but the guarded calls: what binds whoever leaves a unit, too. */
static const struct generation nothing_applied = { .descendants = true };

int kubelet_placeholder(const char *dir, const char *key, char **ret_why)
{
	return put(dir, key, &nothing_applied, NULL, false, ret_why);
}

int kubelet_put(const char *dir, const char *key, const struct generation *g,
		const struct sysset *gate, char **ret_why)
{
	return put(dir, key, g, gate, true, ret_why);
}

int kubelet_release(const char *dir, const char *key, char **ret_why)
{
	return put(dir, key, &nothing_applied, NULL, true, ret_why);
}
