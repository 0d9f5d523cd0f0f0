/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* --- in ---------------------------------------------------------------------------------- */

/* Reads until the end or `room` bytes. */
static ssize_t read_some(int fd, char *buf, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(fd, buf + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Sizes in /proc and /sys say nothing, so grow as it comes. One byte beyond max tells a
 * file that is too long from one that just fits. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	_free_ char *buf = NULL;
	size_t len = 0, room = 0;

	do {
		char *more;
		ssize_t n;

		room = room ? room * 2 : 4096;
		if (max < SIZE_MAX - 2 && room > max + 1)
			room = max + 1;
		more = realloc(buf, room + 1);
		if (!more) {
			memory_failed();
			return -ENOMEM;
		}
		buf = more;
		n = read_some(fd, buf + len, room - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
	} while (len == room && len <= max);
	if (len > max)
		return -EFBIG;
	buf[len] = '\0';
	*ret = TAKE_PTR(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return file_read_fd(fd, max, ret, ret_len);
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : file_read_fd(fd, max, ret, ret_len);
}

/* --- out --------------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_in_place(const char *path, const void *data, size_t len)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_all(fd, data, len);
}

static int stage_file(const char *base, char name[NAME_MAX + 1])
{
	uint64_t random;
	int n;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	/* The name may be as long as a name can be, so that of the stage has less of it. */
	n = snprintf(name, NAME_MAX + 1, ".%.200s.%016" PRIx64, base, random);
	return n < 0 ? -EIO : 0;
}

static int fill_stage(int dir, const char *name, const void *data, size_t len, mode_t mode)
{
	_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

int file_replace_at(int dir, const char *base, const void *data, size_t len, mode_t mode)
{
	char name[NAME_MAX + 1];
	int r = stage_file(base, name);

	if (r < 0)
		return r;
	r = fill_stage(dir, name, data, len, mode);
	if (r == 0 && renameat(dir, name, dir, base) < 0)
		r = -errno;
	if (r < 0) {
		if (r != -EEXIST)
			(void)unlinkat(dir, name, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

/* Splits "a/b" into an open "a" and "b". */
static int open_parent(const char *path, const char **ret_base)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	_free_ char *parent = NULL;
	int fd;

	if (!*base)
		return *path ? -EISDIR : -ENOENT;
	if (!slash)
		parent = strdup(".");
	else
		parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!parent)
		return -ENOMEM;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_base = base;
	return fd;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	const char *base = NULL;
	_close_ int dir = open_parent(path, &base);

	return dir < 0 ? dir : file_replace_at(dir, base, data, len, mode);
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode)
{
	_free_ char *real = NULL;
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		/* Nobody who says -o /dev/null or /dev/stdout wants it replaced by a file. */
		if (!S_ISREG(st.st_mode))
			return write_in_place(path, data, len);
		real = realpath(path, NULL);
	}
	return file_replace(real ? real : path, data, len, mode);
}

static int make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	/* A read-only parent of an existing directory may say EROFS or EACCES instead. */
	int r = -errno;

	if (stat(path, &st) < 0)
		return r;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdirs(const char *path, mode_t mode)
{
	_free_ char *part = strdup(path);

	if (!part)
		return -ENOMEM;
	if (!*part)
		return -ENOENT;
	for (char *p = part + 1; *p; p++) {
		int r;

		if (*p != '/')
			continue;
		*p = '\0';
		r = make_one(part, mode);
		*p = '/';
		if (r < 0)
			return r;
	}
	return make_one(part, mode);
}
