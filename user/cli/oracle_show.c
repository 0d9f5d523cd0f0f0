/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/oracle_show.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/lookup.h"
#include "cli/print.h"
#include "model/abi.h"
#include "model/calls.h"

#define REPORT_SHOWN 160

/* An oracle, its workload and what it said. */
struct shown {
	struct store_oracle o;
	struct store_row *row; /* borrowed; NULL: not found */
	struct store_oracle_call *call;
	size_t call_cnt;
};

struct list {
	struct store_row *row;
	size_t row_cnt;
	struct shown *shown;
	size_t cnt;
};

static void list_done(struct list *l)
{
	for (size_t i = 0; i < l->cnt; i++) {
		for (size_t j = 0; j < l->shown[i].call_cnt; j++)
			free(l->shown[i].call[j].report);
		free(l->shown[i].call);
		store_oracle_done(&l->shown[i].o);
	}
	free(l->shown);
	for (size_t i = 0; i < l->row_cnt; i++)
		store_row_done(&l->row[i]);
	free(l->row);
}
#define _list_ __attribute__((cleanup(list_done)))

static struct store_row *find_row(struct list *l, int64_t id)
{
	for (size_t i = 0; i < l->row_cnt; i++)
		if (l->row[i].id == id)
			return &l->row[i];
	return NULL;
}

/* Takes the oracles over. */
static int fill(struct store *s, struct list *l, struct store_oracle *o, size_t cnt)
{
	int r = 0;

	for (size_t i = 0; i < cnt; i++) {
		struct shown *to = &l->shown[l->cnt++];

		to->o = o[i];
		to->row = find_row(l, o[i].workload);
		if (r == 0)
			r = store_oracle_calls(s, o[i].workload, &to->call, &to->call_cnt);
	}
	return r;
}

static int load(struct store *s, const struct store_row *row, struct list *l)
{
	struct store_oracle *o = NULL, one = { 0 };
	size_t cnt = 0;
	int r = store_list(s, &l->row, &l->row_cnt);

	if (r == 0 && row) {
		r = store_oracle_get(s, row->id, &one);
		cnt = r == 0;
		r = r == -ENOENT ? 0 : r;
	} else if (r == 0) {
		r = store_oracles(s, &o, &cnt);
	}
	if (r == 0 && !(l->shown = calloc(cnt + 1, sizeof(*l->shown))))
		r = -ENOMEM;
	if (r == 0)
		r = fill(s, l, row ? &one : o, cnt);
	free(o);
	return r < 0 ? lookup_failed(s, r) : 0;
}

static const char *state_of(const struct store_oracle *o)
{
	bool runs = o->state == ORACLE_WATCH || o->state == ORACLE_REST;

	return o->per_hour == 0 && runs ? "ending" : oracle_state_name(o->state);
}

/* --- for people -------------------------------------------------------------------------------- */

static int print_all(const struct list *l)
{
	static const char *const headings[] = { "WORKLOAD", "STATE", "GEN",   "LOOPS", "LEARNED",
						"REJECTED", "SAVED", "SINCE", "LAST" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < l->cnt; i++) {
		const struct store_oracle *o = &l->shown[i].o;

		print_cell(&t, l->shown[i].row ? l->shown[i].row->key : NULL);
		print_cell(&t, state_of(o));
		print_cell_u64(&t, l->shown[i].row ? l->shown[i].row->generation : 0);
		print_cell_u64(&t, o->loops);
		print_cell_u64(&t, o->learned);
		print_cell_u64(&t, o->rejected);
		print_cell_u64(&t, o->saved);
		print_cell_time(&t, o->began);
		print_cell(&t, o->why);
	}
	return print_table_write(&t, stdout);
}

static void print_text(const char *label, const char *text)
{
	printf("%-11s", label);
	text_escape(stdout, text, SIZE_MAX);
	putchar('\n');
}

static void print_head(const struct shown *s)
{
	const struct store_oracle *o = &s->o;
	char since[PRINT_TIME_MAX], began[PRINT_TIME_MAX], mode[PRINT_MODE_MAX];

	print_text("workload:", s->row ? s->row->key : "?");
	printf("%-11s%s since %s\n", "state:", state_of(o), print_time(o->since / 1000, since));
	printf("%-11s%s\n", "mode:", s->row ? print_mode(s->row, mode) : "?");
	print_text("runs:", o->production);
	print_text(o->is_image ? "hardened:" : "command:", o->hardened);
	if (o->replay)
		print_text("replay:", o->replay);
	printf("%-11s%" PRIu32 " s, at most %" PRIu32 " loops an hour%s\n", "window:", o->window_s,
	       o->per_hour, o->by_rule ? ", by a rule of the configuration" : "");
	printf("%-11s%" PRIu32 " loops since %s, %" PRIu32 " calls learned, %" PRIu32
	       " rejected, %" PRIu32 " loops in a row without a verdict\n",
	       "done:", o->loops, print_time(o->began, began), o->learned, o->rejected,
	       o->failures);
	if (o->bootstrap)
		printf("%-11s%" PRIu32 " restarts, by what had been observed\n",
		       "saved:", o->saved);
	if (o->why)
		print_text("last:", o->why);
}

