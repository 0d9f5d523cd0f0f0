/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applied files on disk. A path is walked from the state directory, a component at a time, through
 * nothing but root's own directories: whoever could put a link or a file there decides about the
 * containers of others.
 */
#include "apply/applied.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/key.h"

#define APPLIED_DIR    "applied"
#define APPLIED_SUFFIX ".json"

/* --- names ------------------------------------------------------------------------------- */

static bool is_component(const char *s, size_t len)
{
	static const char also[] = "._:@+=,-\\~%#";

	if (len == 0 || (len <= 2 && strspn(s, ".") >= len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
		      (s[i] >= '0' && s[i] <= '9') || (s[i] && strchr(also, s[i]))))
			return false;
	return true;
}

int applied_path(const char *key, char **ret)
{
	const char *s = key;
	size_t len;

	if (strnlen(key, KEY_MAX) >= KEY_MAX)
		return -ENAMETOOLONG;
	for (;; s += len + 1) {
		len = strcspn(s, "/");
		if (!is_component(s, len))
			return -EINVAL;
		if (len + strlen(APPLIED_SUFFIX) > NAME_MAX)
			return -ENAMETOOLONG;
		if (!s[len])
			break;
	}
	*ret = text_format(APPLIED_DIR "/%s" APPLIED_SUFFIX, key);
	return *ret ? 0 : -ENOMEM;
}

/* --- whose is it ------------------------------------------------------------------------- */

static uid_t read_overflow_uid(void)
{
	_free_ char *text = NULL;
	size_t len;
	uint64_t uid;

	if (file_read("/proc/sys/kernel/overflowuid", 32, &text, &len) < 0)
		return 65534;
	text[strcspn(text, "\n")] = '\0';
	return text_u64(text, UINT32_MAX, &uid) < 0 ? 65534 : (uid_t)uid;
}

/* What root of the outside is called here. In a user namespace without it, its files are nobody's,
 * and uid 0 is a user. */
static uid_t root_uid(void)
{
	_fclose_ FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, cnt;

	if (!f)
		return 0;
	while (fscanf(f, "%u %u %u", &inside, &outside, &cnt) == 3)
		if (outside == 0)
			return inside;
	return read_overflow_uid();
}

static int check_sound(int fd, mode_t type, const char *path, struct stat *ret, char **ret_why)
{
	if (fstat(fd, ret) < 0)
		return text_why(-errno, ret_why, "%s: %s", path, strerror(errno));
	if ((ret->st_mode & S_IFMT) != type)
		return text_why(-EPERM, ret_why, "%s: not a regular file", path);
	if (ret->st_uid != root_uid())
		return text_why(-EPERM, ret_why, "%s: belongs to uid %u, not to root", path,
				(unsigned)ret->st_uid);
	if (ret->st_mode & (S_IWGRP | S_IWOTH))
		return text_why(-EPERM, ret_why, "%s: others may write to it", path);
	return 0;
}

/* What an open that failed means here; -ENOENT without a sentence. */
static int open_failed(int e, const char *path, char **ret_why)
{
	if (e == ENOENT)
		return -ENOENT;
	if (e == ELOOP || e == ENOTDIR)
		return text_why(-EPERM, ret_why, "%s: a link, or not a directory", path);
	return text_why(-e, ret_why, "%s: %s", path, strerror(e));
}

/* --- the walk ---------------------------------------------------------------------------- */

/* A directory that root alone may change; `name` relative to `at`, `path` for people. */
static int open_dir(int at, const char *name, const char *path, char **ret_why)
{
	_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return open_failed(errno, path, ret_why);
	r = check_sound(fd, S_IFDIR, path, &st, ret_why);
	return r < 0 ? r : TAKE_FD(fd);
}

/* Readers other than root must get through. */
static int let_through(int fd, mode_t mode, const char *path, char **ret_why)
{
	struct stat st;

	if (fstat(fd, &st) < 0 ||
	    ((st.st_mode & mode) != mode && fchmod(fd, (st.st_mode & 07777) | mode) < 0))
		return text_why(-errno, ret_why, "%s: %s", path, strerror(errno));
	return 0;
}

