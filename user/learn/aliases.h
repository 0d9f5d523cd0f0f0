/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that engines say of workloads which have another in the store. */
#pragma once

#include <stddef.h>

struct aliases {
	struct alias {
		char *alias, *key;
	} * list; /* the newest word first */
	size_t cnt;
};

/* `key` itself where it is no alias; valid until the next one is added. */
const char *aliases_key(const struct aliases *a, const char *key);
/* -ENOMEM. */
int aliases_add(struct aliases *a, const char *alias, const char *key);
void aliases_done(struct aliases *a);