static int print_calls(const struct shown *s)
{
	static const char *const headings[] = { "ABI", "CALL", "VERDICT", "LOOP", "AT", "REPORT" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));
	char name[CALLS_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < s->call_cnt; i++) {
		const struct store_oracle_call *c = &s->call[i];

		print_cell(&t, abi_name(c->abi));
		print_cell(&t, calls_print(c->abi, c->nr, name));
		print_cell(&t, c->rejected ? "rejected" : "learned");
		print_cell_u64(&t, c->loop);
		print_cell_time(&t, c->at);
		print_cell(&t, c->report);
	}
	putchar('\n');
	return print_table_write(&t, stdout);
}

int oracle_show(struct store *s, const struct store_row *row)
{
	_list_ struct list l = { 0 };
	int r = load(s, row, &l);

	if (r < 0)
		return r;
	if (row && l.cnt == 0) {
		log_err("%s has no oracle; 'tamis oracle WORKLOAD --hardened IMAGE|CMD' begins one",
			row->key);
		return -ENOENT;
	}
	if (row)
		print_head(&l.shown[0]);
	r = row ? print_calls(&l.shown[0]) : print_all(&l);
	return r < 0 ? log_err_errno(r, "oracle") : 0;
}

/* --- for scripts ------------------------------------------------------------------------------- */

static json_t *json_call(enum tamis_abi abi, uint32_t nr)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:I, s:o}", "abi", abi_name(abi), "nr", (json_int_t)nr, "name",
			 print_json_text(calls_print(abi, nr, name)));
}

static json_t *json_verdicts(const struct shown *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->call_cnt; i++) {
		const struct store_oracle_call *c = &s->call[i];
		json_t *one = json_call(c->abi, c->nr);
		json_t *more =
			json_pack("{s:s, s:I, s:I, s:o}", "verdict",
				  c->rejected ? "rejected" : "learned", "loop", (json_int_t)c->loop,
				  "at", (json_int_t)c->at, "report", print_json_known(c->report));

		if (!one || !more || json_object_update(one, more) < 0) {
			json_decref(one);
			one = NULL;
		}
		json_decref(more);
		if (json_array_append_new(list, one) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *json_of(const struct shown *s)
{
	const struct store_oracle *o = &s->o;
	const char *key = s->row ? s->row->key : NULL;
	json_t *one = json_pack(
		"{s:o, s:s, s:I, s:o, s:o, s:o, s:b, s:o, s:I, s:I, s:b, s:b}", "key",
		print_json_text(key), "state", state_of(o), "since", (json_int_t)(o->since / 1000),
		"production", print_json_text(o->production), "generation",
		s->row && s->row->generation ? json_integer(s->row->generation) : json_null(),
		"hardened", print_json_text(o->hardened), "is_image", o->is_image, "replay",
		print_json_text(o->replay), "window", (json_int_t)o->window_s, "per_hour",
		(json_int_t)o->per_hour, "bootstrap", o->bootstrap, "by_rule", o->by_rule);
	json_t *more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "loops",
				 (json_int_t)o->loops, "learned", (json_int_t)o->learned,
				 "rejected", (json_int_t)o->rejected, "saved", (json_int_t)o->saved,
				 "failures", (json_int_t)o->failures, "began", (json_int_t)o->began,
				 "why", print_json_text(o->why), "call",
				 o->nr < TAMIS_CALLS ? json_call(o->abi, o->nr) : json_null(),
				 "calls", json_verdicts(s));

	if (!one || !more || json_object_update(one, more) < 0) {
		json_decref(one);
		one = NULL;
	}
	json_decref(more);
	return one;
}

int oracle_show_json(struct store *s, const struct store_row *row)
{
	_list_ struct list l = { 0 };
	json_t *list = json_array();
	int r = load(s, row, &l);

	for (size_t i = 0; r == 0 && i < l.cnt; i++)
		if (json_array_append_new(list, json_of(&l.shown[i])) < 0)
			r = log_err_errno(-ENOMEM, "oracle");
	if (r < 0) {
		json_decref(list);
		return r;
	}
	r = print_json(json_pack("{s:i, s:o}", "version", 1, "oracles", list), stdout);
	return r < 0 ? log_err_errno(r, "oracle") : 0;
}
