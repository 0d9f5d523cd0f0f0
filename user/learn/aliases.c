/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/aliases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *aliases_key(const struct aliases *a, const char *key)
{
	for (size_t i = 0; i < a->cnt; i++)
		if (strcmp(a->list[i].alias, key) == 0)
			return a->list[i].key;
	return key;
}

static void alias_done(struct alias *a)
{
	free(a->alias);
	free(a->key);
}

int aliases_add(struct aliases *a, const char *alias, const char *key)
{
	struct alias *more, new;

	if (strcmp(aliases_key(a, alias), key) == 0)
		return 0;
	more = reallocarray(a->list, a->cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	a->list = more;
	new = (struct alias){ strdup(alias), strdup(key) };
	if (!new.alias || !new.key) {
		alias_done(&new);
		return -ENOMEM;
	}
	memmove(more + 1, more, a->cnt++ * sizeof(*more));
	more[0] = new;
	return 0;
}

void aliases_done(struct aliases *a)
{
	for (size_t i = 0; i < a->cnt; i++)
		alias_done(&a->list[i]);
	free(a->list);
	*a = (struct aliases){ 0 };
}
