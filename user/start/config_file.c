/* SPDX-License-Identifier: Apache-2.0 */
#include "start/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "start/stream.h"

#define LABEL	  "security.selinux"
#define LABEL_MAX 4096

void config_file_done(struct config_file *b)
{
	if (b->dir >= 0)
		close(b->dir);
	free(b->path);
	free(b->real);
	free(b->text);
	free(b->label);
	*b = (struct config_file){ .dir = -1 };
}

/* A host without SELinux has none, and no way to ask. */
static int read_label(int fd, struct config_file *b)
{
	ssize_t n;

	b->label = malloc(LABEL_MAX);
	if (!b->label)
		return -ENOMEM;
	n = fgetxattr(fd, LABEL, b->label, LABEL_MAX);
	if (n >= 0) {
		b->label_len = (size_t)n;
		return 0;
	}
	free(TAKE_PTR(b->label));
	return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
}

static int read_config(struct config_file *b, size_t max)
{
	_close_ int fd =
		openat(b->dir, b->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	b->uid = st.st_uid;
	b->gid = st.st_gid;
	b->mode = st.st_mode & 0777;
	r = read_label(fd, b);
	return r < 0 ? r : file_read_fd(fd, max, &b->text, &b->len);
}

/* crun takes --config from where it is started, before it goes to the bundle; but this very name. */
static bool is_bundles(const char *config)
{
	return !config || strcmp(config, "config.json") == 0;
}

static int open_dir(struct config_file *b, const char *config)
{
	_free_ char *parent = NULL;
	char *slash;

	if (!is_bundles(config)) {
		b->real = realpath(config, NULL);
		if (!b->real)
			return -errno;
		slash = strrchr(b->real, '/');
		b->name = slash + 1;
		parent = strndup(b->real, (size_t)(slash - b->real) + 1);
		if (!parent)
			return -ENOMEM;
	}
	b->dir = open(parent ? parent : b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->dir < 0 ? -errno : 0;
}

int config_file_open(const char *path, const char *config, size_t max, struct config_file *ret)
{
	__attribute__((cleanup(config_file_done))) struct config_file b = { .dir = -1,
									    .name = "config.json" };
	int r;

	b.path = realpath(path, NULL);
	if (!b.path)
		return -errno;
	r = open_dir(&b, config);
	if (r == 0)
		r = read_config(&b, max);
	if (r < 0)
		return r;
	*ret = b;
	b = (struct config_file){ .dir = -1 };
	return 0;
}

static int fill_stage(const struct config_file *b, const char *stage, const char *text, size_t len)
{
	_close_ int fd =
		openat(b->dir, stage, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (!stream_write(fd, text, len))
		return -errno;
	if (b->label && fsetxattr(fd, LABEL, b->label, b->label_len, 0) < 0)
		return -errno;
	if (fchown(fd, b->uid, b->gid) < 0 || fchmod(fd, b->mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int config_file_replace(const struct config_file *b, const char *text, size_t len)
{
	char stage[NAME_MAX + 1];
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return -EIO;
	snprintf(stage, sizeof(stage), ".%.200s.%016" PRIx64, b->name, random);
	r = fill_stage(b, stage, text, len);
	if (r == 0 && renameat(b->dir, stage, b->dir, b->name) < 0)
		r = -errno;
	if (r < 0 && r != -EEXIST)
		(void)unlinkat(b->dir, stage, 0);
	return r;
}
