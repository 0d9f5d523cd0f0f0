/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/show.h"
#include "cli/show_units.h"
#include "model/calls.h"
#include "policy/data.h"

static void text_list_done(struct text_list *l)
{
	for (size_t i = 0; i < l->cnt; i++)
		free(l->text[i]);
	free(l->text);
}

static void shown_donep(struct shown *s)
{
	store_row_done(&s->row);
	store_origins_free(s->origin, s->cnt);
	store_denials_free(s->denial, s->denial_cnt);
	text_list_done(&s->inner);
	text_list_done(&s->alias);
	text_list_done(&s->image);
	refused_done(&s->refused);
	mined_done(&s->mined);
}

/* What a policy is made of comes first. */
static int stage_rank(enum tamis_stage stage)
{
	static const int rank[TAMIS_STAGE_MAX] = {
		[TAMIS_WORKLOAD] = 0,
		[TAMIS_SESSION] = 1,
		[TAMIS_GATE] = 2,
		[TAMIS_SETUP] = 3,
	};

	return rank[stage];
}

static int compare_origins(const void *a, const void *b)
{
	const struct policy_origin *x = a, *y = b;
	char name_x[CALLS_NAME_MAX], name_y[CALLS_NAME_MAX];

	if (x->abi != y->abi)
		return (int)x->abi - (int)y->abi;
	if (x->stage != y->stage)
		return stage_rank(x->stage) - stage_rank(y->stage);
	return strcmp(calls_print(x->abi, x->nr, name_x), calls_print(y->abi, y->nr, name_y));
}

/* --- for people -------------------------------------------------------------------------- */

#define FIELD_MAX    1024 /* bytes of one hostile string */
#define PRINT_ID_MAX 128

static void print_field(const char *label, const char *text, const char *more)
{
	if (!text || !*text)
		return;
	printf("%-10s ", label);
	text_escape(stdout, text, FIELD_MAX);
	if (more && *more) {
		fputs(" (", stdout);
		text_escape(stdout, more, FIELD_MAX);
		fputc(')', stdout);
	}
	putchar('\n');
}

static void print_list(const char *label, const struct text_list *l)
{
	for (size_t i = 0; i < l->cnt; i++) {
		if (i)
			fputs(", ", stdout);
		else
			printf("%-10s ", label);
		text_escape(stdout, l->text[i], FIELD_MAX);
	}
	if (l->cnt)
		putchar('\n');
}

static void print_leaves(const struct store_row *row)
{
	uint64_t cnt = row->evidence.leaves;

	if (cnt == 0)
		return;
	printf("spawns elsewhere: %" PRIu64 " process%s", cnt, cnt == 1 ? "" : "es");
	if (row->leave_comm && *row->leave_comm) {
		fputs(", the last ", stdout);
		text_escape(stdout, row->leave_comm, FIELD_MAX);
		fputs(" to ", stdout);
		text_escape(stdout, row->leave_path ?: "a cgroup that is gone", FIELD_MAX);
	}
	fputs(" (a filter would follow them, learning doesn't)\n", stdout);
}

static void print_sets(const char *label, const struct sysset *sets)
{
	const char *before = label;
	char name[CALLS_NAME_MAX];

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&sets[abi], 0); nr >= 0;
		     nr = sysset_next(&sets[abi], (unsigned)nr + 1)) {
			printf("%s%s %s", before, abi_name(abi),
			       calls_print(abi, (unsigned)nr, name));
			before = ", ";
		}
	}
	if (before != label)
		putchar('\n');
}

static void print_process(const char *how, const char *comm, uint32_t pid, const char *exe)
{
	if (comm && *comm) {
		printf(", %s ", how);
		text_escape(stdout, comm, FIELD_MAX);
		printf("[%" PRIu32 "]", pid);
	}
	if (exe && *exe) {
		fputs(" of ", stdout);
		text_escape(stdout, exe, FIELD_MAX);
	}
}

/* One that waits for a person's word: who made it first, or asked for it last. */
static void print_pending(const struct shown *s, enum tamis_abi abi, unsigned nr)
{
	const struct policy_origin *o = show_origin(s, abi, nr);
	const struct store_denial *asked = o ? NULL : show_asked(s, abi, nr);
	char name[CALLS_NAME_MAX];

	printf("pending:   %s %s", abi_name(abi), calls_print(abi, nr, name));
	if (o) {
		print_process("first by", o->comm, o->pid, o->exe);
		printf(" (%s)", stage_name(o->stage));
	} else if (asked) {
		print_process("asked for by", asked->comm, asked->pid, asked->exe);
		printf(" (%" PRIu64 " time%s)", asked->count, asked->count == 1 ? "" : "s");
	}
	putchar('\n');
}

