/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/runtime_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "identity/state.h"

#define FILE_MAX  (16u << 10)
#define LINES_MAX 32

/* Device, inode, size, time of the last change. */
static int print_binary(const struct stat *st, char *ret, size_t room)
{
	int n = snprintf(ret, room, "%llu %llu %llu %lld.%09ld ", (unsigned long long)st->st_dev,
			 (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
			 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

	return n < 0 || (size_t)n >= room ? -EINVAL : 0;
}

static bool is_roots(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && !(st.st_mode & 022) &&
	       st.st_uid == state_uid_here(0);
}

static int open_state(const char *state)
{
	_close_ int fd = open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return is_roots(fd, S_IFDIR) ? TAKE_FD(fd) : -EPERM;
}

static int read_cache(int dir, const char *file, char **ret)
{
	_close_ int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return is_roots(fd, S_IFREG) ? file_read_fd(fd, FILE_MAX, ret, NULL) : -EPERM;
}

int runtime_cache_find(const char *state, const char *file, const struct stat *binary,
		       char ret[RUNTIME_SAID_MAX])
{
	_close_ int dir = open_state(state);
	_free_ char *text = NULL;
	char want[128], *save = NULL, *line;
	int r = dir < 0 ? dir : print_binary(binary, want, sizeof(want));

	if (r == 0)
		r = read_cache(dir, file, &text);
	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *said = line + strlen(want);

		if (strncmp(line, want, strlen(want)) != 0 || strlen(said) >= RUNTIME_SAID_MAX)
			continue;
		snprintf(ret, RUNTIME_SAID_MAX, "%s", said);
		return 0;
	}
	return -ENOENT;
}

/* The newest ones, without what was said of the same file before. */
static int print_cache(FILE *f, char *old, const char *binary, const char *said)
{
	const char *second = strchr(binary, ' ') + 1;
	size_t same = (size_t)(strchr(second, ' ') + 1 - binary);
	char *save = NULL, *line;
	unsigned n = 1;

	(void)fprintf(f, "%s%s\n", binary, said);
	for (line = old ? strtok_r(old, "\n", &save) : NULL; line && n < LINES_MAX;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, binary, same) != 0) {
			(void)fprintf(f, "%s\n", line);
			n++;
		}
	return ferror(f) ? -ENOMEM : 0;
}

int runtime_cache_add(const char *state, const char *file, const struct stat *binary,
		      const char *said)
{
	_close_ int dir = open_state(state);
	_free_ char *old = NULL, *text = NULL;
	char own[128];
	size_t len = 0;
	FILE *f;
	int r = dir < 0 ? dir : print_binary(binary, own, sizeof(own));

	if (r < 0)
		return r;
	if (read_cache(dir, file, &old) < 0)
		old = NULL;
	f = stream_open(&text, &len);
	if (!f)
		return -ENOMEM;
	r = print_cache(f, old, own, said);
	if (fclose(f) != 0)
		r = -ENOMEM;
	return r < 0 ? r : file_replace_at(dir, file, text, len, 0644);
}
