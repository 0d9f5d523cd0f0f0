/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a loop: what the twin did becomes the next generation, or is rejected. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "learn/oracle_files.h"
#include "learn/oracle_internal.h"
#include "learn/oracle_plain.h"

#define MAKER	 "oracle"
#define LOOP_S	 86400 /* one that began longer ago is none */
#define REPORTED 160
#define NO_TWIN	 "the twin was not there"
#define NOT_SEEN "nothing was seen of the twin"
#define NOT_MADE "the twin made none of the calls that were refused"

/* One loop's, as the transaction under way sees it. */
struct verdict {
	const struct oracles *all;
	const struct oracle_machine *m;
	int64_t now; /* seconds */
	int64_t began;
	struct store_oracle row; /* borrows its strings, but for why */
	struct oracle_twin twin;
	struct oracle_said said;
	struct oracle_calls calls;
	struct sysset made[TAMIS_ABI_MAX], asked[TAMIS_ABI_MAX];
	struct sysset learned[TAMIS_ABI_MAX], rejected[TAMIS_ABI_MAX];
	struct store_row workload;
	uint32_t generation;
	bool is_put, is_new;
	char *why; /* nothing came of it */
};

static void verdict_donep(struct verdict *v)
{
	free((char *)v->twin.log);
	generation_done(&v->calls.now);
	store_row_done(&v->workload);
	free(v->why);
}
#define _verdict_ __attribute__((cleanup(verdict_donep)))

/* --- the store ------------------------------------------------------------------------------- */

int oracle_workload(struct store *s, int64_t id, struct store_row *ret)
{
	struct store_row *rows = NULL;
	size_t cnt = 0;
	int r = store_list(s, &rows, &cnt), found = -ENOENT;

	for (size_t i = 0; i < cnt; i++) {
		if (rows[i].id == id) {
			*ret = rows[i];
			found = 0;
		} else {
			store_row_done(&rows[i]);
		}
	}
	free(rows);
	return r < 0 ? r : found;
}

int oracle_forget_twin(struct store *s, const struct oracle_machine *m)
{
	_free_ char *key = m->engine->twin_key(&m->row);
	bool running = false;
	int64_t id;
	int r = key ? store_begin(s) : -ENOMEM;

	if (r == 0)
		r = store_workload_id(s, key, &id);
	if (r == 0)
		r = store_forget(s, id, &running);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	else
		store_touched(s);
	if (r == -ENOENT || r == -EBUSY)
		return 0;
	return r < 0 ? r : running;
}

/* --- what there is to judge --------------------------------------------------------------------- */

/* The newest loop's, from how many began since when. */
static int find_began(struct verdict *v)
{
	int64_t low = v->now - LOOP_S, high = v->now + 1;
	int r = 0;

	while (r == 0 && high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		uint32_t cnt = 0;

		r = store_oracle_loops_since(v->all->o.store, v->row.workload, middle, &cnt);
		if (cnt)
			low = middle;
		else
			high = middle;
	}
	v->began = low;
	return r;
}

/* What a program without a sanitizer made was its own, whoever else makes the same. */
static int load_plain(struct verdict *v, int64_t twin)
{
	_free_ char *path = oracle_file(v->all->dir, v->row.workload, ORACLE_PLAIN);
	struct sysset plain[TAMIS_ABI_MAX];
	int r = path ? oracle_plain_calls(v->all->o.store, twin, path, plain) : -ENOMEM;

	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		sysset_remove(&v->calls.sanitizer[abi], &plain[abi]);
	return r;
}

/* -ENOENT: nobody saw it. */
static int load_made(struct verdict *v)
{
	_free_ char *key = v->m->engine->twin_key(&v->row);
	struct learned l;
	int64_t id;
	int r = key ? store_workload_id(v->all->o.store, key, &id) : -ENOMEM;

	if (r == 0)
		r = store_learned(v->all->o.store, id, &l);
	if (r == 0)
		r = load_plain(v, id);
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		v->made[abi] = l.set[TAMIS_WORKLOAD][abi];
		sysset_merge(&v->made[abi], &l.set[TAMIS_SESSION][abi]);
	}
	return r;
}

static int load_asked(struct verdict *v)
{
	int r = find_began(v);

	if (r == 0)
		r = oracle_asked(v->all->o.store, v->row.workload, v->began, v->asked);
	if (v->row.nr < TAMIS_CALLS)
		sysset_add(&v->asked[v->row.abi], v->row.nr);
	return r;
}

