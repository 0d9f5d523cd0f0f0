/* SPDX-License-Identifier: Apache-2.0 */
/* What show prints for scripts. */
#include <errno.h>

#include "cli/print.h"
#include "cli/show.h"
#include "model/calls.h"

/* Of its stages the one that made it first. */
const struct policy_origin *show_origin(const struct shown *s, enum tamis_abi abi, unsigned nr)
{
	const struct policy_origin *first = NULL;

	for (size_t i = 0; i < s->cnt; i++) {
		const struct policy_origin *o = &s->origin[i];

		if (o->abi != abi || o->nr != nr || o->stage == TAMIS_SETUP)
			continue;
		if (!first || o->first < first->first)
			first = o;
	}
	return first;
}

const struct store_denial *show_asked(const struct shown *s, enum tamis_abi abi, unsigned nr)
{
	for (size_t i = 0; i < s->denial_cnt; i++) {
		const struct store_denial *d = &s->denial[i];

		if (d->kind == DENIAL_ASKED && d->abi == abi && d->nr == nr)
			return d;
	}
	return NULL;
}

static json_t *json_call(const struct policy_origin *o)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "abi",
			 abi_name(o->abi), "stage", stage_name(o->stage), "nr", (json_int_t)o->nr,
			 "name", calls_print(o->abi, o->nr, name), "first", (json_int_t)o->first,
			 "last", (json_int_t)o->last, "pid",
			 o->pid ? json_integer(o->pid) : json_null(), "comm",
			 print_json_known(o->comm), "exe", print_json_known(o->exe), "replicas",
			 o->replicas ? json_integer(o->replicas) : json_null(), "replica",
			 print_json_known(o->replica), "source", print_json_known(o->source));
}

static json_t *json_calls(const struct shown *s)
{
	json_t *calls = json_array();
	int r = calls ? 0 : -1;

	for (size_t i = 0; r == 0 && i < s->cnt; i++)
		r = json_array_append_new(calls, json_call(&s->origin[i]));
	if (r == 0)
		return calls;
	json_decref(calls);
	return NULL;
}

static json_t *json_sets(const struct sysset *sets)
{
	json_t *array = json_array();
	char name[CALLS_NAME_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&sets[abi], 0); nr >= 0;
		     nr = sysset_next(&sets[abi], (unsigned)nr + 1))
			(void)json_array_append_new(
				array, json_pack("{s:s, s:i, s:s}", "abi", abi_name(abi), "nr", nr,
						 "name", calls_print(abi, (unsigned)nr, name)));
	}
	return array;
}

static json_t *json_pending_call(const struct shown *s, enum tamis_abi abi, unsigned nr)
{
	const struct store_denial *asked = show_asked(s, abi, nr);
	const struct policy_origin refused = {
		.stage = TAMIS_WORKLOAD,
		.first = asked ? asked->first : 0,
		.pid = asked ? asked->pid : 0,
		.comm = asked ? asked->comm : NULL,
		.exe = asked ? asked->exe : NULL,
	};
	const struct policy_origin *o = show_origin(s, abi, nr) ?: &refused;
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:i, s:s, s:s, s:I, s:o, s:o, s:o}", "abi", abi_name(abi), "nr",
			 (int)nr, "name", calls_print(abi, nr, name), "stage", stage_name(o->stage),
			 "first", (json_int_t)o->first, "pid",
			 o->pid ? json_integer(o->pid) : json_null(), "comm",
			 print_json_known(o->comm), "exe", print_json_known(o->exe));
}

static json_t *json_pending(const struct shown *s)
{
	json_t *array = json_array();

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&s->pending[abi], 0); nr >= 0;
		     nr = sysset_next(&s->pending[abi], (unsigned)nr + 1))
			(void)json_array_append_new(array, json_pending_call(s, abi, (unsigned)nr));
	}
	return array;
}

/* As a row of list, with what only one workload is asked for. */
int show_json(const struct shown *s)
{
	json_t *top = print_json_row(&s->row, pending_count(s->pending));
	int r = 0;

	r |= json_object_set_new(top, "version", json_integer(1));
	r |= json_object_set_new(top, "coverage", completeness_json(&s->coverage));
	r |= json_object_set_new(top, "watched", slept_json(&s->slept));
	r |= json_object_set_new(top, "estimate", completeness_now_json(&s->complete));
	r |= json_object_set_new(top, "needed_count", json_integer((json_int_t)s->mined.made_cnt));
	r |= json_object_set_new(top, "rule", print_json_rule(&s->is));
	r |= json_object_set_new(top, "inside", print_json_texts(s->inner.text, s->inner.cnt));
	r |= json_object_set_new(top, "aliases", print_json_texts(s->alias.text, s->alias.cnt));
	r |= json_object_set_new(top, "images", print_json_texts(s->image.text, s->image.cnt));
	r |= json_object_set_new(top, "gate_unknown", json_sets(s->gate_unknown));
	r |= json_object_set_new(top, "pending", json_pending(s));
	r |= json_object_set_new(top, "allowed", json_sets(s->said.allowed));
	r |= json_object_set_new(top, "denied", mined_json(&s->mined));
	r |= json_object_set_new(top, "refused", refused_json(&s->refused));
	r |= json_object_set_new(top, "calls", json_calls(s));
	if (r < 0) {
		json_decref(top);
		return -ENOMEM;
	}
	return print_json(top, stdout);
}