static int make_dir(int at, const char *name, const char *path, char **ret_why)
{
	_close_ int fd = -1;
	int r;

	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return text_why(-errno, ret_why, "%s: %s", path, strerror(errno));
	fd = open_dir(at, name, path, ret_why);
	if (fd < 0)
		return fd;
	r = let_through(fd, 0755, path, ret_why);
	return r < 0 ? r : TAKE_FD(fd);
}

/* The state directory; a slash at its end would follow a link. */
static int open_state(const char *state, bool make, char **ret_why)
{
	_free_ char *name = strdup(state);
	_close_ int fd = -1;
	int r;

	if (!name)
		return -ENOMEM;
	for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
		name[len - 1] = '\0';
	fd = open_dir(AT_FDCWD, name, name, ret_why);
	if (fd < 0 || !make)
		return TAKE_FD(fd);
	r = let_through(fd, 0711, name, ret_why);
	return r < 0 ? r : TAKE_FD(fd);
}

/* The directory that `path` (of applied_path) is in, open. *ret_base is the rest of it. */
static int walk(const char *state, char *path, bool make, const char **ret_base, char **ret_why)
{
	_close_ int dir = open_state(state, make, ret_why);
	char *part = path, *slash;

	if (dir < 0)
		return TAKE_FD(dir);
	for (; (slash = strchr(part, '/')); part = slash + 1) {
		int next;

		*slash = '\0';
		next = make ? make_dir(dir, part, path, ret_why)
			    : open_dir(dir, part, path, ret_why);
		*slash = '/';
		if (next < 0)
			return next;
		close(dir);
		dir = next;
	}
	*ret_base = part;
	return TAKE_FD(dir);
}

/* --- out --------------------------------------------------------------------------------- */

#define MARK_SUFFIX "!" /* no key has one */

/* A file's mark stands beside it, so that one that somebody took away isn't taken for none. Where it
 * can't be made nothing is lost but that. */
static void set_mark(int dir, const char *base)
{
	_free_ char *name = text_format("%s" MARK_SUFFIX, base);
	_close_ int fd =
		name ? openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644) : -1;

	if (fd >= 0)
		(void)fchmod(fd, 0644);
}

static void clear_mark(int dir, const char *base)
{
	_free_ char *name = text_format("%s" MARK_SUFFIX, base);

	if (name)
		(void)unlinkat(dir, name, 0);
}

static bool has_mark(int dir, const char *base)
{
	_free_ char *name = text_format("%s" MARK_SUFFIX, base);

	return name && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int applied_write(const char *state, const struct applied *a)
{
	_free_ char *path = NULL, *text = NULL, *why = NULL;
	const char *base = NULL;
	_close_ int dir = -1;
	size_t len = 0;
	int r = applied_path(a->key, &path);

	if (r == 0)
		r = applied_print(a, &text, &len);
	if (r < 0)
		return r;
	if (len > APPLIED_MAX)
		return -EFBIG;
	dir = walk(state, path, true, &base, &why);
	if (dir < 0)
		return TAKE_FD(dir);
	r = file_replace_at(dir, base, text, len, 0644);
	if (r == 0)
		set_mark(dir, base);
	return r;
}

/* Directories that nothing is in any more, from the innermost on. */
static void prune(const char *state, char *path)
{
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		_free_ char *why = NULL;
		const char *base = NULL;
		_close_ int dir = -1;

		*slash = '\0';
		dir = walk(state, path, false, &base, &why);
		if (dir < 0 || unlinkat(dir, base, AT_REMOVEDIR) < 0)
			return;
	}
}

