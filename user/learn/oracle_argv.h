/* SPDX-License-Identifier: Apache-2.0 */
/* The command line that a podman container was made with, made that of its twin. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORACLE_ARGV_MAX 4096 /* words */

/* A list of words that ends with NULL; {0} is empty. */
struct oracle_argv {
	char **word;
	size_t cnt;
};
void oracle_argv_done(struct oracle_argv *a);
static inline void oracle_argv_donep(struct oracle_argv *a)
{
	oracle_argv_done(a);
}
#define _argv_ __attribute__((cleanup(oracle_argv_donep)))

/* A copy of the word at the end. -ENOMEM, -E2BIG. */
int oracle_argv_add(struct oracle_argv *a, const char *word);
int oracle_argv_adds(struct oracle_argv *a, const char *const *words);

/* Words of a command as a shell would split them: blanks, '...', "...", backslashes; nothing is
 * expanded. -EINVAL: a quote without its end, no word at all. */
int oracle_argv_split(const char *command, struct oracle_argv *ret);

/* `create`: podman's own, its command line for "run" or "create". Options of podman itself, those
 * before the verb, in its order. -EINVAL: neither "run" nor "create" is in it. */
int oracle_argv_global(const struct oracle_argv *create, struct oracle_argv *into);

/* "run --detach ...": the same options but for those that name, restart, label or log the container,
 * and what comes after. `is_image`: its image is `hardened`; else its command is, and no entrypoint is
 * before it. Adds to `into`. -EINVAL. */
int oracle_argv_twin(const struct oracle_argv *create, const char *name, const char *hardened,
		     bool is_image, struct oracle_argv *into);
