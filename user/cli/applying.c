/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/applying.h"

#include <errno.h>
#include <string.h>

#include "apply/trial.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/lookup.h"

#define NAME_SHOWN 256

int applying_open(const char *state, const char *config, const char *name, struct applying *a)
{
	const struct store_row *row = &a->row;
	int r = apply_config_read(config, &a->config);

	a->state = state;
	if (r == 0)
		r = lookup_open(state, STORE_EDIT, &a->store);
	if (r == 0)
		r = lookup_workload(a->store, name, &a->row);
	if (r < 0)
		return r;
	a->shown = text_escaped(row->name && *row->name ? row->name : row->key, NAME_SHOWN);
	if (!a->shown)
		return log_err_errno(-ENOMEM, "%s", row->key);
	a->ways = (struct ways){
		.state = state,
		.kubelet_dir = a->config.kubelet_dir,
		.trial_s = a->config.trial_s,
		.listener = a->config.keeper,
	};
	return 0;
}

void applying_done(struct applying *a)
{
	store_row_done(&a->row);
	store_close(a->store);
	apply_config_done(&a->config);
	free(a->shown);
}

int applying_commit(struct applying *a, const struct store_applied *is)
{
	_free_ char *why = NULL;
	int r = store_applied_set(a->store, a->row.id, is);

	if (r < 0)
		return lookup_failed(a->store, r);
	r = ways_put(&a->ways, a->store, &a->row, &why);
	if (r < 0) {
		log_err("nothing was changed: %s", why ?: strerror(-r));
		return r;
	}
	r = lookup_commit(a->store);
	if (r == 0) {
		ways_settled(&a->ways, a->store, &a->row);
		return 0;
	}
	store_rollback(a->store);
	ways_restore(&a->ways, a->store, &a->row);
	return r;
}

/* --- trials ------------------------------------------------------------------------------ */

/* Starts have the keys of what was merged, too. */
static void each_key(struct store *s, const struct store_row *row,
		     void (*fn)(void *ctx, const char *key), void *ctx)
{
	char **alias = NULL;
	size_t cnt = 0;

	fn(ctx, row->key);
	(void)store_aliases(s, row->id, &alias, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		fn(ctx, alias[i]);
		free(alias[i]);
	}
	free(alias);
}

struct judging {
	const char *state;
	unsigned trial_s;
	struct generation *g;
};

static void judge_key(void *ctx, const char *key)
{
	const struct judging *j = ctx;
	struct trial t = { 0 };
	struct trial_said said;

	if (j->g->state != GENERATION_TRIAL ||
	    trial_read(j->state, key, j->g->number, NULL, &t) < 0)
		return;
	said = trial_judge(t.start, t.cnt, j->trial_s);
	trial_done(&t);
	if (said.verdict == TRIAL_PASSED)
		j->g->state = GENERATION_GOOD;
	if (said.verdict != TRIAL_FAILED)
		return;
	j->g->state = GENERATION_FAILED;
	free(j->g->failed);
	j->g->failed = strdup(said.why);
}

void applying_judge(const char *state, struct store *s, const struct store_row *row,
		    unsigned trial_s, struct generation *g)
{
	each_key(s, row, judge_key, &(struct judging){ state, trial_s, g });
}

static void forget_key(void *ctx, const char *key)
{
	(void)trial_remove(ctx, key);
}

void applying_try_again(const struct applying *a)
{
	each_key(a->store, &a->row, forget_key, (void *)a->state);
}

int applying_newest_good(struct applying *a, uint32_t before, uint32_t *ret)
{
	struct generation *g = NULL;
	size_t cnt = 0;
	int r = store_generations(a->store, a->row.id, &g, &cnt);

	*ret = 0;
	for (size_t i = 0; i < cnt; i++) {
		applying_judge(a->state, a->store, &a->row, a->config.trial_s, &g[i]);
		if (g[i].number < before && g[i].state == GENERATION_GOOD)
			*ret = g[i].number;
		generation_done(&g[i]);
	}
	free(g);
	return r < 0 ? lookup_failed(a->store, r) : 0;
}
