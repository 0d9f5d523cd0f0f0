/* SPDX-License-Identifier: Apache-2.0 */
/* What generations in shadow would have refused, told once for each workload and call. */
#pragma once

#include "base/cleanup.h"
#include "policy/generations.h"

struct shadow_news;

int shadow_news_new(struct shadow_news **ret);
void shadow_news_free(struct shadow_news *n);
CLEANUP_DEFINE(struct shadow_news *, shadow_news_free);

/* `say` hears of each workload in shadow that made calls since, which its generation doesn't have
 * (TAMIS_ABI_MAX sets; those that wait for a person's word too). */
int shadow_news_look(struct shadow_news *n, struct store *s,
		     void (*say)(void *arg, const char *key, uint32_t generation,
				 const struct sysset *calls),
		     void *arg);
