/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over a JSON text (RFC 8259, UTF-8) that tells where its values stand. Strict: what it
 * passes over is JSON, so that nothing hides from it which another reader would find. Numbers
 * are never read, strings only where they are compared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "identity/slice.h"

/* Deeper texts are refused. */
#define SCAN_DEPTH 64

struct scan {
	const char *from, *at, *end;
	unsigned depth;
	bool fresh;	 /* an object or array was entered, and nothing of it taken yet */
	const char *why; /* what is wrong at `at`, after -EINVAL; static */
};

void scan_begin(struct scan *c, const char *text, size_t len);

/* Past blanks: the first byte of what comes next, '\0' at the end. */
char scan_peek(struct scan *c);

/* Into the object or array that comes next. */
int scan_enter(struct scan *c);
/* In an object: the next key, quotes and all; its value comes next and has to be passed over. 1; 0
 * past the object's end. */
int scan_key(struct scan *c, struct slice *ret);
/* In an array: 1 when a value comes next, 0 past the array's end. */
int scan_item(struct scan *c);

/* Past one value, whatever it is. */
int scan_value(struct scan *c, struct slice *ret);
/* Nothing but blanks is left. */
int scan_finish(struct scan *c);

/* A string's text, quotes and escapes and all, spells that ASCII name. With `fold` also where only
 * readers that ignore case would say so (Go's encoding/json and its kin). */
bool scan_spells(struct slice quoted, const char *name, bool fold);
