/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/calls_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "model/calls.h"

struct call {
	enum tamis_abi abi;
	char name[CALLS_NAME_MAX];
};

static int compare(const void *a, const void *b)
{
	const struct call *x = a, *y = b;
	enum tamis_abi native = abi_native();

	if (x->abi != y->abi)
		return x->abi == native ? -1 : y->abi == native ? 1 : (int)x->abi - (int)y->abi;
	return strcmp(x->name, y->name);
}

static struct call *sorted(const struct sysset *set, unsigned cnt)
{
	struct call *calls = calloc(cnt + 1, sizeof(*calls)), *at = calls;

	for (unsigned abi = 0; calls && abi < TAMIS_ABI_MAX; abi++)
		for (int nr = sysset_next(&set[abi], 0); nr >= 0;
		     nr = sysset_next(&set[abi], (unsigned)nr + 1), at++) {
			at->abi = abi;
			calls_print(abi, (unsigned)nr, at->name);
		}
	if (calls)
		qsort(calls, cnt, sizeof(*calls), compare);
	return calls;
}

unsigned calls_count(const struct sysset *set)
{
	unsigned cnt = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&set[abi]);
	return cnt;
}

void calls_write(FILE *f, const struct sysset *set, unsigned max)
{
	unsigned cnt = calls_count(set);
	_free_ struct call *calls = sorted(set, cnt);

	for (unsigned i = 0; calls && i < cnt && i < max; i++) {
		bool native = calls[i].abi == abi_native();

		fprintf(f, "%s%s%s%s", i ? ", " : "", native ? "" : abi_name(calls[i].abi),
			native ? "" : ":", calls[i].name);
	}
	if (!calls)
		fputs("?", f);
	else if (cnt > max)
		fprintf(f, " and %u more", cnt - max);
}

char *calls_text(const struct sysset *set, unsigned max)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return NULL;
	calls_write(f, set, max);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

json_t *calls_json(const struct sysset *set)
{
	json_t *array = json_array();
	char name[CALLS_NAME_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (int nr = sysset_next(&set[abi], 0); nr >= 0;
		     nr = sysset_next(&set[abi], (unsigned)nr + 1))
			(void)json_array_append_new(
				array, json_pack("{s:s, s:i, s:s}", "abi", abi_name(abi), "nr", nr,
						 "name", calls_print(abi, (unsigned)nr, name)));
	return array;
}

void calls_of(const struct generation *g, struct sysset ret[TAMIS_ABI_MAX])
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		ret[abi] = g->learned.set[TAMIS_WORKLOAD][abi];
		sysset_merge(&ret[abi], &g->learned.set[TAMIS_SESSION][abi]);
	}
}
