/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mined.h"

#include <string.h>

#include "cli/print.h"
#include "model/calls.h"
#include "policy/data.h"

static const char *const errnos[] = { "ENOSYS", "EPERM" };

int mined_load(struct store *s, int64_t workload, const struct verdicts *said, struct mined *ret)
{
	struct mined m = { 0 };
	int r = data_eperm(m.eperm);

	memcpy(m.denied, said->denied, sizeof(m.denied));
	memcpy(m.calls, said->mined, sizeof(m.calls));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&m.eperm[abi], &said->denied_eperm[abi]);
	if (r == 0)
		r = store_made_after_all(s, workload, m.calls, &m.made, &m.made_cnt);
	if (r == 0)
		*ret = m;
	return r;
}

void mined_done(struct mined *m)
{
	free(m->made);
	*m = (struct mined){ 0 };
}

int mined_count_made(struct store *s, int64_t workload, unsigned *ret)
{
	_free_ struct store_made *made = NULL;
	struct verdicts said;
	size_t cnt = 0;
	int r = store_verdicts(s, workload, &said);

	if (r == 0)
		r = store_made_after_all(s, workload, said.mined, &made, &cnt);
	if (r == 0)
		*ret = (unsigned)cnt;
	return r;
}

const char *mined_errno(const struct mined *m, enum tamis_abi abi, unsigned nr)
{
	return errnos[sysset_has(&m->eperm[abi], nr)];
}

const char *mined_errno_said(const struct verdicts *said, enum tamis_abi abi, unsigned nr)
{
	struct sysset eperm[TAMIS_ABI_MAX] = { 0 };
	bool is_known = data_eperm(eperm) == 0 && sysset_has(&eperm[abi], nr);

	return errnos[is_known || sysset_has(&said->denied_eperm[abi], nr)];
}

/* --- for people -------------------------------------------------------------------------- */

static bool is_of(const struct mined *m, enum tamis_abi abi, unsigned nr, bool mined, bool eperm)
{
	if (sysset_has(&m->calls[abi], nr) != mined)
		return false;
	return !mined || sysset_has(&m->eperm[abi], nr) == eperm;
}

static void print_denied(const struct mined *m, const char *label, bool mined, bool eperm, FILE *f)
{
	const char *before = label;
	char name[CALLS_NAME_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &m->denied[abi];

		for (int nr = sysset_next(set, 0); nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1)) {
			if (!is_of(m, abi, (unsigned)nr, mined, eperm))
				continue;
			fprintf(f, "%s%s %s", before, abi_name(abi),
				calls_print(abi, (unsigned)nr, name));
			before = ", ";
		}
	}
	if (before != label)
		fputc('\n', f);
}

void mined_print(const struct mined *m, FILE *f)
{
	char name[CALLS_NAME_MAX], last[PRINT_TIME_MAX];

	print_denied(m, "denied:    ", false, false, f);
	print_denied(m, "denied by mining (ENOSYS): ", true, false, f);
	print_denied(m, "denied by mining (EPERM): ", true, true, f);
	for (size_t i = 0; i < m->made_cnt; i++) {
		const struct store_made *made = &m->made[i];

		fprintf(f,
			"needed after all: %s %s, made outside of mining, last %s ('tamis allow' "
			"lets it in)\n",
			abi_name(made->abi), calls_print(made->abi, made->nr, name),
			print_time(made->last, last));
	}
}

/* --- for scripts ------------------------------------------------------------------------- */

static json_t *json_last(const struct mined *m, enum tamis_abi abi, unsigned nr)
{
	for (size_t i = 0; i < m->made_cnt; i++)
		if (m->made[i].abi == abi && m->made[i].nr == nr)
			return json_integer(m->made[i].last);
	return json_null();
}

static json_t *json_call(const struct mined *m, enum tamis_abi abi, unsigned nr)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:o}", "abi", abi_name(abi), "nr", (int)nr,
			 "name", calls_print(abi, nr, name), "errno", mined_errno(m, abi, nr),
			 "mined", (int)sysset_has(&m->calls[abi], nr), "needed",
			 json_last(m, abi, nr));
}

json_t *mined_json(const struct mined *m)
{
	json_t *array = json_array();
	int r = array ? 0 : -1;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &m->denied[abi];

		for (int nr = sysset_next(set, 0); r == 0 && nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1))
			r = json_array_append_new(array, json_call(m, abi, (unsigned)nr));
	}
	if (r == 0)
		return array;
	json_decref(array);
	return NULL;
}
