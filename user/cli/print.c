/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

/* Bytes of one hostile string that a column shows. */
#define CELL_MAX 160

const char *print_time(int64_t seconds, char buf[PRINT_TIME_MAX])
{
	time_t t = seconds;
	struct tm tm;

	if (seconds <= 0 || !gmtime_r(&t, &tm) ||
	    strftime(buf, PRINT_TIME_MAX, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		snprintf(buf, PRINT_TIME_MAX, "-");
	return buf;
}

/* --- evidence ---------------------------------------------------------------------------- */

static void print_partial(const struct evidence *e, FILE *f)
{
	const char *const why[] = {
		e->starts == 0 ? "no start of it was seen" : NULL,
		e->lost_full ? "calls were dropped" : NULL,
		e->lost_gaps ? "it ran unobserved for a time" : NULL,
	};
	const char *sep = "yes: ";

	fputs("partial:   ", f);
	if (!evidence_is_partial(e))
		fputs("no", f);
	for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
		if (!why[i])
			continue;
		fprintf(f, "%s%s", sep, why[i]);
		sep = ", ";
	}
	fputc('\n', f);
}

static void print_losses(const struct evidence *e, FILE *f)
{
	const struct {
		uint64_t cnt;
		const char *what;
	} losses[] = {
		{ e->lost_full, "calls found the kernel's map full: any call may be missing" },
		{ e->lost_gaps, "times nobody watched while it may have run" },
		{ e->lost_task, "tasks whose stage was lost: calls of its setup may be listed" },
		{ e->lost_range, "calls with numbers that no table can hold" },
		{ e->lost_ring, "events were dropped: some first processes are not known" },
	};
	const char *label = "lost:";

	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		if (!losses[i].cnt)
			continue;
		fprintf(f, "%-10s %" PRIu64 " %s\n", label, losses[i].cnt, losses[i].what);
		label = "";
	}
	if (*label)
		fprintf(f, "%-10s nothing\n", label);
}

void print_evidence(const struct evidence *e, FILE *f)
{
	char since[PRINT_TIME_MAX], last[PRINT_TIME_MAX];

	fprintf(f, "observed:  since %s, last news %s\n", print_time(e->since, since),
		print_time(e->last, last));
	fprintf(f, "starts:    %" PRIu64 " seen, calls in %" PRIu64 " sampling unit%s\n", e->starts,
		e->units, e->units == 1 ? "" : "s");
	print_partial(e, f);
	print_losses(e, f);
}

/* --- columns ----------------------------------------------------------------------------- */

void print_table_done(struct print_table *t)
{
	for (size_t i = 0; i < t->cnt; i++)
		free(t->cell[i]);
	free(t->cell);
}

static int table_room(struct print_table *t)
{
	size_t room = t->room ? t->room * 2 : 64;
	char **more;

	if (t->cnt < t->room)
		return 0;
	more = reallocarray(t->cell, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->cell = more;
	t->room = room;
	return 0;
}

void print_cell(struct print_table *t, const char *text)
{
	char *cell = text_escaped(text && *text ? text : "-", CELL_MAX);

	if (!cell || table_room(t) < 0) {
		free(cell);
		t->failed = true;
		return;
	}
	t->cell[t->cnt++] = cell;
}

void print_cell_u64(struct print_table *t, uint64_t value)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, value);
	print_cell(t, buf);
}

void print_cell_time(struct print_table *t, int64_t seconds)
{
	char buf[PRINT_TIME_MAX];

	print_cell(t, print_time(seconds, buf));
}

/* Characters, not bytes: cells are valid UTF-8 once they are escaped. */
static size_t cell_width(const char *cell)
{
	size_t width = 0;

	for (; *cell; cell++)
		width += (*cell & 0xc0) != 0x80;
	return width;
}

static void write_row(const struct print_table *t, size_t first, const size_t *width, FILE *f)
{
	for (size_t c = 0; c < t->columns; c++) {
		const char *cell = t->cell[first + c];
		size_t used = cell_width(cell);

		fputs(cell, f);
		/* Nothing but the end follows the last one. */
		if (c + 1 < t->columns)
			fprintf(f, "%*s", (int)(width[c] - used) + 2, "");
	}
	fputc('\n', f);
}

int print_table_write(const struct print_table *t, FILE *f)
{
	_free_ size_t *width = calloc(t->columns, sizeof(*width));

	if (!width || t->failed)
		return -ENOMEM;
	for (size_t i = 0; i < t->cnt; i++) {
		size_t used = cell_width(t->cell[i]);

		if (used > width[i % t->columns])
			width[i % t->columns] = used;
	}
	for (size_t i = 0; i + t->columns <= t->cnt; i += t->columns)
		write_row(t, i, width, f);
	return 0;
}

