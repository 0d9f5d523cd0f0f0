/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pending.h"

#include "policy/denials.h"

static int sift(struct store *s, int64_t workload, const struct sysset *guard, struct sysset *ret,
		struct learned *ret_learned, struct verdicts *ret_said)
{
	struct learned learned;
	struct sysset asked[TAMIS_ABI_MAX];
	struct verdicts said;
	int r = store_learned(s, workload, &learned);

	if (r == 0)
		r = store_verdicts(s, workload, &said);
	if (r == 0)
		r = store_asked(s, workload, asked);
	if (r < 0)
		return r;
	guard_sift(&learned, guard, &said, ret);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&ret[abi], &asked[abi]);
	if (ret_said)
		*ret_said = said;
	if (ret_learned)
		*ret_learned = learned;
	return 0;
}

int pending_read(struct store *s, int64_t workload, const struct sysset *guard, struct sysset *ret,
		 struct verdicts *ret_said)
{
	return sift(s, workload, guard, ret, NULL, ret_said);
}

int pending_sift(struct store *s, int64_t workload, const struct sysset *guard, struct sysset *ret,
		 struct learned *ret_learned)
{
	return sift(s, workload, guard, ret, ret_learned, NULL);
}

unsigned pending_count(const struct sysset *pending)
{
	unsigned cnt = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&pending[abi]);
	return cnt;
}
