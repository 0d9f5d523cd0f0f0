/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's half: files to entries. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "keeper/journal_internal.h"

/* A file is begun anew when it is over JOURNAL_MAX: one line more, or what waited. */
#define FILE_MAX (2 * JOURNAL_MAX)

struct reader {
	int (*fn)(void *ctx, const struct journal_entry *e);
	void *ctx;
	struct journal_mark *mark;
	uint64_t bad;
};

/* -ENOENT: somebody took it away meanwhile. */
static int read_file(int dir, uint64_t number, char **ret, size_t *ret_len)
{
	char name[JOURNAL_NAME_MAX];
	_close_ int fd = -1;
	struct stat st;

	journal_name(number, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? file_read_fd(fd, FILE_MAX, ret, ret_len) : -EPERM;
}

static int take_line(struct reader *r, const char *line, size_t len)
{
	struct journal_entry e = { 0 };
	int n;

	/* Torn. */
	if (len < 2 || memcmp(line + len - 2, " .", 2) != 0)
		return 0;
	n = journal_parse(line, len, &e);
	if (n == -EINVAL)
		r->bad++;
	if (n < 0)
		return n == -EINVAL ? 0 : n;
	n = r->fn(r->ctx, &e);
	journal_entry_done(&e);
	return n;
}

/* From the mark on; what has no end yet stays unread. */
static int take_lines(struct reader *r, const char *text, size_t len)
{
	while (r->mark->offset < len) {
		const char *line = text + r->mark->offset;
		const char *end = memchr(line, '\n', len - r->mark->offset);
		int n;

		if (!end)
			return 0;
		n = take_line(r, line, (size_t)(end - line));
		if (n != 0)
			return n;
		r->mark->offset += (uint64_t)(end - line) + 1;
	}
	return 0;
}

/* What is no journal of this version is passed over once there is a later file: till then its first
 * line may be in the making. */
static int take_file(struct reader *r, const char *text, size_t len, bool last)
{
	const size_t header = strlen(JOURNAL_HEADER);

	if (len < header || memcmp(text, JOURNAL_HEADER, header) != 0) {
		if (!last && len > 0)
			r->bad++;
		return 0;
	}
	/* Another file of that name: from its beginning. */
	if (r->mark->offset < header || r->mark->offset > len)
		r->mark->offset = header;
	return take_lines(r, text, len);
}

/* A line is counted when the file is done with: whoever calls again would count it twice. */
static int read_one(struct reader *r, int dir, uint64_t number, bool last)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int n = read_file(dir, number, &text, &len);

	if (n < 0 && (last || n != -EFBIG))
		return n == -ENOENT ? 0 : n;
	if (n < 0)
		r->bad++;
	if (r->mark->file != number)
		*r->mark = (struct journal_mark){ .file = number };
	return n < 0 ? 0 : take_file(r, text, len, last);
}

/* A file with a later one is whole when that was there before it is read. */
int journal_read(const char *state, struct journal_mark *mark,
		 int (*fn)(void *ctx, const struct journal_entry *e), void *ctx, uint64_t *ret_bad)
{
	_close_ int dir = journal_dir(state, false);
	_journal_files_ struct journal_files f = { 0 };
	struct reader r = { .fn = fn, .ctx = ctx, .mark = mark };
	int n = dir == -ENOENT ? 0 : dir < 0 ? dir : journal_list(dir, &f);

	for (size_t i = 0; i < f.cnt && n == 0; i++) {
		bool last = i + 1 == f.cnt;

		if (f.number[i] < mark->file)
			continue;
		n = read_one(&r, dir, f.number[i], last);
		if (n == 0 && !last)
			*mark = (struct journal_mark){ .file = f.number[i + 1] };
	}
	if (ret_bad)
		*ret_bad = r.bad;
	return n;
}

int journal_trim(const char *state, const struct journal_mark *mark)
{
	_close_ int dir = journal_dir(state, false);
	_journal_files_ struct journal_files f = { 0 };
	int r = dir == -ENOENT ? 0 : dir < 0 ? dir : journal_list(dir, &f);

	for (size_t i = 0; i < f.cnt && r == 0; i++) {
		char name[JOURNAL_NAME_MAX];

		if (f.number[i] >= mark->file)
			break;
		journal_name(f.number[i], name);
		if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}