int applied_remove(const char *state, const char *key)
{
	_free_ char *path = NULL, *why = NULL;
	const char *base = NULL;
	_close_ int dir = -1;
	int r = applied_path(key, &path);

	if (r < 0)
		return r;
	dir = walk(state, path, false, &base, &why);
	if (dir < 0)
		return dir == -ENOENT ? 0 : TAKE_FD(dir);
	clear_mark(dir, base);
	if (unlinkat(dir, base, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fsync(dir) < 0 ? -errno : 0;
	prune(state, path);
	return r;
}

/* --- what was there before ---------------------------------------------------------------- */

#define KEPT_SUFFIX ".kept" /* no applied file ends so */

/* The open directory of a key's file, the file's name and that of the kept one in it. */
struct kept {
	char *path, *name;
	const char *base;
	int dir;
};

static void kept_donep(struct kept *k)
{
	free(k->path);
	free(k->name);
	cleanup_closep(&k->dir);
}
#define _kept_ __attribute__((cleanup(kept_donep)))

static int find_kept(const char *state, const char *key, struct kept *ret)
{
	_free_ char *why = NULL;
	int r = applied_path(key, &ret->path);

	if (r < 0)
		return r;
	ret->dir = walk(state, ret->path, false, &ret->base, &why);
	if (ret->dir < 0)
		return ret->dir;
	ret->name = text_format(".%s" KEPT_SUFFIX, ret->base);
	return ret->name ? 0 : -ENOMEM;
}

int applied_keep(const char *state, const char *key)
{
	_kept_ struct kept k = { .dir = -1 };
	int r = find_kept(state, key, &k);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	(void)unlinkat(k.dir, k.name, 0);
	if (linkat(k.dir, k.base, k.dir, k.name, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int applied_back(const char *state, const char *key)
{
	_kept_ struct kept k = { .dir = -1 };
	int r = find_kept(state, key, &k);

	if (r < 0)
		return r;
	if (renameat(k.dir, k.name, k.dir, k.base) < 0 || fsync(k.dir) < 0)
		return -errno;
	set_mark(k.dir, k.base);
	/* Of one file with two names a rename does nothing. */
	(void)unlinkat(k.dir, k.name, 0);
	return 0;
}

void applied_drop(const char *state, const char *key)
{
	_kept_ struct kept k = { .dir = -1 };

	if (find_kept(state, key, &k) == 0 && unlinkat(k.dir, k.name, 0) == 0)
		prune(state, k.path);
}

/* --- in ---------------------------------------------------------------------------------- */

static int read_sound(int dir, const char *base, const char *path, char **ret, size_t *ret_len,
		      char **ret_why)
{
	_close_ int fd =
		openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return open_failed(errno, path, ret_why);
	r = check_sound(fd, S_IFREG, path, &st, ret_why);
	if (r < 0)
		return r;
	r = file_read_fd(fd, APPLIED_MAX, ret, ret_len);
	if (r == -EFBIG)
		return text_why(-EINVAL, ret_why, "%s: larger than %u bytes", path, APPLIED_MAX);
	return r < 0 ? text_why(r, ret_why, "%s: %s", path, strerror(-r)) : 0;
}

static int parse_of(const char *key, const char *text, size_t len, struct applied *ret,
		    char **ret_why)
{
	_applied_ struct applied a = { 0 };
	int r = applied_parse(text, len, &a, ret_why);

	if (r < 0)
		return r;
	if (strcmp(a.key, key) != 0)
		return text_why(-EINVAL, ret_why, "key: it is another workload's");
	*ret = a;
	a = (struct applied){ 0 };
	return 0;
}

int applied_read(const char *state, const char *key, struct applied *ret, char **ret_why)
{
	_free_ char *path = NULL, *text = NULL;
	const char *base = NULL;
	_close_ int dir = -1;
	size_t len = 0;
	int r = applied_path(key, &path);

	if (r < 0)
		return text_why(r, ret_why, "no file can be of that key");
	dir = walk(state, path, false, &base, ret_why);
	if (dir < 0)
		return TAKE_FD(dir);
	r = read_sound(dir, base, path, &text, &len, ret_why);
	if (r == -ENOENT && has_mark(dir, base))
		return text_why(-ENODATA, ret_why, "%s: is gone", path);
	return r < 0 ? r : parse_of(key, text, len, ret, ret_why);
}
