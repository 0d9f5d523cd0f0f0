/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a trial's file to records. */
#include "apply/trial_book.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "apply/note.h"
#include "base/text.h"
#include "identity/key.h"

#define FIELDS 5

/* --- records ------------------------------------------------------------------------------ */

void book_done(struct book *b)
{
	free(b->text);
	free(b->record);
	free(b->boot);
	*b = (struct book){ 0 };
}

static int find_boot(struct book *b, const char *boot, size_t *ret)
{
	const char **more;

	for (size_t i = 0; i < b->boot_cnt; i++)
		if (strcmp(b->boot[i], boot) == 0) {
			*ret = i;
			return 0;
		}
	more = reallocarray(b->boot, b->boot_cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	b->boot = more;
	more[b->boot_cnt] = boot;
	*ret = b->boot_cnt++;
	return 0;
}

int book_time(struct book *b, char *field, int64_t *ret_ms, size_t *ret_boot)
{
	char *at = strchr(field, '@');
	uint64_t ms;

	if (!at)
		return -EINVAL;
	*at = '\0';
	if (text_u64(field, TRIAL_BOOT_MS - 1, &ms) < 0)
		return -EINVAL;
	*ret_ms = (int64_t)ms;
	return find_boot(b, at + 1, ret_boot);
}

struct record *book_newest(const struct book *b, const char *id, size_t before)
{
	while (before > 0 && note_is_known(id))
		if (strcmp(b->record[--before].id, id) == 0)
			return &b->record[before];
	return NULL;
}

static void mark_over(struct book *b, const struct record *by)
{
	for (size_t i = 0; i < b->cnt; i++) {
		struct record *r = &b->record[i];
		bool same_id = note_is_known(by->id) && strcmp(r->id, by->id) == 0;
		bool same_group = note_is_known(by->cgroup) && strcmp(r->cgroup, by->cgroup) == 0;

		r->over |= same_id || same_group;
	}
}

static int add_start(struct book *b, char *field[FIELDS])
{
	struct record r = { .ended = -1, .id = field[3], .cgroup = field[4] }, *more;
	uint64_t generation;
	int e;

	if (text_u64(field[1], UINT32_MAX, &generation) < 0)
		return 0;
	r.generation = (uint32_t)generation;
	e = book_time(b, field[2], &r.began, &r.boot);
	if (e < 0)
		return e == -ENOMEM ? e : 0;
	more = reallocarray(b->record, b->cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	b->record = more;
	mark_over(b, &r);
	more[b->cnt++] = r;
	return 0;
}

static bool read_end(const char *how, const char *code, enum trial_end *ret, int *ret_code)
{
	uint64_t n;

	if (text_u64(code, INT_MAX, &n) < 0)
		return false;
	*ret_code = (int)n;
	if (strcmp(how, "exit") == 0)
		*ret = TRIAL_EXITED;
	else if (strcmp(how, "signal") == 0)
		*ret = TRIAL_KILLED;
	else if (strcmp(how, "unknown") == 0)
		*ret = TRIAL_UNKNOWN;
	else
		return false;
	return true;
}

/* The start of a container that ended then: some are told of only after it has started again. */
static struct record *newest_before(const struct book *b, const char *id, int64_t ms, size_t boot)
{
	struct record *r = book_newest(b, id, b->cnt);

	while (r && r->boot == boot && r->began > ms)
		r = book_newest(b, id, (size_t)(r - b->record));
	return r;
}

/* Two may note an end: who knows how it was is believed, and when it was first noted. */
static int add_end(struct book *b, char *field[FIELDS])
{
	struct record *r;
	enum trial_end end;
	int64_t ms = 0;
	size_t boot = 0;
	int code, e;

	if (!read_end(field[3], field[4], &end, &code))
		return 0;
	e = book_time(b, field[1], &ms, &boot);
	if (e < 0)
		return e == -ENOMEM ? e : 0;
	r = newest_before(b, field[2], ms, boot);
	if (!r || r->end == TRIAL_EXITED || r->end == TRIAL_KILLED)
		return 0;
	/* After a reboot: how the machine ended it, if anything. */
	if (boot != r->boot)
		end = TRIAL_UNKNOWN;
	else if (r->ended < 0)
		r->ended = ms;
	r->end = end;
	r->code = code;
	return 0;
}

static int add_line(struct book *b, char *line)
{
	char *field[FIELDS];
	size_t cnt = 0;

	if (!note_split(line, field, FIELDS, &cnt) || cnt != 5)
		return 0;
	if (strcmp(field[0], "start") == 0)
		return add_start(b, field);
	return strcmp(field[0], "end") == 0 ? add_end(b, field) : 0;
}

int book_read(const char *text, struct book *b)
{
	char *save = NULL, *line;
	int r = 0;

	b->text = strdup(text);
	if (!b->text)
		return -ENOMEM;
	for (line = strtok_r(b->text, "\n", &save); line && r == 0;
	     line = strtok_r(NULL, "\n", &save))
		r = add_line(b, line);
	return r;
}

char *trial_text_key(const char *text)
{
	_free_ char *first = strndup(text, strcspn(text, "\n"));
	char *field[FIELDS];
	size_t cnt = 0;

	if (!first || !note_split(first, field, FIELDS, &cnt) || cnt != 2 ||
	    strcmp(field[0], "key") != 0 || strlen(field[1]) >= KEY_MAX)
		return NULL;
	return strdup(field[1]);
}

bool trial_text_awaits(const char *text, const char *id, bool trial, const char *time)
{
	_free_ char *own_time = strdup(time);
	_book_ struct book b = { 0 };
	const struct record *r;
	int64_t ms = 0;
	size_t boot = 0;

	if (!text || !own_time || book_read(text, &b) < 0 ||
	    book_time(&b, own_time, &ms, &boot) < 0)
		return false;
	r = newest_before(&b, id, ms, boot);
	if (!r)
		return false;
	return trial ? r->generation != 0 : r->end == TRIAL_RUNS || r->end == TRIAL_UNKNOWN;
}
