/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the journal is made of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/note.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "keeper/journal_internal.h"

CLEANUP_DEFINE(DIR *, closedir);

int journal_dir(const char *state, bool make)
{
	_close_ int top = note_open_dir(AT_FDCWD, state, false);

	if (top < 0)
		return top;
	if (make && mkdirat(top, JOURNAL_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	return note_open_dir(top, JOURNAL_DIR, true);
}

void journal_name(uint64_t number, char ret[JOURNAL_NAME_MAX])
{
	snprintf(ret, JOURNAL_NAME_MAX, JOURNAL_PREFIX "%" PRIu64, number);
}

static int add(struct journal_files *f, size_t *room, uint64_t number)
{
	if (f->cnt == *room) {
		size_t more_room = *room ? *room * 2 : 16;
		uint64_t *more = reallocarray(f->number, more_room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		f->number = more;
		*room = more_room;
	}
	f->number[f->cnt++] = number;
	return 0;
}

/* Only names that journal_name makes. */
static bool is_file(const char *name, uint64_t *ret)
{
	char again[JOURNAL_NAME_MAX];

	if (strncmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) != 0 ||
	    text_u64(name + strlen(JOURNAL_PREFIX), UINT64_MAX - 1, ret) < 0)
		return false;
	journal_name(*ret, again);
	return strcmp(name, again) == 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int journal_list(int dir, struct journal_files *ret)
{
	_journal_files_ struct journal_files f = { 0 };
	_close_ int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedir) DIR *d = own < 0 ? NULL : fdopendir(own);
	const struct dirent *e;
	uint64_t number;
	size_t room = 0;
	int r = 0;

	if (!d)
		return -errno;
	(void)TAKE_FD(own); /* closedir's */
	while (r == 0 && (e = readdir(d)))
		if (is_file(e->d_name, &number))
			r = add(&f, &room, number);
	if (r < 0)
		return r;
	if (f.cnt > 1)
		qsort(f.number, f.cnt, sizeof(*f.number), compare);
	*ret = f;
	f.number = NULL;
	return 0;
}
