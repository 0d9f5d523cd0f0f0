/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's half: lines to files. */
#include "keeper/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "keeper/journal_internal.h"

/* Lines that wait for a place to be written to: beyond, they are lost. */
#define WAITING_MAX (1u << 20)

struct journal {
	char *state;
	int fd; /* -1: none could be begun yet */
	uint64_t number;
	off_t size;
	bool torn; /* the file's last line, which couldn't be cut off */
	char *waiting;
	size_t waiting_len;
};

/* Above all that are there; where there are none, above any that were. */
static int next_number(int dir, uint64_t at_least, uint64_t *ret)
{
	_journal_files_ struct journal_files f = { 0 };
	int r = journal_list(dir, &f);

	if (r < 0)
		return r;
	*ret = f.cnt ? f.number[f.cnt - 1] + 1 : (uint64_t)time(NULL);
	if (*ret < at_least)
		*ret = at_least;
	return 0;
}

static int begin(struct journal *j)
{
	_close_ int dir = journal_dir(j->state, true), fd = -1;
	const size_t len = strlen(JOURNAL_HEADER);
	char name[JOURNAL_NAME_MAX];
	uint64_t number;
	ssize_t n;
	int r = dir < 0 ? dir : next_number(dir, j->number + 1, &number);

	if (r < 0)
		return r;
	journal_name(number, name);
	fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	n = write(fd, JOURNAL_HEADER, len);
	if (n < 0 || (size_t)n < len) {
		r = n < 0 ? -errno : -ENOSPC;
		(void)unlinkat(dir, name, 0);
		return r;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = TAKE_FD(fd);
	j->number = number;
	j->size = (off_t)len;
	j->torn = false;
	return 0;
}

int journal_open(const char *state, struct journal **ret)
{
	struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->fd = -1;
	j->state = strdup(state);
	r = j->state ? begin(j) : -ENOMEM;
	if (r == -EPERM || r == -ENOENT || r == -ENOTDIR || r == -ENOMEM) {
		journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->waiting_len > 0)
		(void)journal_flush(j);
	if (j->fd >= 0)
		close(j->fd);
	free(j->state);
	free(j->waiting);
	free(j);
}

/* There is a file, it has room, and nobody took it away. */
static int ready(struct journal *j)
{
	struct stat st;

	if (j->fd >= 0 && j->size < JOURNAL_MAX && fstat(j->fd, &st) == 0 && st.st_nlink > 0)
		return 0;
	return begin(j);
}

/* All or nothing: what a full disk took of a line is cut off again. */
static int put(struct journal *j, const char *text, size_t len)
{
	ssize_t n;
	int r;

	if (j->torn && write(j->fd, "\n", 1) != 1)
		return -errno;
	if (j->torn)
		j->size++;
	j->torn = false;
	n = write(j->fd, text, len);
	r = n < 0 ? -errno : -ENOSPC;
	if (n == (ssize_t)len) {
		j->size += n;
		return 0;
	}
	if (n > 0 && ftruncate(j->fd, j->size) < 0) {
		j->torn = true;
		j->size += n;
	}
	return r;
}

static int keep(struct journal *j, const char *text, size_t len)
{
	char *more;

	if (len > WAITING_MAX - j->waiting_len)
		return -ENOBUFS;
	more = realloc(j->waiting, j->waiting_len + len);
	if (!more)
		return -ENOMEM;
	memcpy(more + j->waiting_len, text, len);
	j->waiting = more;
	j->waiting_len += len;
	return 0;
}

int journal_flush(struct journal *j)
{
	int r = j->waiting_len ? ready(j) : 0;

	while (r == 0 && j->waiting_len) {
		size_t len =
			(size_t)((char *)memchr(j->waiting, '\n', j->waiting_len) - j->waiting) + 1;

		r = put(j, j->waiting, len);
		if (r < 0)
			break;
		j->waiting_len -= len;
		memmove(j->waiting, j->waiting + len, j->waiting_len);
		r = ready(j);
	}
	if (j->waiting_len == 0) {
		free(j->waiting);
		j->waiting = NULL;
	}
	return r;
}

bool journal_is_behind(const struct journal *j)
{
	_close_ int dir = journal_dir(j->state, false);
	_journal_files_ struct journal_files f = { 0 };

	return dir >= 0 && journal_list(dir, &f) == 0 && f.cnt > JOURNAL_BEHIND;
}

bool journal_waits(const struct journal *j)
{
	return j->waiting_len > 0;
}

int journal_add(struct journal *j, const struct journal_entry *e)
{
	_free_ char *line = NULL;
	int r = journal_print(e, &line);
	size_t len;

	if (r < 0)
		return r == -ENOMEM ? -ENOBUFS : r;
	len = strlen(line);
	r = journal_flush(j);
	if (r == 0)
		r = ready(j);
	if (r == 0)
		r = put(j, line, len);
	if (r < 0 && keep(j, line, len) < 0)
		return -ENOBUFS;
	return r;
}
