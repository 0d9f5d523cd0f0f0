/* SPDX-License-Identifier: Apache-2.0 */
/* What was refused to production, and what needs no twin to be rejected. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/stream.h"
#include "learn/oracle_internal.h"
#include "model/abi.h"
#include "model/calls.h"
#include "policy/data.h"

#define LISTED 40 /* calls in one line */

/* --- sets ------------------------------------------------------------------------------------- */

unsigned oracle_count(const struct sysset *calls)
{
	unsigned cnt = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&calls[abi]);
	return cnt;
}

static void write_list(FILE *f, const struct sysset *calls)
{
	unsigned cnt = 0, all = oracle_count(calls);
	char name[CALLS_NAME_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const char *of = abi == abi_native() ? "" : abi_name(abi);

		for (int nr = sysset_next(&calls[abi], 0); nr >= 0 && cnt < LISTED;
		     nr = sysset_next(&calls[abi], (unsigned)nr + 1))
			fprintf(f, "%s%s%s%s", cnt++ ? ", " : "", of, *of ? ":" : "",
				calls_print(abi, (unsigned)nr, name));
	}
	if (all > cnt)
		fprintf(f, " and %u more", all - cnt);
}

char *oracle_list(const struct sysset *calls)
{
	char *text = NULL;
	size_t len;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return NULL;
	write_list(f, calls);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static void merge_all(struct sysset *into, const struct sysset *from)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&into[abi], &from[abi]);
}

static int load_data(struct oracle_calls *c)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = data_guard(c->guard);

	if (r == 0)
		r = data_sanitizer(c->sanitizer);
	if (r == 0)
		r = data_always(c->passes);
	if (r == 0)
		r = data_gate(NULL, gate);
	merge_all(c->passes, gate);
	return r;
}

/* Also those that are in no verdict, as a runtime's start needs them. */
static int load_rejected(struct store *s, int64_t workload, struct sysset *ret)
{
	struct store_oracle_call *call = NULL;
	size_t cnt = 0;
	int r = store_oracle_calls(s, workload, &call, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		if (call[i].rejected)
			sysset_add(&ret[call[i].abi], call[i].nr);
		free(call[i].report);
	}
	free(call);
	return r;
}

int oracle_calls_load(struct store *s, int64_t workload, struct oracle_calls *ret)
{
	int r = store_applied_get(s, workload, &ret->is);

	if (r == 0 && ret->is.generation)
		r = store_generation_get(s, workload, ret->is.generation, &ret->now);
	if (r == 0)
		r = store_verdicts(s, workload, &ret->said);
	if (r == 0)
		r = load_rejected(s, workload, ret->rejected);
	if (r == 0)
		r = load_data(ret);
	for (int stage = 0; r == 0 && stage < TAMIS_STAGE_MAX; stage++)
		if (stage != TAMIS_SETUP)
			merge_all(ret->in_force, ret->now.learned.set[stage]);
	return r;
}

/* --- what was asked ---------------------------------------------------------------------------- */

static bool is_refusal(const struct store_denial *d, int64_t since)
{
	return d->kind != DENIAL_REJECTED && d->nr < TAMIS_CALLS &&
	       (unsigned)d->abi < TAMIS_ABI_MAX && d->last >= since;
}

int oracle_asked(struct store *s, int64_t workload, int64_t since, struct sysset *ret)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;
	int r = store_denials(s, workload, &d, &cnt);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cnt; i++)
		if (is_refusal(&d[i], since))
			sysset_add(&ret[d[i].abi], d[i].nr);
	store_denials_free(d, cnt);
	return 0;
}

/* Nobody has said anything of it, and it is refused still. Its generation isn't asked: a start may be
 * told after its first denials, which count as the generation's before. */
static bool is_open(const struct oracle_calls *c, const struct store_denial *d)
{
	return !sysset_has(&c->in_force[d->abi], d->nr) &&
	       !sysset_has(&c->said.denied[d->abi], d->nr) &&
	       (!sysset_has(&c->rejected[d->abi], d->nr) ||
		sysset_has(&c->said.allowed[d->abi], d->nr));
}

struct found {
	struct sysset guarded[TAMIS_ABI_MAX];
	struct store_denial first;
	bool any;
};

static void sort_out(const struct oracle_calls *c, const struct store_denial *d, struct found *ret)
{
	if (sysset_has(&c->guard[d->abi], d->nr) && !sysset_has(&c->said.allowed[d->abi], d->nr)) {
		sysset_add(&ret->guarded[d->abi], d->nr);
		return;
	}
	if (!ret->any || d->last < ret->first.last)
		ret->first = *d;
	ret->any = true;
}

static int find(struct store *s, const struct store_oracle *o, const struct oracle_calls *c,
		struct found *ret)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;
	int r = store_denials(s, o->workload, &d, &cnt);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cnt; i++)
		if (is_refusal(&d[i], o->since / 1000) && is_open(c, &d[i]))
			sort_out(c, &d[i], ret);
	store_denials_free(d, cnt);
	return 0;
}

