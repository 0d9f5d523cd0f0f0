/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "model/widen.h"

/* What runs there instead of `abi`: itself where the machine runs it. x32 has no like elsewhere,
 * its programs would be ordinary ones. */
static enum tamis_abi abi_there(enum tamis_abi abi, enum tamis_abi native)
{
	if (abi_runs_on(abi, native))
		return abi;
	if (abi == TAMIS_ABI_I386)
		return TAMIS_ABI_ARM;
	if (abi == TAMIS_ABI_ARM)
		return TAMIS_ABI_I386;
	return native;
}

struct translating {
	enum tamis_abi from, to;
	const struct translation *t;
	size_t cnt;
};

/* By name, and by the rows beside: false when there is neither. */
static bool translate_call(const struct translating *x, uint32_t nr, struct sysset *ret)
{
	const char *name = calls_name(x->from, nr);
	int same = name ? calls_number(x->to, name) : -ENOENT;
	bool found = same >= 0;

	if (found)
		sysset_add(ret, (unsigned)same);
	for (size_t i = 0; i < x->cnt; i++) {
		const struct translation *t = &x->t[i];

		if (t->from != x->from || t->to != x->to || t->nr != nr)
			continue;
		sysset_add(ret, t->nr_to);
		found = true;
	}
	return found;
}

static void translate_set(const struct translating *x, const struct sysset *set, struct sysset *ret,
			  struct sysset *ret_lost)
{
	for (int nr = sysset_next(set, 0); nr >= 0; nr = sysset_next(set, (unsigned)nr + 1))
		if (!translate_call(x, (uint32_t)nr, ret))
			sysset_add(ret_lost, (unsigned)nr);
}

int learned_translate(const struct learned *l, enum tamis_abi to, const struct translation *t,
		      size_t cnt, struct learned *ret, struct sysset ret_lost[TAMIS_ABI_MAX])
{
	struct sysset lost[TAMIS_ABI_MAX] = { 0 };
	struct learned out = { 0 };

	if ((unsigned)to >= TAMIS_ABI_MAX || !abi_runs_on(to, to))
		return -EOPNOTSUPP;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const enum tamis_abi from = (enum tamis_abi)abi, there = abi_there(from, to);
		const struct translating x = { from, there, t, cnt };

		for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++) {
			const struct sysset *set = &l->set[stage][from];

			if (there == from)
				sysset_merge(&out.set[stage][from], set);
			else
				translate_set(&x, set, &out.set[stage][there], &lost[from]);
		}
	}
	*ret = out;
	if (ret_lost)
		memcpy(ret_lost, lost, sizeof(lost));
	return 0;
}
