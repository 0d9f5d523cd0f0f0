/* SPDX-License-Identifier: Apache-2.0 */
#include "model/matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const outcome_names[] = {
	[MATRIX_NONE] = "none",
	[MATRIX_PASS] = "pass",
	[MATRIX_FAIL] = "fail",
	[MATRIX_HUNG] = "hung",
};

_Static_assert(ARRAY_SIZE(outcome_names) == MATRIX_OUTCOME_MAX, "a name each");

const char *matrix_outcome_name(enum matrix_outcome o)
{
	return (unsigned)o < MATRIX_OUTCOME_MAX ? outcome_names[o] : "none";
}

int matrix_outcome_from_name(const char *name, enum matrix_outcome *ret)
{
	for (unsigned o = 0; o < MATRIX_OUTCOME_MAX; o++) {
		if (strcmp(name, outcome_names[o]) == 0) {
			*ret = (enum matrix_outcome)o;
			return 0;
		}
	}
	return -ENOENT;
}

void matrix_done(struct matrix *m)
{
	for (size_t i = 0; i < m->cnt; i++)
		free(m->unit[i].name);
	free(m->unit);
	*m = (struct matrix){ 0 };
}

static int make_room(struct matrix *m)
{
	size_t room = m->room ? 2 * m->room : 16;
	struct matrix_unit *unit;

	if (m->cnt < m->room)
		return 0;
	unit = reallocarray(m->unit, room, sizeof(*unit));
	if (!unit)
		return -ENOMEM;
	m->unit = unit;
	m->room = room;
	return 0;
}

int matrix_add(struct matrix *m, const char *name, int64_t began, struct matrix_unit **ret)
{
	_free_ char *copy = name ? strdup(name) : NULL;

	if ((name && !copy) || make_room(m) < 0)
		return -ENOMEM;
	m->unit[m->cnt] = (struct matrix_unit){ .name = TAKE_PTR(copy), .began = began };
	*ret = &m->unit[m->cnt++];
	return 0;
}

/* The union of all units; returns how many calls that are. */
static size_t unite(const struct matrix *m, struct sysset *all)
{
	size_t cnt = 0;

	memset(all, 0, TAMIS_ABI_MAX * sizeof(*all));
	for (size_t i = 0; i < m->cnt; i++)
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			sysset_merge(&all[abi], &m->unit[i].set[abi]);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&all[abi]);
	return cnt;
}

static void count_units(const struct matrix *m, struct matrix_call *c)
{
	for (size_t i = 0; i < m->cnt; i++) {
		if (sysset_has(&m->unit[i].set[c->abi], c->nr) && c->units++ == 0)
			c->first = i;
	}
}

int matrix_calls(const struct matrix *m, struct matrix_call **ret, size_t *ret_cnt)
{
	struct sysset all[TAMIS_ABI_MAX];
	size_t cnt = unite(m, all), at = 0;
	struct matrix_call *call = calloc(cnt + 1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&all[abi], 0); nr >= 0;
		     nr = sysset_next(&all[abi], (unsigned)nr + 1)) {
			call[at].abi = (enum tamis_abi)abi;
			call[at].nr = (uint32_t)nr;
			count_units(m, &call[at++]);
		}
	}
	*ret = call;
	*ret_cnt = cnt;
	return 0;
}

void matrix_growth(const struct matrix *m, uint32_t *ret)
{
	struct sysset all[TAMIS_ABI_MAX] = { 0 };

	for (size_t i = 0; i < m->cnt; i++) {
		ret[i] = 0;
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			sysset_merge(&all[abi], &m->unit[i].set[abi]);
			ret[i] += sysset_count(&all[abi]);
		}
	}
}

void matrix_judged(const struct matrix *m, struct sysset ret[TAMIS_ABI_MAX])
{
	memset(ret, 0, TAMIS_ABI_MAX * sizeof(*ret));
	for (size_t i = 0; i < m->cnt; i++) {
		enum matrix_outcome o = m->unit[i].outcome;

		for (unsigned abi = 0; o <= MATRIX_PASS && abi < TAMIS_ABI_MAX; abi++)
			sysset_merge(&ret[abi], &m->unit[i].set[abi]);
	}
}
