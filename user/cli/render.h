/* SPDX-License-Identifier: Apache-2.0 */
/* A policy in one of the formats, on its way to a file or to standard output. All log why not. */
#pragma once

#include <stdbool.h>

#include "emit/emit.h"

struct render {
	const struct emit_format *format;
	struct emit_options emit;
	const char *output; /* NULL: standard output */
	bool json;	    /* inside an object with what it is worth (cli/envelope.h) */
};

/* An option's value (cli/options.h): ctx is a struct render. */
int render_take_format(const char *name, void *ctx);

/* Before there is a policy: a format that isn't for a terminal. -EINVAL. */
int render_check(const struct render *r);

/* Writes it whole or not at all. */
int render_policy(const struct render *r, const struct policy *p);

/* The same in memory, and nothing is logged. Caller frees. */
int render_text(const struct render *r, const struct policy *p, char **ret, size_t *ret_len);
