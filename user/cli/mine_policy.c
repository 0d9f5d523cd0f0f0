/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a mining run: what is tried, and what comes out. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/mine_job.h"
#include "emit/emit.h"
#include "policy/generations.h"

int mine_policy_text(const struct policy *p, const char *format, char **ret)
{
	return emit_text(emit_find(format)->write, p, NULL, ret, NULL);
}

/* What is refused besides, and with which errno. */
static void refuse(const struct verdicts *said, const struct sysset *enosys,
		   const struct sysset *eperm, struct sysset denied[TAMIS_ABI_MAX],
		   struct sysset denied_eperm[TAMIS_ABI_MAX])
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		denied[abi] = said->denied[abi];
		sysset_merge(&denied[abi], &enosys[abi]);
		sysset_merge(&denied[abi], &eperm[abi]);
		denied_eperm[abi] = said->denied_eperm[abi];
		sysset_merge(&denied_eperm[abi], &eperm[abi]);
		sysset_remove(&denied_eperm[abi], &enosys[abi]);
	}
}

static bool is_empty(const struct sysset *a, const struct sysset *b)
{
	bool any = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		any |= !sysset_is_empty(&a[abi]) || !sysset_is_empty(&b[abi]);
	return !any;
}

static int load(struct mine_job *j, const struct store_row *row, struct policy_calls *calls)
{
	int r = store_learned(j->store, row->id, &calls->learned);

	if (r == 0)
		r = store_verdicts(j->store, row->id, &calls->said);
	if (r < 0)
		return r;
	return policy_sift(&j->policy, calls);
}

int mine_policy_compose(void *arg, const struct store_row *row, const struct sysset *enosys,
			const struct sysset *eperm, char **ret)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ struct policy_calls *calls = calloc(1, sizeof(*calls));
	struct sysset denied[TAMIS_ABI_MAX], denied_eperm[TAMIS_ABI_MAX];
	_free_ char *runtimes = NULL;
	struct mine_job *j = arg;
	struct policy_options o = j->policy;
	struct policy p = { .workload = row->key, .engine = row->engine, .image = row->image };
	int r = calls ? load(j, row, calls) : -ENOMEM;

	if (r < 0)
		return r;
	refuse(&calls->said, enosys, eperm, denied, denied_eperm);
	o.denied = denied;
	o.denied_eperm = denied_eperm;
	r = policy_compose(&o, row->engine, &calls->learned, &filter, &runtimes);
	if (r < 0)
		return r;
	policy_borrow(calls, &p);
	p.filter = filter;
	p.runtimes = runtimes;
	r = mine_policy_text(&p, j->unit ? "systemd" : "oci", ret);
	if (r == 0 && is_empty(enosys, eperm)) {
		filter_free(j->mined);
		j->mined = TAKE_PTR(filter);
	}
	return r;
}

/* A person's word on the command line is one like that of `tamis allow`. */
int mine_policy_learned(void *arg, struct store *s, const struct store_row *row)
{
	_free_ struct policy_calls *calls = calloc(1, sizeof(*calls));
	struct mine_job *j = arg;
	int64_t now = time(NULL);
	int r = calls ? store_learned(s, row->id, &calls->learned) : -ENOMEM;

	if (r < 0)
		return r;
	allowed_say(&j->allowed, calls);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &calls->said.allowed[abi];

		for (int nr = sysset_next(set, 0); r == 0 && nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1))
			r = store_verdict_set(s, row->id, abi, (uint32_t)nr, VERDICT_ALLOW, now);
	}
	return r;
}

int mine_policy_load(const struct mine_job *j, struct policy_loaded *ret)
{
	struct policy_options o = j->policy;

	o.state = j->state;
	*ret = (struct policy_loaded){ 0 };
	if (!j->result.run.workload || !j->result.row.key)
		return -ENOENT;
	return policy_load(j->result.row.key, &o, ret);
}
