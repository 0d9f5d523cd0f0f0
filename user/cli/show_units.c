/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show_units.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/lookup.h"
#include "cli/print.h"
#include "model/calls.h"
#include "policy/mines.h"

#define FIELD_MAX 1024 /* bytes of one hostile string */

/* Units that can be compared with each other. */
struct group {
	struct store_mine run; /* id 0: of the daemon */
	struct matrix matrix;
	struct matrix_call *call; /* as it is shown */
	size_t cnt;
};

struct groups {
	struct group of[2];
	size_t cnt;
};

static void groups_done(struct groups *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(g->of); i++) {
		store_mine_done(&g->of[i].run);
		matrix_done(&g->of[i].matrix);
		free(g->of[i].call);
	}
}

/* What a unit brought stands together. */
static int compare_calls(const void *a, const void *b)
{
	const struct matrix_call *x = a, *y = b;
	char name_x[CALLS_NAME_MAX], name_y[CALLS_NAME_MAX];

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->abi != y->abi)
		return (int)x->abi - (int)y->abi;
	return strcmp(calls_print(x->abi, x->nr, name_x), calls_print(y->abi, y->nr, name_y));
}

static int load_group(struct store *s, int64_t workload, struct group *g)
{
	int r = store_matrix(s, workload, g->run.id, &g->matrix);

	if (r == 0)
		r = matrix_calls(&g->matrix, &g->call, &g->cnt);
	if (r == 0 && g->cnt)
		qsort(g->call, g->cnt, sizeof(*g->call), compare_calls);
	return r;
}

static int load(struct store *s, int64_t workload, struct groups *g)
{
	int r = store_mine_last(s, workload, &g->of[0].run);

	if (r == 0)
		r = load_group(s, workload, &g->of[g->cnt++]);
	if (r == 0 || r == -ENOENT)
		r = load_group(s, workload, &g->of[g->cnt++]);
	return r;
}

static bool made(const struct matrix_unit *u, const struct matrix_call *c)
{
	return sysset_has(&u->set[c->abi], c->nr);
}

/* --- for people -------------------------------------------------------------------------- */

static void add_call(struct print_table *t, const struct matrix *m, const struct matrix_call *c)
{
	const struct matrix_unit *first = &m->unit[c->first];
	char name[CALLS_NAME_MAX], units[48];

	snprintf(units, sizeof(units), "%" PRIu32 "/%zu", c->units, m->cnt);
	print_cell(t, abi_name(c->abi));
	print_cell(t, calls_print(c->abi, c->nr, name));
	print_cell(t, units);
	print_cell(t, c->units == 1 ? "only" : NULL);
	if (first->name)
		print_cell(t, first->name);
	else
		print_cell_time(t, first->began);
	print_cell(t, first->outcome ? matrix_outcome_name(first->outcome) : NULL);
}

static void print_heading(const struct group *g)
{
	char began[PRINT_TIME_MAX];

	if (!g->run.id) {
		printf("%zu epochs of the daemon\n", g->matrix.cnt);
		return;
	}
	printf("%zu units of mining ", g->matrix.cnt);
	text_escape(stdout, g->run.target, FIELD_MAX);
	printf(" at %s\n", print_time(g->run.began, began));
}

static int print_group(const struct group *g)
{
	static const char *const headings[] = { "ABI",	"CALL",	    "UNITS",
						"ONLY", "FIRST IN", "OUTCOME" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < g->cnt; i++)
		add_call(&t, &g->matrix, &g->call[i]);
	print_heading(g);
	return g->cnt ? print_table_write(&t, stdout) : puts("no call was seen") < 0 ? -EIO : 0;
}

static int print_groups(const struct groups *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->cnt; i++) {
		if (i)
			putchar('\n');
		r = print_group(&g->of[i]);
	}
	return r;
}

/* --- for scripts ------------------------------------------------------------------------- */

static json_t *json_units(const struct matrix *m)
{
	_free_ uint32_t *growth = calloc(m->cnt + 1, sizeof(*growth));
	json_t *array = growth ? json_array() : NULL;

	if (!array)
		return NULL;
	matrix_growth(m, growth);
	for (size_t i = 0; i < m->cnt; i++) {
		const struct matrix_unit *u = &m->unit[i];
		unsigned calls = 0;

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			calls += sysset_count(&u->set[abi]);
		(void)json_array_append_new(
			array, json_pack("{s:o, s:I, s:s, s:i, s:i}", "label",
					 print_json_text(u->name), "began", (json_int_t)u->began,
					 "outcome", matrix_outcome_name(u->outcome), "calls",
					 (int)calls, "grown", (int)growth[i]));
	}
	return array;
}

static json_t *json_by(const struct matrix *m, const struct matrix_call *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->cnt; i++) {
		if (made(&m->unit[i], c))
			(void)json_array_append_new(array, json_integer((json_int_t)i));
	}
	return array;
}

/* Of epochs there are thousands, and a call in most of them. */
static json_t *json_call(const struct group *g, const struct matrix_call *c)
{
	char name[CALLS_NAME_MAX];

	return json_pack("{s:s, s:i, s:s, s:i, s:I, s:b, s:o}", "abi", abi_name(c->abi), "nr",
			 (int)c->nr, "name", calls_print(c->abi, c->nr, name), "units",
			 (int)c->units, "first", (json_int_t)c->first, "only", c->units == 1, "by",
			 g->run.id ? json_by(&g->matrix, c) : json_null());
}

static json_t *json_group(const struct group *g)
{
	bool is_run = g->run.id != 0;
	json_t *calls = json_array();

	for (size_t i = 0; i < g->cnt; i++)
		(void)json_array_append_new(calls, json_call(g, &g->call[i]));
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "of", is_run ? "tests" : "epochs", "target",
			 print_json_text(g->run.target), "began",
			 is_run ? json_integer(g->run.began) : json_null(), "units",
			 json_units(&g->matrix), "calls", calls);
}

static int json_groups(const struct store_row *row, const struct groups *g)
{
	json_t *array = json_array();

	for (size_t i = 0; i < g->cnt; i++)
		(void)json_array_append_new(array, json_group(&g->of[i]));
	return print_json(json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "key",
				    print_json_text(row->key), "name", print_json_text(row->name),
				    "groups", array),
			  stdout);
}

int show_units(struct store *s, const struct store_row *row, bool json)
{
	__attribute__((cleanup(groups_done))) struct groups g = { 0 };
	int r = load(s, row->id, &g);

	if (r < 0)
		return lookup_failed(s, r);
	r = json ? json_groups(row, &g) : print_groups(&g);
	return r < 0 ? log_err_errno(r, "show") : 0;
}
