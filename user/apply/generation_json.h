/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as JSON, and what else an applied file is made of. */
#pragma once

#include <jansson.h>

#include "model/generation.h"

/* 0, or -ENOMEM where the value is NULL or the key could not be set. */
int json_put(json_t *o, const char *key, json_t *v);
/* NULL when out of memory. NULL is null; what is no text becomes \xNN. */
json_t *text_to_json(const char *s);
/* By ABI; those without a call are left out. Calls by name ("#NR" where there is none). */
json_t *sets_to_json(const struct sysset set[TAMIS_ABI_MAX]);
json_t *generation_to_json(const struct generation *g);

/* -EINVAL and a sentence, which names the member by `path` and `key`. */
int bool_from_json(const json_t *o, const char *path, const char *key, bool *ret, char **ret_why);
/* A bounded copy, NULL where it is missing or null and need not be there. */
int text_from_json(const json_t *o, const char *path, const char *key, bool must, char **ret,
		   char **ret_why);
/* All of object `key`: what is left out of it is empty. */
int sets_from_json(const json_t *o, const char *path, const char *key,
		   struct sysset ret[TAMIS_ABI_MAX], char **ret_why);
/* *ret is done by the caller, whatever comes back. -EUCLEAN: the digest isn't that of the sets. */
int generation_from_json(const json_t *o, const char *path, struct generation *ret, char **ret_why);