/* --- rejected ---------------------------------------------------------------------------------- */

static bool is_exec(enum tamis_abi abi, unsigned nr)
{
	int execve = calls_number(abi, "execve");

	return execve >= 0 && nr == (unsigned)execve;
}

static int reject_one(struct store *s, const struct store_oracle *o, const struct oracle_calls *c,
		      enum tamis_abi abi, unsigned nr, const char *report, int64_t now)
{
	const struct store_oracle_call call = {
		.abi = abi,
		.nr = nr,
		.rejected = true,
		.at = now,
		.loop = o->loops,
		.report = (char *)report,
	};
	const struct store_denial denial = {
		.workload = o->workload,
		.kind = DENIAL_REJECTED,
		.abi = abi,
		.nr = nr,
		.generation = c->is.generation,
		.count = 1,
		.first = now,
		.last = now,
	};
	int r = store_oracle_call(s, o->workload, &call);

	if (r == 0)
		r = store_denial_add(s, &denial, NULL);
	/* A runtime's own start needs what passes there: denied, nothing would start. But execve, which
	 * can't be denied to anybody, and so is only no part of what was learned. */
	if (r >= 0 && (!sysset_has(&c->passes[abi], nr) || is_exec(abi, nr)))
		r = store_verdict_set(s, o->workload, abi, nr, VERDICT_DENY, now);
	return r < 0 ? r : 0;
}

int oracle_reject(struct store *s, struct store_oracle *o, const struct oracle_calls *c,
		  const struct sysset *calls, const char *report, int64_t now)
{
	int r = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (int nr = sysset_next(&calls[abi], 0); r == 0 && nr >= 0;
		     nr = sysset_next(&calls[abi], (unsigned)nr + 1))
			r = reject_one(s, o, c, abi, (unsigned)nr, report, now);
	o->rejected += oracle_count(calls);
	return r;
}

static bool is_made(const struct policy_origin *o)
{
	return o->stage == TAMIS_WORKLOAD || o->stage == TAMIS_SESSION;
}

int oracle_shared(struct store *s, int64_t workload, const struct oracle_calls *c, int64_t since,
		  struct sysset *ret)
{
	struct policy_origin *origin = NULL;
	size_t cnt = 0;
	int r = store_origins(s, workload, &origin, &cnt);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cnt; i++)
		if (is_made(&origin[i]) && is_exec(origin[i].abi, origin[i].nr) &&
		    origin[i].first >= since &&
		    !sysset_has(&c->in_force[origin[i].abi], origin[i].nr) &&
		    !sysset_has(&c->said.allowed[origin[i].abi], origin[i].nr))
			sysset_add(&ret[origin[i].abi], origin[i].nr);
	store_origins_free(origin, cnt);
	return 0;
}

static int store_guarded(const struct oracles *all, struct oracle_machine *m,
			 const struct oracle_calls *c, const struct sysset *calls, int64_t now)
{
	uint32_t before = m->row.rejected;
	int r = store_begin(all->o.store);

	if (r < 0)
		return r;
	r = oracle_reject(all->o.store, &m->row, c, calls, "guarded", now);
	if (r == 0)
		r = oracle_write(all->o.store, &m->row);
	if (r == 0)
		r = store_commit(all->o.store);
	if (r < 0) {
		store_rollback(all->o.store);
		m->row.rejected = before;
	}
	return r;
}

/* Production goes on. */
static int reject_guarded(const struct oracles *all, struct oracle_machine *m,
			  const struct oracle_calls *c, struct found *f, int64_t now)
{
	_free_ char *list = NULL;
	int r = oracle_shared(all->o.store, m->row.workload, c, m->row.began, f->guarded);

	if (r == 0)
		r = store_guarded(all, m, c, f->guarded, now);
	if (r < 0)
		return r;
	list = oracle_list(f->guarded);
	oracle_say(all, true, m, "rejected, guarded ('tamis allow' lets it in): %s", list ?: "?");
	return 0;
}

int oracle_find_denied(const struct oracles *all, struct oracle_machine *m, int64_t now_ms,
		       int64_t *ret_at)
{
	_calls_ struct oracle_calls c = { 0 };
	struct found f = { 0 };
	int r = oracle_calls_load(all->o.store, m->row.workload, &c);

	if (r == 0)
		r = find(all->o.store, &m->row, &c, &f);
	if (r == 0 && oracle_count(f.guarded))
		r = reject_guarded(all, m, &c, &f, now_ms / 1000);
	if (r < 0 || !f.any)
		return r;
	m->row.abi = f.first.abi;
	m->row.nr = f.first.nr;
	*ret_at = f.first.last;
	return 1;
}