static int give_why(struct verdict *v, char *why)
{
	v->why = why;
	return why ? 0 : -ENOMEM;
}

static int load(struct verdict *v)
{
	int r = oracle_workload(v->all->o.store, v->row.workload, &v->workload);

	if (r == 0)
		r = oracle_calls_load(v->all->o.store, v->row.workload, &v->calls);
	if (r == 0)
		r = load_asked(v);
	if (r < 0)
		return r;
	r = v->m->engine->twin(&v->row, v->all->dir, &v->twin);
	if (r == -ENOENT)
		return give_why(v, strdup(NO_TWIN));
	if (r == 0)
		v->said = oracle_judge_twin(&v->twin);
	if (r < 0 || v->said.reported)
		return r;
	if (!v->said.up)
		return give_why(v, text_format("the twin didn't stay: it ended with %s %d",
					       v->twin.killed ? "signal" : "status", v->twin.code));
	r = load_made(v);
	return r == -ENOENT ? give_why(v, strdup(NOT_SEEN)) : r;
}

/* --- what comes of it --------------------------------------------------------------------------- */

static int judge(struct verdict *v)
{
	struct sysset known[TAMIS_ABI_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		known[abi] = v->calls.in_force[abi];
		sysset_merge(&known[abi], &v->calls.said.allowed[abi]);
		sysset_merge(&known[abi], &v->calls.said.denied[abi]);
		sysset_merge(&known[abi], &v->calls.rejected[abi]);
	}
	oracle_judge_calls(v->made, v->asked, v->calls.guard, v->calls.sanitizer, known,
			   v->said.reported, v->learned, v->rejected);
	return v->said.reported ? oracle_shared(v->all->o.store, v->row.workload, &v->calls,
						v->row.began, v->rejected)
				: 0;
}

static int learn_one(struct verdict *v, enum tamis_abi abi)
{
	struct store *s = v->all->o.store;
	int r = store_learn(s, v->row.workload, "oracle", abi, &v->learned[abi], NULL, v->now);

	for (int nr = sysset_next(&v->learned[abi], 0); r == 0 && nr >= 0;
	     nr = sysset_next(&v->learned[abi], (unsigned)nr + 1)) {
		const struct store_oracle_call call = {
			.abi = abi, .nr = (uint32_t)nr, .at = v->now, .loop = v->row.loops
		};

		r = store_oracle_call(s, v->row.workload, &call);
	}
	return r;
}

static int learn(struct verdict *v)
{
	int r = 0;

	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		if (!sysset_is_empty(&v->learned[abi]))
			r = learn_one(v, abi);
	v->row.learned += oracle_count(v->learned);
	return r;
}

/* What production is under, and what was learned now: nothing that it was seen doing meanwhile. */
static int make(struct verdict *v, struct generation *g)
{
	struct verdicts said;
	int r = generation_copy(&v->calls.now, g);

	if (r == 0)
		r = store_verdicts(v->all->o.store, v->row.workload, &said);
	if (r < 0)
		return r;
	free(g->maker);
	g->maker = strdup(MAKER);
	g->created = v->now;
	g->state = GENERATION_GOOD;
	free(TAKE_PTR(g->failed));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&g->learned.set[TAMIS_WORKLOAD][abi], &v->learned[abi]);
	guard_sift(&g->learned, v->calls.guard, &said, NULL);
	memcpy(g->denied, said.denied, sizeof(g->denied));
	memcpy(g->denied_eperm, said.denied_eperm, sizeof(g->denied_eperm));
	return g->maker ? 0 : -ENOMEM;
}

static int put(struct verdict *v)
{
	_free_ char *why = NULL;
	int r = ways_put(v->all->o.ways, v->all->o.store, &v->workload, &why);

	v->is_put = true;
	if (r < 0)
		oracle_say(v->all, true, v->m, "its next generation can't be put in force: %s",
			   why ?: strerror(-r));
	return r;
}

