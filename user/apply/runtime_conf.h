/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PATH.conf of a wrapper at PATH: "key = value" lines, '#' begins a comment.
 *
 *	runtime = /usr/bin/runc		absolute
 *	state = /var/lib/tamis		absolute; may be missing
 */
#pragma once

#include <stddef.h>

#define RUNTIME_CONF_MAX 8192 /* bytes */

struct runtime_conf {
	char *runtime, *state;
};

void runtime_conf_done(struct runtime_conf *c);
#define _runtime_conf_ __attribute__((cleanup(runtime_conf_done)))

/* -EINVAL and a sentence (caller frees). Pure. */
int runtime_conf_parse(const char *text, size_t len, struct runtime_conf *ret, char **ret_why);

/* Of the program `self`. -EPERM when it isn't its owner's alone, who is the one that owns the program,
 * or a link; -ENOENT, as above. */
int runtime_conf_read(const char *self, struct runtime_conf *ret, char **ret_why);