static void print_decided(const struct shown *s)
{
	char mode[PRINT_MODE_MAX], rule[32] = "";

	if (s->is.mode == MODE_PROBATION)
		snprintf(rule, sizeof(rule), "rule %s", probation_rule_name(s->is.rule));
	print_field("mode:", print_mode(&s->row, mode),
		    s->row.opted_out ? "a label of its container opts out" : rule);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (int nr = sysset_next(&s->pending[abi], 0); nr >= 0;
		     nr = sysset_next(&s->pending[abi], (unsigned)nr + 1))
			print_pending(s, abi, (unsigned)nr);
	}
	print_sets("allowed:   ", s->said.allowed);
	mined_print(&s->mined, stdout);
	print_list("images:", &s->image);
}

/* An id as engines show it; what isn't one, whole. */
static const char *short_id(const char *id, char buf[PRINT_ID_MAX])
{
	bool is_id = id && strlen(id) >= 32 && !id[strspn(id, "0123456789abcdef")];

	snprintf(buf, PRINT_ID_MAX, is_id ? "%.12s" : "%s", id ?: "");
	return buf;
}

static void print_head(const struct shown *s)
{
	const struct store_row *row = &s->row;
	char id[PRINT_ID_MAX];

	print_field("workload:", row->name && *row->name ? row->name : row->key, row->key);
	print_list("also called:", &s->alias);
	print_field("engine:", row->engine, NULL);
	print_field("image:", row->image, row->image_digest);
	print_field("namespace:", row->namespace, NULL);
	print_field("pod:", row->pod, NULL);
	print_field("container:", short_id(row->container, id), NULL);
	print_list("inside:", &s->inner);
	printf("state:     %s, %" PRIu64 " instance%s seen\n", row->running ? "running" : "gone",
	       row->replicas, row->replicas == 1 ? "" : "s");
	print_evidence(&row->evidence, stdout);
	completeness_print(&s->complete, stdout);
	slept_print(&s->slept, stdout);
	print_field("not enforceable:", row->why_not, NULL);
	print_leaves(row);
	print_sets("gate:      these are in no runtime's table (a newer runtime, or a hook): ",
		   s->gate_unknown);
	print_decided(s);
	putchar('\n');
}

/* Who made it, of all there were: "1/2 0123456789ab"; or who else learned it. */
static void add_replicas(struct print_table *t, const struct policy_origin *o, uint64_t all)
{
	char id[PRINT_ID_MAX], cell[PRINT_ID_MAX + 32];

	if (o->replicas == 0) {
		print_cell(t, o->source);
		return;
	}
	short_id(o->replicas < all ? o->replica : NULL, id);
	snprintf(cell, sizeof(cell), "%" PRIu32 "/%" PRIu64 "%s%s", o->replicas, all,
		 *id ? " " : "", id);
	print_cell(t, cell);
}

static void add_origin(struct print_table *t, const struct policy_origin *o, uint64_t replicas)
{
	char name[CALLS_NAME_MAX];

	print_cell(t, abi_name(o->abi));
	print_cell(t, stage_name(o->stage));
	print_cell(t, calls_print(o->abi, o->nr, name));
	print_cell_time(t, o->first);
	print_cell_time(t, o->last);
	add_replicas(t, o, replicas);
	print_cell(t, o->comm);
	if (o->pid)
		print_cell_u64(t, o->pid);
	else
		print_cell(t, NULL);
	print_cell(t, o->exe);
}

static int show_columns(const struct shown *s)
{
	static const char *const headings[] = { "ABI",	    "STAGE",	"CALL", "FIRST", "LAST",
						"REPLICAS", "FIRST BY", "PID",	"EXE" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < s->cnt; i++)
		add_origin(&t, &s->origin[i], s->row.containers);
	print_head(s);
	if (s->cnt == 0)
		return puts("no call was seen") < 0 ? -EIO : 0;
	r = print_table_write(&t, stdout);
	return r < 0 || !s->refused.generation ? r : refused_print(&s->refused);
}

