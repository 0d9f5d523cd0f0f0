/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a few members out of a JSON text without building a tree of it: the texts are
 * written by containers' owners, and a tree of 32 MiB of "[[[0,0," takes gigabytes. What is
 * skipped is only checked for balance; what is taken is decoded by jansson.
 */
#pragma once

#include <stddef.h>

/* Part of a text that is owned elsewhere: one JSON value, blanks around it allowed. All zero is
 * an empty text. */
struct slice {
	const char *text;
	size_t len;
};

/* Deeper values are refused (-EINVAL). */
#define SLICE_DEPTH_MAX 64

/* Member of an object; of several with that name the last, as Go reads it. -ENOENT when there
 * is none, -EINVAL when s isn't an object, is cut short or too deep. */
int slice_member(struct slice s, const char *name, struct slice *ret);

/* Member of a member of ...: names end with NULL. */
int slice_at(struct slice s, const char *const names[], struct slice *ret);

/* Elements of an array in turn: start with *at = 0. 1 and *ret filled, 0 at the end, -EINVAL. */
int slice_next(struct slice s, size_t *at, struct slice *ret);

/* A string of at most max - 1 bytes, decoded. -EINVAL for anything else or invalid UTF-8,
 * -EFBIG for a longer one, -ENOMEM. Caller frees. */
int slice_text(struct slice s, size_t max, char **ret);
