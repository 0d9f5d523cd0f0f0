/* SPDX-License-Identifier: Apache-2.0 */
/* How far a run is, and what is still unseen. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "mine/mine_internal.h"
#include "mine/run.h"

/* What was called outside of every test: at the start, at the stop. */
static void outside_of(const struct matrix *all, struct sysset ret[TAMIS_ABI_MAX])
{
	memset(ret, 0, TAMIS_ABI_MAX * sizeof(*ret));
	for (size_t i = 0; i < all->cnt; i++)
		for (unsigned abi = 0; all->unit[i].outcome == MATRIX_NONE && abi < TAMIS_ABI_MAX;
		     abi++)
			sysset_merge(&ret[abi], &all->unit[i].set[abi]);
}

/* What is sampled is a life of the service with one test in it: start and stop are in each of them, and
 * none of their calls is rare. */
static int lives_of(const struct matrix *all, struct matrix *ret)
{
	struct sysset outside[TAMIS_ABI_MAX];
	int r = 0;

	outside_of(all, outside);
	for (size_t i = 0; r == 0 && i < all->cnt; i++) {
		const struct matrix_unit *from = &all->unit[i];
		struct matrix_unit *unit;

		if (from->outcome == MATRIX_NONE)
			continue;
		r = matrix_add(ret, from->name, from->began, &unit);
		for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
			unit->set[abi] = from->set[abi];
			sysset_merge(&unit->set[abi], &outside[abi]);
		}
	}
	return r;
}

int mine_estimate(const struct matrix *all, struct incidence *ret)
{
	_matrix_ struct matrix m = { 0 };
	int r = lives_of(all, &m);

	return r < 0 ? r : incidence_of(&m, ret);
}

int mine_keep_coverage(struct mine *m)
{
	_incidence_ struct incidence in = { 0 };
	struct store *s = m->o->store;
	struct store_coverage c;
	struct unseen u;
	int r = store_coverage_get(s, m->ret->row.id, &c);

	if (r == 0 && c.is_known)
		return 0;
	if (r == 0 || r == -ENOENT)
		r = mine_estimate(&m->ret->matrix, &in);
	if (r < 0)
		return r;
	unseen_estimate(&in, &u);
	if (!u.is_known)
		return 0;
	c = (struct store_coverage){ .at = time(NULL),
				     .units = u.units,
				     .is_known = true,
				     .coverage = u.coverage,
				     .low = u.coverage_low,
				     .high = u.coverage_high,
				     .next_hour = -1 };
	return store_coverage_set(s, m->ret->row.id, &c);
}

static void estimate(struct mine *m, struct mine_progress *p)
{
	_incidence_ struct incidence in = { 0 };
	_matrix_ struct matrix all = { 0 };

	if (!m->ret->run.workload ||
	    store_matrix(m->o->store, m->ret->run.workload, m->ret->run.id, &all) < 0 ||
	    mine_estimate(&all, &in) < 0)
		return;
	unseen_estimate(&in, &p->unseen);
}

unsigned mine_calls(struct mine *m)
{
	_free_ struct learned *l = calloc(1, sizeof(*l));
	unsigned cnt = 0;

	if (!l || !m->ret->run.workload || store_learned(m->o->store, m->ret->run.workload, l) < 0)
		return m->last_calls;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		sysset_merge(&l->set[TAMIS_WORKLOAD][abi], &l->set[TAMIS_SESSION][abi]);
		cnt += sysset_count(&l->set[TAMIS_WORKLOAD][abi]);
	}
	return cnt;
}

void mine_tell(struct mine *m, size_t done, const char *name)
{
	struct mine_progress p = {
		.phase = m->phase,
		.test = done,
		.tests = m->ret->tests,
		.name = name,
		.took_ms = run_now_ms() - m->phase_began,
	};

	if (!m->o->progress)
		return;
	p.calls = mine_calls(m);
	p.grown = p.calls - m->last_calls;
	if (!name)
		m->last_calls = p.calls;
	if (!name && m->phase == MINE_OBSERVE)
		estimate(m, &p);
	m->o->progress(m->o->arg, &p);
}
