/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's journal into the store: what it let go on is learned, what it refused is a denial. The
 * place read to (meta "journal") is part of the transaction, so that each line counts once.
 */
#pragma once

#include "policy/denials.h"

struct keeper_news {
	uint64_t calls, learned, asked, denied, bad;
};

struct keeper_news_options {
	struct store *store;
	const char *state;
	/* A call that a restart would make free: told once for each line. May be NULL. */
	void (*hot)(void *arg, const char *key, enum tamis_abi abi, uint32_t nr,
		    uint64_t per_minute);
	/* Learned for the first time, or refused for the first time. May be NULL. */
	void (*news)(void *arg, const char *key, const struct store_denial *d, bool learned);
	void *arg;
};

/* Reads what is new, one transaction, then trims. Negative errno: nothing was taken. */
int keeper_news_take(const struct keeper_news_options *o, int64_t now, struct keeper_news *ret);
