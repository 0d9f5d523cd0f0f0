/* SPDX-License-Identifier: Apache-2.0 */
/* Refused calls, and which test they belong to. A candidate of the sensor (bpf/abi.h) is one when the
 * generation refuses that call to everybody, and nobody refused it before there was one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "learn/denied.h"
#include "mine/mine_internal.h"

#define REFUSALS_MAX 65536

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tamis_denied_key));
}

static struct refused_count *find(struct mine *m, const struct tamis_denied_key *key)
{
	for (size_t i = 0; i < m->count_cnt; i++)
		if (compare(&m->count[i].key, key) == 0)
			return &m->count[i];
	return NULL;
}

static struct refused_count *take(struct mine *m, const struct tamis_denied_key *key)
{
	struct refused_count *ret = find(m, key), *more;

	if (ret || m->count_cnt >= REFUSALS_MAX)
		return ret;
	more = reallocarray(m->count, m->count_cnt + 1, sizeof(*more));
	if (!more)
		return NULL;
	m->count = more;
	ret = &m->count[m->count_cnt++];
	*ret = (struct refused_count){ .key = *key };
	return ret;
}

/* The same call to the same test is one row. */
static struct mine_refusal *row(struct mine *m, enum tamis_abi abi, uint32_t nr)
{
	struct mine_result *r = m->ret;
	struct mine_refusal *more;

	for (size_t i = 0; i < r->refusal_cnt; i++) {
		struct mine_refusal *is = &r->refusal[i];

		if (is->test == m->test && is->abi == abi && is->nr == nr)
			return is;
	}
	if (r->refusal_cnt >= REFUSALS_MAX)
		return NULL;
	more = reallocarray(r->refusal, r->refusal_cnt + 1, sizeof(*more));
	if (!more)
		return NULL;
	r->refusal = more;
	more = &r->refusal[r->refusal_cnt++];
	*more = (struct mine_refusal){ .test = m->test, .abi = abi, .nr = nr };
	return more;
}

static int add(struct mine *m, enum tamis_abi abi, uint32_t nr, uint64_t count, const char *comm)
{
	struct mine_refusal *is;

	if (m->phase == MINE_OBSERVE || m->phase == MINE_START) {
		sysset_add(&m->before[abi], nr);
		return 0;
	}
	if (m->phase != MINE_ENFORCE || sysset_has(&m->before[abi], nr) ||
	    !denied_by(&m->generation, m->always, m->gates, abi, nr))
		return 0;
	is = row(m, abi, nr);
	if (!is)
		return -ENOMEM;
	is->count += count;
	if (!is->comm[0])
		(void)strncpy(is->comm, comm, sizeof(is->comm) - 1);
	return 0;
}

static int on_denied(const struct tamis_denied_key *key, const struct tamis_denied *d, void *arg)
{
	struct mine *m = arg;
	char comm[TAMIS_COMM + 1] = "";
	const char *whose, *container;
	struct refused_count *c;
	int64_t workload;
	uint64_t more;

	if (key->abi >= TAMIS_ABI_MAX || key->nr >= TAMIS_CALLS ||
	    observer_whose(m->observer, key->cgroup, &workload, &whose, &container) < 0)
		return 0;
	c = take(m, key);
	if (!c)
		return -ENOMEM;
	more = d->count > c->count ? d->count - c->count : 0;
	c->count = d->count;
	memcpy(comm, d->comm, TAMIS_COMM);
	return more ? add(m, key->abi, key->nr, more, comm) : 0;
}

int refusals_look(struct mine *m)
{
	const struct sensor_walk walk = { .denied = on_denied, .arg = m };

	return sensor_denials(m->sensor, &walk);
}

int refusals_death(struct mine *m, enum tamis_abi abi, uint32_t nr, const char *comm)
{
	if ((unsigned)abi >= TAMIS_ABI_MAX || nr >= TAMIS_CALLS)
		return 0;
	return add(m, abi, nr, 1, comm ?: "");
}
