/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a generation refuses a call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "learn/denied_internal.h"
#include "model/calls.h"
#include "policy/data.h"

/* What starts and ends a process can't be denied (model/compose.h, 5). */
static bool is_vital(enum tamis_abi abi, uint32_t nr)
{
	static const char *const vital[] = { "execve", "exit", "exit_group", "rt_sigreturn",
					     "sigreturn" };
	const char *name = calls_name(abi, nr);

	for (size_t i = 0; name && i < ARRAY_SIZE(vital); i++)
		if (strcmp(name, vital[i]) == 0)
			return true;
	return false;
}

/* Refused so that libc falls back to clone, whose flags a filter can see. */
static bool is_instead(const struct generation *g, enum tamis_abi abi, uint32_t nr)
{
	const char *name = calls_name(abi, nr);
	int clone = name && strcmp(name, "clone3") == 0 ? calls_number(abi, "clone") : -ENOENT;

	return clone >= 0 && (sysset_has(&g->learned.set[TAMIS_WORKLOAD][abi], (unsigned)clone) ||
			      sysset_has(&g->learned.set[TAMIS_SESSION][abi], (unsigned)clone));
}

/* With descendants all but the guarded ones pass. */
static bool is_guarded(enum tamis_abi abi, uint32_t nr)
{
	struct sysset guard[TAMIS_ABI_MAX] = { 0 };

	return data_guard(guard) == 0 && sysset_has(&guard[abi], nr);
}

bool denied_by(const struct generation *g, const struct sysset *always, const struct sysset *gates,
	       enum tamis_abi abi, uint32_t nr)
{
	if (is_vital(abi, nr))
		return false;
	if (sysset_has(&g->denied[abi], nr))
		return true;
	if (is_instead(g, abi, nr))
		return false;
	if (sysset_has(&always[abi], nr) || sysset_has(&gates[abi], nr))
		return false;
	for (int stage = TAMIS_GATE; stage < TAMIS_STAGE_MAX; stage++)
		if (sysset_has(&g->learned.set[stage][abi], nr))
			return false;
	return !g->descendants || is_guarded(abi, nr);
}

int denied_data_load(struct denied_data *ret)
{
	int r = data_always(ret->always);

	return r < 0 ? r : data_gate(NULL, ret->gates);
}

void denied_data_forget(struct denied_data *d)
{
	while (d->cnt > 0)
		generation_done(&d->kept[--d->cnt].g);
}

void denied_data_done(struct denied_data *d)
{
	denied_data_forget(d);
	free(d->kept);
	*d = (struct denied_data){ 0 };
}

static const struct generation *find(const struct denied_data *d, int64_t workload, uint32_t number)
{
	for (size_t i = 0; i < d->cnt; i++)
		if (d->kept[i].workload == workload && d->kept[i].g.number == number)
			return &d->kept[i].g;
	return NULL;
}

static int keep(struct denied_data *d, int64_t workload, struct generation *g)
{
	if (!d->kept)
		d->kept = calloc(DENIED_GENERATIONS, sizeof(*d->kept));
	if (!d->kept)
		return -ENOMEM;
	if (d->cnt == DENIED_GENERATIONS)
		generation_done(&d->kept[--d->cnt].g);
	memmove(d->kept + 1, d->kept, d->cnt++ * sizeof(*d->kept));
	d->kept[0] = (struct denied_generation){ workload, *g };
	*g = (struct generation){ 0 };
	return 0;
}

static int take(struct denied_data *d, struct store *s, int64_t workload, uint32_t number,
		const struct generation **ret)
{
	_generation_ struct generation g = { 0 };
	int r;

	*ret = find(d, workload, number);
	if (*ret)
		return 0;
	r = store_generation_get(s, workload, number, &g);
	if (r == 0)
		r = keep(d, workload, &g);
	if (r == 0)
		*ret = &d->kept[0].g;
	return r;
}

/* What another runtime's start needs is refused under this one's unless it was learned, and the
 * kernel itself answers ENOSYS to none of it. */
static const struct sysset *gates_of(const struct denied_data *d, uint32_t errno_ret)
{
	static const struct sysset none[TAMIS_ABI_MAX];

	return errno_ret == ENOSYS ? none : d->gates;
}

int denied_data_asks(struct denied_data *d, struct store *s, const struct under_row *row,
		     enum tamis_abi abi, uint32_t nr, uint32_t errno_ret)
{
	const struct generation *g = NULL;
	int64_t workload = 0;
	int r = store_workload_id(s, row->key, &workload);

	if (r == 0)
		r = take(d, s, workload, row->generation, &g);
	if (r == 0)
		return denied_by(g, d->always, gates_of(d, errno_ret), abi, nr);
	return r == -ENOENT ? 0 : r;
}