const char *print_mode(const struct store_row *row, char buf[PRINT_MODE_MAX])
{
	bool is_good = row->generation_state == GENERATION_GOOD || row->mode != MODE_ENFORCE;

	if (row->mode == MODE_OBSERVE)
		snprintf(buf, PRINT_MODE_MAX, "%s", policy_mode_name(row->mode));
	else
		snprintf(buf, PRINT_MODE_MAX, "%s %" PRIu32 "%s%s", policy_mode_name(row->mode),
			 row->generation, is_good ? "" : " ",
			 is_good ? "" : generation_state_name(row->generation_state));
	return buf;
}

/* --- JSON -------------------------------------------------------------------------------- */

json_t *print_json_text(const char *text)
{
	_free_ char *escaped = NULL;
	json_t *json;

	if (!text)
		return json_null();
	json = json_string(text);
	if (json)
		return json;
	escaped = text_escaped(text, SIZE_MAX);
	return escaped ? json_string(escaped) : NULL;
}

json_t *print_json_known(const char *text)
{
	return print_json_text(text && *text ? text : NULL);
}

json_t *print_json_rule(const struct store_applied *a)
{
	bool asks = a->mode == MODE_PROBATION || (a->mode == MODE_ENFORCE && a->probe_new_image);

	return asks ? json_string(probation_rule_name(a->rule)) : json_null();
}

json_t *print_json_texts(char *const *text, size_t cnt)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cnt; i++) {
		if (json_array_append_new(array, print_json_text(text[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *json_u64(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *json_losses(const struct evidence *e)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "full", json_u64(e->lost_full), "gaps",
			 json_u64(e->lost_gaps), "task", json_u64(e->lost_task), "range",
			 json_u64(e->lost_range), "ring", json_u64(e->lost_ring));
}

static json_t *json_leaves(const struct store_row *row)
{
	if (!row->evidence.leaves)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "processes", json_u64(row->evidence.leaves), "comm",
			 print_json_known(row->leave_comm), "path",
			 print_json_known(row->leave_path));
}

static json_t *json_identity(const struct store_row *row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "key",
			 print_json_text(row->key), "name", print_json_text(row->name), "engine",
			 print_json_text(row->engine), "image", print_json_text(row->image),
			 "image_digest", print_json_text(row->image_digest), "namespace",
			 print_json_known(row->namespace), "pod", print_json_known(row->pod),
			 "container", print_json_known(row->container));
}

static json_t *json_state(const struct store_row *row)
{
	const struct evidence *e = &row->evidence;

	return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}",
			 "state", row->running ? "running" : "gone", "partial",
			 evidence_is_partial(e), "enforceable", !row->why_not, "why_not",
			 print_json_text(row->why_not), "call_count", json_u64(row->calls),
			 "starts", json_u64(e->starts), "instances", json_u64(row->replicas),
			 "containers", json_u64(row->containers), "units", json_u64(e->units),
			 "first", (json_int_t)e->since, "last", (json_int_t)e->last, "lost",
			 json_losses(e), "spawns_elsewhere", json_leaves(row));
}

static json_t *json_applied(const struct store_row *row, unsigned pending)
{
	bool is_applied = row->generation != 0;

	return json_pack(
		"{s:s, s:o, s:o, s:b, s:o}", "mode", policy_mode_name(row->mode), "generation",
		is_applied ? json_integer(row->generation) : json_null(), "generation_state",
		print_json_text(is_applied ? generation_state_name(row->generation_state) : NULL),
		"opted_out", row->opted_out, "pending_count", json_u64(pending));
}

json_t *print_json_row(const struct store_row *row, unsigned pending)
{
	json_t *json = json_identity(row), *state = json_state(row);
	json_t *applied = json_applied(row, pending);
	int r = json && state && applied ? json_object_update(json, state) : -1;

	if (r == 0)
		r = json_object_update(json, applied);
	json_decref(state);
	json_decref(applied);
	if (r == 0)
		return json;
	json_decref(json);
	return NULL;
}

int print_json(json_t *json, FILE *f)
{
	int r;

	if (!json)
		return -ENOMEM;
	/* Only ASCII: no character of a name reaches the terminal as it is. */
	r = json_dumpf(json, f, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(json);
	fputc('\n', f);
	return r < 0 ? -EIO : 0;
}
