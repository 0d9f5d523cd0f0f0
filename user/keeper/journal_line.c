/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of the journal to lines and back. */
#include "keeper/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "apply/note.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "keeper/journal_internal.h"
#include "model/abi.h"

#define FIELDS 11

static const char *const kinds[] = {
	[JOURNAL_CALL] = "call",
	[JOURNAL_COUNT] = "count",
	[JOURNAL_HOT] = "hot",
};
_Static_assert(ARRAY_SIZE(kinds) == JOURNAL_KIND_MAX, "a name for each kind");

/* With the kind and the "." that says it is whole. */
static const size_t field_cnt[] = { [JOURNAL_CALL] = 11, [JOURNAL_COUNT] = 8, [JOURNAL_HOT] = 7 };
_Static_assert(ARRAY_SIZE(field_cnt) == JOURNAL_KIND_MAX, "fields of each kind");

static const char *const answers[] = {
	[ANSWER_CONTINUED] = "continued", [ANSWER_ALLOWED] = "allowed", [ANSWER_ASKED] = "asked",
	[ANSWER_DENIED] = "denied",	  [ANSWER_NOBODYS] = "nobodys",
};
_Static_assert(ARRAY_SIZE(answers) == ANSWER_MAX, "a name for each answer");

const char *journal_answer_name(enum journal_answer a)
{
	return (unsigned)a < ANSWER_MAX ? answers[a] : "?";
}

void journal_entry_done(struct journal_entry *e)
{
	free(e->key);
	free(e->cgroup);
	free(e->comm);
	free(e->exe);
	*e = (struct journal_entry){ 0 };
}

/* --- out ---------------------------------------------------------------------------------- */

/* "-" is what isn't known, so a name that is one can't stay as it is. */
static char *field(const char *s, size_t max)
{
	if (!s || !*s)
		return strdup("-");
	return strcmp(s, "-") == 0 ? strdup("%2D") : note_field(s, max);
}

static char *print_call(const struct journal_entry *e, const char *key)
{
	_free_ char *path = field(e->cgroup, PATH_MAX);
	_free_ char *comm = field(e->comm, TAMIS_COMM), *exe = field(e->exe, PATH_MAX);

	if (!path || !comm || !exe)
		return NULL;
	return text_format("call %s %" PRIu64 ":%s %s %" PRIu32 " %s %" PRId64 " %" PRIu32
			   " %s %s .\n",
			   key, e->cgroup_id, path, abi_name(e->abi), e->nr, answers[e->answer],
			   e->time, e->pid, comm, exe);
}

