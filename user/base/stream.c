/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define ROOM 256

struct stream {
	char **text;
	size_t *len, room;
	bool failed;
};

static bool grow(struct stream *s, size_t more)
{
	size_t need, room = s->room;
	char *grown;

	if (__builtin_add_overflow(*s->len, more + 1, &need) || need > SIZE_MAX / 2)
		return false;
	while (room < need)
		room *= 2;
	grown = room > s->room ? realloc(*s->text, room) : *s->text;
	if (!grown)
		return false;
	*s->text = grown;
	s->room = room;
	return true;
}

/* Nothing after what is missing. */
static ssize_t add(void *cookie, const char *data, size_t len)
{
	struct stream *s = cookie;

	if (s->failed || !grow(s, len)) {
		s->failed = true;
		memory_failed();
		errno = ENOMEM;
		return 0;
	}
	memcpy(*s->text + *s->len, data, len);
	*s->len += len;
	(*s->text)[*s->len] = '\0';
	return (ssize_t)len;
}

static int tell(void *cookie, off64_t *offset, int whence)
{
	const struct stream *s = cookie;

	if (whence != SEEK_CUR || *offset != 0) {
		errno = EINVAL;
		return -1;
	}
	*offset = (off64_t)*s->len;
	return 0;
}

static int finish(void *cookie)
{
	struct stream *s = cookie;
	bool failed = s->failed;

	if (failed) {
		free(*s->text);
		*s->text = NULL;
		*s->len = 0;
		errno = ENOMEM;
	}
	free(s);
	return failed ? EOF : 0;
}

FILE *stream_open(char **ret, size_t *ret_len)
{
	static const cookie_io_functions_t calls = { .write = add, .seek = tell, .close = finish };
	_free_ struct stream *s = calloc(1, sizeof(*s));
	_free_ char *text = calloc(1, ROOM);
	FILE *f;

	if (!s || !text)
		memory_failed();
	if (!s || !text)
		return NULL;
	*s = (struct stream){ .text = ret, .len = ret_len, .room = ROOM };
	f = fopencookie(s, "w", calls);
	if (!f)
		memory_failed();
	if (!f)
		return NULL;
	(void)TAKE_PTR(s);
	*ret = TAKE_PTR(text);
	*ret_len = 0;
	return f;
}