/* ----------------------------------------------------------------------------------------- */

static int load_decided(struct store *store, struct shown *s)
{
	struct sysset guard[TAMIS_ABI_MAX] = { 0 };
	int r = data_guard(guard);

	if (r < 0)
		return log_err_errno(r, "policies/guard");
	r = pending_read(store, s->row.id, guard, s->pending, &s->said);
	if (r == 0)
		r = mined_load(store, s->row.id, &s->said, &s->mined);
	if (r == 0)
		r = store_denials(store, s->row.id, &s->denial, &s->denial_cnt);
	if (r == 0)
		r = store_images(store, s->row.id, &s->image.text, &s->image.cnt);
	if (r == 0)
		r = store_applied_get(store, s->row.id, &s->is);
	return r < 0 ? lookup_failed(store, r) : 0;
}

static int load_shadow(struct store *store, struct shown *s)
{
	_generation_ struct generation g = { 0 };
	int r;

	if (s->row.mode != MODE_SHADOW)
		return 0;
	r = store_generation_get(store, s->row.id, s->row.generation, &g);
	if (r == 0)
		r = refused_load(store, s->row.id, &g, &s->refused);
	return r < 0 ? lookup_failed(store, r) : 0;
}

static int load(struct store *store, const char *name, struct shown *s)
{
	struct learned learned;
	int r = lookup_workload(store, name, &s->row);

	if (r < 0)
		return r;
	r = store_origins(store, s->row.id, &s->origin, &s->cnt);
	if (r == 0)
		r = store_inner_list(store, s->row.id, &s->inner.text, &s->inner.cnt);
	if (r == 0)
		r = store_aliases(store, s->row.id, &s->alias.text, &s->alias.cnt);
	if (r == 0)
		r = completeness_load(store, s->row.id, &s->coverage);
	if (r == 0)
		r = completeness_now(store, s->row.id, &s->complete);
	if (r == 0)
		r = slept_load(store, s->row.id, NULL, &s->slept);
	if (r == 0)
		r = store_learned(store, s->row.id, &learned);
	if (r < 0)
		return lookup_failed(store, r);
	r = data_gate_unknown(&learned, s->gate_unknown);
	if (r < 0)
		return log_err_errno(r, "policies/runtime");
	r = load_decided(store, s);
	return r < 0 ? r : load_shadow(store, s);
}

struct show_options {
	const char *dir, *name;
	bool json, by_unit;
};

static int show_calls(struct store *store, const struct show_options *o)
{
	__attribute__((cleanup(shown_donep))) struct shown s = { 0 };
	int r = load(store, o->name, &s);

	if (r < 0)
		return r;
	if (s.cnt)
		qsort(s.origin, s.cnt, sizeof(*s.origin), compare_origins);
	r = o->json ? show_json(&s) : show_columns(&s);
	return r < 0 ? log_err_errno(r, "show") : 0;
}

static int show_by_unit(struct store *store, const struct show_options *o)
{
	_row_ struct store_row row = { 0 };
	int r = lookup_workload(store, o->name, &row);

	return r < 0 ? r : show_units(store, &row, o->json);
}

static int show(const struct show_options *o)
{
	_cleanup_(store_close) struct store *store = NULL;
	int r = lookup_open(o->dir, STORE_READ, &store);

	if (r == 0)
		r = o->by_unit ? show_by_unit(store, o) : show_calls(store, o);
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int take_by(const char *value, void *ctx)
{
	bool *by_unit = ctx;

	if (strcmp(value, "unit") != 0) {
		log_err("--by %s: calls are shown by unit, or without --by", value);
		return -EINVAL;
	}
	*by_unit = true;
	return 0;
}

static int run(int argc, char **argv)
{
	struct show_options o = { .dir = DEFAULT_STATE_DIR };
	const struct option_row options[] = {
		{ "by", .take = take_by, .ctx = &o.by_unit },
		OPTION_JSON(&o.json),
		OPTION_STATE(&o.dir),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_show, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	o.name = args.arg[0];
	return show(&o);
}

const struct cmd cmd_show = {
	.name = "show",
	.args = "WORKLOAD [--by unit] [--json] [--state DIR]",
	.help = "show what is known of a workload, call by call",
	.run = run,
};
