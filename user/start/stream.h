/* SPDX-License-Identifier: Apache-2.0 */
/* What a hook is given and gives back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stream {
	char *text; /* NUL-terminated, the NUL not counted; NULL: nothing */
	size_t len;
	bool more; /* there is more than was asked for, or than fits into memory */
};

/* Descriptors 0, 1 and 2 are something, so that no file takes their place. */
void stream_ensure(void);

/* Reads until the end, at most about `max` bytes; an error of reading is an end. */
void stream_read(int fd, size_t max, struct stream *ret);
/* All of it, whatever it takes; false where nobody reads any more. Safe in a signal handler. */
bool stream_write(int fd, const char *text, size_t len);
/* The rest of `from`, unread. */
void stream_pass(int from, int to);
