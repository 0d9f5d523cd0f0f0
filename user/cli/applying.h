/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that change what is applied to a workload. All log why not. */
#pragma once

#include "apply/ways.h"
#include "cli/apply_config.h"

struct applying {
	const char *state;
	struct apply_config config;
	struct store *store; /* one transaction, taken back by applying_done without a commit */
	struct store_row row;
	struct ways ways; /* borrows from the above */
	char *shown;	  /* the workload's name for people, escaped */
};

/* `a` must stay where it is, and is to be given to applying_done in any case. */
int applying_open(const char *state, const char *config, const char *name, struct applying *a);
void applying_done(struct applying *a);
#define _applying_ __attribute__((cleanup(applying_done)))

/* Into the store and to where starts look, or neither. */
int applying_commit(struct applying *a, const struct store_applied *is);

/* Brings g's state up to what its trial has shown by now, which the daemon may not have settled yet;
 * silent: where nothing can be read it stays as it is. */
void applying_judge(const char *state, struct store *s, const struct store_row *row,
		    unsigned trial_s, struct generation *g);

/* A generation gets another try: what its trials have shown is forgotten. */
void applying_try_again(const struct applying *a);

/* The newest good generation with a lower number, judged as above; 0: none. */
int applying_newest_good(struct applying *a, uint32_t before, uint32_t *ret);