int journal_print(const struct journal_entry *e, char **ret)
{
	_free_ char *key = field(e->key, JOURNAL_KEY_MAX);
	char *text = NULL;

	if ((unsigned)e->kind >= JOURNAL_KIND_MAX || (unsigned)e->abi >= TAMIS_ABI_MAX ||
	    (unsigned)e->answer >= ANSWER_MAX || e->nr > TAMIS_CALLS || e->time < 0)
		return -EINVAL;
	if (key && e->kind == JOURNAL_CALL)
		text = print_call(e, key);
	else if (key && e->kind == JOURNAL_COUNT)
		text = text_format("count %s %s %" PRIu32 " %s %" PRIu64 " %" PRId64 " .\n", key,
				   abi_name(e->abi), e->nr, answers[e->answer], e->count, e->time);
	else if (key)
		text = text_format("hot %s %s %" PRIu32 " %" PRIu64 " %" PRId64 " .\n", key,
				   abi_name(e->abi), e->nr, e->count, e->time);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

/* --- in ----------------------------------------------------------------------------------- */

/* In place, at single spaces. The number of fields, 0: it isn't a whole line. */
static size_t split(char *line, char *ret[FIELDS])
{
	size_t cnt = 0;
	char *word;

	while ((word = strsep(&line, " "))) {
		if (cnt == FIELDS || !*word)
			return 0;
		for (const char *s = word; *s; s++)
			if (*s <= ' ' || *s >= 0x7f)
				return 0;
		ret[cnt++] = word;
	}
	return cnt > 0 && strcmp(ret[cnt - 1], ".") == 0 ? cnt : 0;
}

static int parse_index(const char *text, const char *const *names, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return -EINVAL;
}

static int parse_text(char *text, char **ret)
{
	bool known = note_is_known(text);

	note_unescape(text);
	*ret = strdup(known ? text : "");
	return *ret ? 0 : -ENOMEM;
}

/* What isn't known is NULL. */
static int parse_optional(char *text, char **ret)
{
	return note_is_known(text) ? parse_text(text, ret) : 0;
}

static int parse_u32(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value;

	if (text_u64(text, max, &value) < 0)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

static int parse_time(const char *text, int64_t *ret)
{
	uint64_t value;

	if (text_u64(text, INT64_MAX, &value) < 0)
		return -EINVAL;
	*ret = (int64_t)value;
	return 0;
}

static int parse_cgroup(char *text, struct journal_entry *e)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (text_u64(text, UINT64_MAX, &e->cgroup_id) < 0)
		return -EINVAL;
	return parse_text(colon + 1, &e->cgroup);
}

static int parse_answer(const char *text, enum journal_answer *ret)
{
	int r = parse_index(text, answers, ANSWER_MAX);

	if (r >= 0)
		*ret = (enum journal_answer)r;
	return r < 0 ? r : 0;
}

/* The ABI and the number are side by side in every kind. */
static int parse_number(char *const f[2], struct journal_entry *e)
{
	return abi_from_name(f[0], &e->abi) < 0 ? -EINVAL : parse_u32(f[1], TAMIS_CALLS, &e->nr);
}

static int parse_call(char *f[FIELDS], struct journal_entry *e)
{
	int r = parse_cgroup(f[2], e);

	if (r == 0)
		r = parse_number(f + 3, e);
	if (r == 0)
		r = parse_answer(f[5], &e->answer);
	if (r == 0)
		r = parse_time(f[6], &e->time);
	if (r == 0)
		r = parse_u32(f[7], UINT32_MAX, &e->pid);
	if (r == 0)
		r = parse_optional(f[8], &e->comm);
	return r == 0 ? parse_optional(f[9], &e->exe) : r;
}

static int parse_count(char *f[FIELDS], struct journal_entry *e)
{
	size_t at = e->kind == JOURNAL_COUNT ? 5 : 4;
	int r = parse_number(f + 2, e);

	if (r == 0 && e->kind == JOURNAL_COUNT)
		r = parse_answer(f[4], &e->answer);
	if (r == 0 && text_u64(f[at], UINT64_MAX, &e->count) < 0)
		r = -EINVAL;
	return r == 0 ? parse_time(f[at + 1], &e->time) : r;
}

static int parse_fields(char *f[FIELDS], size_t cnt, struct journal_entry *e)
{
	int kind = cnt ? parse_index(f[0], kinds, JOURNAL_KIND_MAX) : -EINVAL;
	int r;

	if (kind < 0 || cnt != field_cnt[kind])
		return -EINVAL;
	e->kind = (enum journal_kind)kind;
	r = parse_text(f[1], &e->key);
	if (r < 0)
		return r;
	return e->kind == JOURNAL_CALL ? parse_call(f, e) : parse_count(f, e);
}

int journal_parse(const char *line, size_t len, struct journal_entry *ret)
{
	struct journal_entry e = { 0 };
	_free_ char *text = NULL;
	char *f[FIELDS];
	int r;

	if (len > JOURNAL_LINE_MAX || memchr(line, '\0', len))
		return -EINVAL;
	text = strndup(line, len);
	if (!text)
		return -ENOMEM;
	r = parse_fields(f, split(text, f), &e);
	if (r < 0)
		journal_entry_done(&e);
	else
		*ret = e;
	return r;
}
