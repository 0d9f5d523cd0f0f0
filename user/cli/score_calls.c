/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/score_calls.h"

#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "policy/mines.h"

/* --- which calls -------------------------------------------------------------------------- */

struct found {
	const struct scoring *s;
	const struct filter *f;
	struct score_call *call;
	size_t cnt, room;
	size_t *cve; /* room for all */
};

static bool judged(const struct filter *f, unsigned abi)
{
	return abi_runs_on(abi, score_machine(f)) && f->abis >> abi & 1;
}

/* It was there as a call of an ABI before this one. */
static bool is_known(const struct filter *f, unsigned abi, const char *name)
{
	for (unsigned a = 0; a < abi; a++)
		if (judged(f, a) && calls_number(a, name) >= 0)
			return true;
	return false;
}

static int add(struct found *found, const struct score_call *c)
{
	struct score_call *more;

	if (found->cnt == found->room) {
		size_t room = found->room ? found->room * 2 : 64;

		more = reallocarray(found->call, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		found->call = more;
		found->room = room;
	}
	more = &found->call[found->cnt];
	*more = *c;
	more->cve = calloc(c->cnt, sizeof(*more->cve));
	if (!more->cve)
		return -ENOMEM;
	memcpy(more->cve, found->cve, c->cnt * sizeof(*more->cve));
	found->cnt++;
	return 0;
}

static int look_at(struct found *found, unsigned abi, uint32_t nr)
{
	const struct score_risk *risk = &found->s->risk;
	struct score_call c = { .abi = abi, .nr = nr };

	c.guarded = sysset_has(&risk->guard[abi], nr);
	c.cnt = score_alone(found->f, risk, abi, nr, found->cve);
	if (c.cnt == 0) {
		c.more = true;
		c.cnt = score_opens(found->f, risk, abi, nr, found->cve);
	}
	return c.cnt ? add(found, &c) : 0;
}

static bool is_execve(const char *name)
{
	return strcmp(name, "execve") == 0 || strcmp(name, "execveat") == 0;
}

static int look_at_abi(struct found *found, unsigned abi)
{
	int r = 0;

	for (unsigned nr = 0; r == 0 && nr < calls_end(abi); nr++) {
		const char *name = calls_name(abi, nr);

		if (name && !is_execve(name) && !is_known(found->f, abi, name))
			r = look_at(found, abi, nr);
	}
	return r;
}

static int compare(const void *x, const void *y)
{
	const struct score_call *a = x, *b = y;

	if (a->more != b->more)
		return a->more ? 1 : -1;
	if (a->cnt != b->cnt)
		return a->cnt < b->cnt ? 1 : -1;
	return strcmp(calls_name(a->abi, a->nr), calls_name(b->abi, b->nr));
}

void score_calls_free(struct score_call *c, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		free(c[i].cve);
		free(c[i].first);
	}
	free(c);
}

int score_calls(const struct scoring *s, const struct filter *f, struct score_call **ret,
		size_t *ret_cnt)
{
	_free_ size_t *cve = calloc(s->risk.cnt, sizeof(*cve));
	struct found found = { .s = s, .f = f, .cve = cve };
	int r = cve ? 0 : -ENOMEM;

	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		if (judged(f, abi))
			r = look_at_abi(&found, abi);
	if (r < 0) {
		score_calls_free(found.call, found.cnt);
		return r;
	}
	if (found.cnt)
		qsort(found.call, found.cnt, sizeof(*found.call), compare);
	*ret = found.call;
	*ret_cnt = found.cnt;
	return 0;
}

/* --- who made them ------------------------------------------------------------------------ */

static const char *first_of(const struct matrix *m, const char *name)
{
	for (size_t i = 0; i < m->cnt; i++) {
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			int nr = calls_number(abi, name);

			if (nr >= 0 && sysset_has(&m->unit[i].set[abi], (unsigned)nr))
				return m->unit[i].name;
		}
	}
	return NULL;
}

static int last_run(struct store *s, int64_t workload, int64_t *ret)
{
	struct store_mine m = { 0 };
	int r = store_mine_last(s, workload, &m);

	*ret = r == 0 ? m.id : 0;
	if (r == 0)
		store_mine_done(&m);
	return r == -ENOENT ? 0 : r;
}

int score_calls_first(struct store *s, int64_t workload, struct score_call *c, size_t cnt)
{
	_matrix_ struct matrix m = { 0 };
	int64_t mine = 0;
	int r = last_run(s, workload, &mine);

	if (r == 0)
		r = store_matrix(s, workload, mine, &m);
	for (size_t i = 0; r == 0 && i < cnt; i++) {
		const char *first = c[i].more ? NULL : first_of(&m, calls_name(c[i].abi, c[i].nr));

		c[i].first = first ? strdup(first) : NULL;
		if (first && !c[i].first)
			r = -ENOMEM;
	}
	return r;
}