/* Whoever released it meanwhile has the last word. */
static int apply(struct verdict *v)
{
	_generation_ struct generation g = { 0 };
	struct store_applied is = v->calls.is;
	struct store *s = v->all->o.store;
	int r = is.generation ? make(v, &g) : 0;

	if (r == 0 && is.generation)
		r = store_generation_add(s, v->row.workload, &g);
	if (r < 0 || !is.generation)
		return r;
	v->generation = g.number;
	v->is_new = g.number != is.generation;
	if (!v->is_new)
		return 0;
	r = store_generation_state(s, v->row.workload, g.number, GENERATION_GOOD, NULL);
	is.generation = g.number;
	is.since = v->now;
	if (r == 0)
		r = store_applied_set(s, v->row.workload, &is);
	return r < 0 ? r : put(v);
}

/* Whether the loop was worth it: else the next one waits. */
static void count(struct verdict *v)
{
	bool worth = v->is_new || oracle_count(v->rejected) > 0;

	if (!worth && !v->why)
		v->why = strdup(NOT_MADE);
	v->row.failures = worth ? 0 : v->row.failures + 1;
}

static int decide(struct verdict *v, int64_t now_ms)
{
	struct store *s = v->all->o.store;
	int r = load(v);

	if (r == 0 && !v->why)
		r = judge(v);
	if (r == 0)
		r = learn(v);
	if (r == 0)
		r = oracle_reject(s, &v->row, &v->calls, v->rejected, v->said.report, v->now);
	if (r == 0)
		r = apply(v);
	if (r < 0)
		return r;
	count(v);
	(void)oracle_step(&v->row, ORACLE_EV_DONE, 0, now_ms);
	v->row.why = v->why ?: v->said.reported ? v->said.report : NULL;
	return oracle_write(s, &v->row);
}

/* --- telling --------------------------------------------------------------------------------------- */

static void tell(const struct verdict *v)
{
	_free_ char *learned = oracle_list(v->learned), *rejected = oracle_list(v->rejected);
	_free_ char *report = text_escaped(v->said.report, REPORTED);
	uint32_t loop = v->row.loops;

	if (v->why)
		oracle_say(v->all, true, v->m, "loop %" PRIu32 ": nothing learned: %s", loop,
			   v->why);
	if (oracle_count(v->rejected))
		oracle_say(v->all, true, v->m, "loop %" PRIu32 ": rejected %s: %s", loop,
			   rejected ?: "?", *v->said.report ? report ?: "?" : "guarded");
	else if (v->said.reported)
		oracle_say(v->all, true, v->m, "loop %" PRIu32 ": nothing is believed: %s", loop,
			   report ?: "?");
	if (oracle_count(v->learned))
		oracle_say(v->all, false, v->m, "loop %" PRIu32 ": learned %s: generation %" PRIu32,
			   loop, learned ?: "?", v->generation);
}

static int take(struct oracle_machine *m, struct verdict *v)
{
	char *why = v->row.why ? strdup(v->row.why) : NULL;

	free(m->row.why);
	m->row = v->row;
	m->row.why = why;
	return 0;
}

int oracle_verdict(const struct oracles *all, struct oracle_machine *m, int64_t now_ms)
{
	_verdict_ struct verdict v = { .all = all, .m = m, .now = now_ms / 1000, .row = m->row };
	struct store *s = all->o.store;
	int r = store_begin(s);

	if (r < 0)
		return r;
	v.row.why = NULL;
	r = decide(&v, now_ms);
	if (r == 0)
		r = store_commit(s);
	if (r < 0) {
		store_rollback(s);
		if (v.is_put)
			ways_restore(all->o.ways, s, &v.workload);
		return r;
	}
	if (v.is_put)
		ways_settled(all->o.ways, s, &v.workload);
	tell(&v);
	return take(m, &v);
}

int oracle_release(const struct oracles *all, struct oracle_machine *m)
{
	struct store *s = all->o.store;
	const struct store_applied nothing = { .mode = MODE_OBSERVE };
	struct store_row row = { 0 };
	_free_ char *why = NULL;
	int r = store_begin(s);

	if (r == 0)
		r = oracle_workload(s, m->row.workload, &row);
	if (r == 0)
		r = store_applied_set(s, m->row.workload, &nothing);
	if (r == 0)
		r = ways_put(all->o.ways, s, &row, &why);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	if (row.key && r < 0)
		ways_restore(all->o.ways, s, &row);
	if (r == 0)
		ways_settled(all->o.ways, s, &row);
	store_row_done(&row);
	return r;
}
