/* SPDX-License-Identifier: Apache-2.0 */
/* What `tamis apply` is about to do: the generation, what it changes, what becomes of it. */
#pragma once

#include "cli/applying.h"
#include "learn/make.h"

struct plan_options {
	enum policy_mode mode; /* shadow, probation or enforce */
	enum probation_rule rule;
	bool has_rule; /* else what the configuration says */
	struct make_options make;
	bool replace, unconfined, keep_new_image;
	bool again; /* one that failed may be tried again */
};

struct plan {
	struct generation now, before; /* before.number 0: there was none */
	bool same;		       /* `now` was there already: nothing new was learned */
	bool again; /* it failed, and is to be tried again: applying_try_again, once committed */
	struct store_applied was, is;
	struct sysset added[TAMIS_ABI_MAX], gone[TAMIS_ABI_MAX]; /* against `before` */
	struct sysset pending[TAMIS_ABI_MAX]; /* seen, and waiting for a person's word */
	struct sysset mined[TAMIS_ABI_MAX];   /* of what is denied: by mining */
};

/* Makes it, the new generation in the store too, within a's transaction. Logs why not. */
int plan_make(struct applying *a, const struct plan_options *o, struct plan *ret);
void plan_done(struct plan *p);
#define _plan_ __attribute__((cleanup(plan_done)))

/* For people. `dry_run`: where it would be written too. */
void plan_print(const struct applying *a, const struct plan *p, bool dry_run);
