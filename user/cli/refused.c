/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/refused.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/calls_text.h"
#include "cli/print.h"
#include "learn/shadow.h"
#include "model/calls.h"
#include "policy/generations.h"

int refused_load(struct store *s, int64_t workload, const struct generation *g, struct refused *ret)
{
	struct verdicts said;
	int r = shadow_refused(s, workload, g, ret->calls, ret->withheld);

	ret->generation = g->number;
	if (r == 0)
		r = store_verdicts(s, workload, &said);
	for (unsigned i = 0; r == 0 && i < TAMIS_ABI_MAX * TAMIS_SEEN_WORDS; i++) {
		unsigned abi = i / TAMIS_SEEN_WORDS, word = i % TAMIS_SEEN_WORDS;

		ret->mined[abi].bits[word] =
			ret->withheld[abi].bits[word] & said.mined[abi].bits[word];
	}
	return r < 0 ? r : store_origins(s, workload, &ret->origin, &ret->origin_cnt);
}

void refused_done(struct refused *r)
{
	store_origins_free(r->origin, r->origin_cnt);
}

/* Only these stages are in a policy because the workload needs it. */
static const struct policy_origin *origin_of(const struct refused *r, enum tamis_abi abi,
					     unsigned nr)
{
	static const struct policy_origin unknown = { .comm = "", .exe = "" };

	for (size_t i = 0; i < r->origin_cnt; i++) {
		const struct policy_origin *o = &r->origin[i];

		if (o->abi == abi && o->nr == nr &&
		    (o->stage == TAMIS_WORKLOAD || o->stage == TAMIS_SESSION))
			return o;
	}
	return &unknown;
}

/* Each call once, `fn` told whether it is withheld. */
static void each(const struct refused *r,
		 void (*fn)(void *ctx, const struct refused *r, enum tamis_abi abi, unsigned nr,
			    bool withheld),
		 void *ctx)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
			bool withheld = sysset_has(&r->withheld[abi], nr);

			if (withheld || sysset_has(&r->calls[abi], nr))
				fn(ctx, r, abi, nr, withheld);
		}
}

static const char *why_of(const struct refused *r, enum tamis_abi abi, unsigned nr, bool withheld)
{
	if (sysset_has(&r->mined[abi], nr))
		return "denied by mining";
	return withheld ? "nobody allowed it" : "learned since";
}

static void add_cells(void *ctx, const struct refused *r, enum tamis_abi abi, unsigned nr,
		      bool withheld)
{
	const struct policy_origin *o = origin_of(r, abi, nr);
	char name[CALLS_NAME_MAX];
	struct print_table *t = ctx;

	print_cell(t, abi_name(abi));
	print_cell(t, calls_print(abi, nr, name));
	print_cell(t, why_of(r, abi, nr, withheld));
	print_cell_time(t, o->first);
	print_cell_time(t, o->last);
	print_cell(t, o->comm);
	print_cell(t, o->exe);
}

int refused_print(const struct refused *r)
{
	static const char *const headings[] = { "ABI",	"CALL",	    "WHY", "FIRST",
						"LAST", "FIRST BY", "EXE" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	each(r, add_cells, &t);
	if (t.cnt == ARRAY_SIZE(headings))
		return 0;
	printf("\ngeneration %" PRIu32 " would have refused:\n", r->generation);
	return print_table_write(&t, stdout);
}

static void add_json(void *ctx, const struct refused *r, enum tamis_abi abi, unsigned nr,
		     bool withheld)
{
	const struct policy_origin *o = origin_of(r, abi, nr);
	char name[CALLS_NAME_MAX];

	(void)json_array_append_new(
		ctx, json_pack("{s:s, s:i, s:s, s:b, s:b, s:I, s:I, s:o, s:o, s:o}", "abi",
			       abi_name(abi), "nr", (int)nr, "name", calls_print(abi, nr, name),
			       "withheld", withheld, "mined", (int)sysset_has(&r->mined[abi], nr),
			       "first", (json_int_t)o->first, "last", (json_int_t)o->last, "pid",
			       o->pid ? json_integer(o->pid) : json_null(), "comm",
			       print_json_known(o->comm), "exe", print_json_known(o->exe)));
}

json_t *refused_json(const struct refused *r)
{
	json_t *array = json_array();

	if (array)
		each(r, add_json, array);
	return array;
}
