/* SPDX-License-Identifier: Apache-2.0 */
/* What is there of a trial, and what its cgroups say of it now. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "apply/note.h"
#include "apply/trial_alive.h"
#include "apply/trial_book.h"
#include "identity/cgroups.h"

/* How long a runtime may take from the note of a start to the cgroup. */
#define MADE_MS 5000

struct at {
	const char *mount;
	int64_t ms;
	size_t boot;
};

static int64_t ago(const struct at *at, size_t boot, int64_t ms)
{
	if (boot == at->boot)
		return ms < at->ms ? at->ms - ms : 0;
	return (boot < at->boot ? (int64_t)(at->boot - boot) : 1) * TRIAL_BOOT_MS - ms;
}

/* An end that was noted late is the one before's, when this one runs. */
static void correct_end(const struct book *b, struct record *r)
{
	struct record *before = book_newest(b, r->id, (size_t)(r - b->record));

	if (r->end == TRIAL_RUNS || (r->end == TRIAL_KILLED && r->code == SIGSYS))
		return;
	if (before && before->boot == r->boot &&
	    (before->end == TRIAL_RUNS || before->end == TRIAL_UNKNOWN)) {
		before->end = r->end;
		before->code = r->code;
		before->ended = r->began;
	}
	r->end = TRIAL_RUNS;
	r->ended = -1;
}

/* Asks the cgroups of those that may run still; RUNS stays only where it is true. */
static void look(struct book *b, struct record *r, const struct at *at)
{
	bool mine = !r->over && r->boot == at->boot;

	if (mine && at->mount && note_is_known(r->cgroup)) {
		_free_ char *path = strdup(r->cgroup);

		if (path)
			note_unescape(path);
		if (path && trial_alive(at->mount, path, ago(at, r->boot, r->began))) {
			correct_end(b, r);
			return;
		}
	}
	if (r->end == TRIAL_RUNS && (!mine || ago(at, r->boot, r->began) >= MADE_MS))
		r->end = TRIAL_UNKNOWN;
}

static int take(const struct record *r, const struct at *at, struct trial_start *ret)
{
	*ret = (struct trial_start){
		.generation = r->generation,
		.began_ms = ago(at, r->boot, r->began),
		.ended_ms = r->ended < 0 ? -1 : ago(at, r->boot, r->ended),
		.end = r->end,
		.code = r->code,
	};
	note_unescape(r->id);
	note_unescape(r->cgroup);
	if (note_is_known(r->id))
		snprintf(ret->id, sizeof(ret->id), "%s", r->id);
	if (note_is_known(r->cgroup)) {
		ret->cgroup = strdup(r->cgroup);
		if (!ret->cgroup)
			return -ENOMEM;
	}
	return 0;
}

/* Newest first, so that an end which goes to an older start is there in time. */
static size_t look_at_all(struct book *b, uint32_t generation, const struct at *at)
{
	size_t from = b->cnt, cnt = 0;

	for (size_t i = b->cnt; i > 0 && cnt < TRIAL_STARTS_MAX; i--) {
		if (b->record[i - 1].generation != generation)
			continue;
		look(b, &b->record[i - 1], at);
		from = i - 1;
		cnt++;
	}
	return from;
}

static int take_all(struct book *b, uint32_t generation, const struct at *at, struct trial *ret)
{
	struct trial t = { .start = calloc(TRIAL_STARTS_MAX, sizeof(*t.start)) };
	int r = t.start ? 0 : -ENOMEM;

	for (size_t i = look_at_all(b, generation, at); i < b->cnt && r == 0; i++)
		if (b->record[i].generation == generation)
			r = take(&b->record[i], at, &t.start[t.cnt++]);
	if (r < 0 || t.cnt == 0)
		trial_done(&t);
	if (r == 0)
		*ret = t;
	return r;
}

int trial_text_read(const char *text, uint32_t generation, const char *now, const char *mount,
		    struct trial *ret)
{
	_book_ struct book b = { 0 };
	_free_ char *own_now = strdup(now), *found = NULL;
	struct at at = { .mount = mount };
	int r = own_now ? book_read(text, &b) : -ENOMEM;

	/* The last boot of all, though nothing was noted in it yet. */
	if (r == 0)
		r = book_time(&b, own_now, &at.ms, &at.boot);
	if (r < 0)
		return r;
	if (!mount && cgroups_find(&found) >= 0)
		at.mount = found;
	return take_all(&b, generation, &at, ret);
}

void trial_done(struct trial *t)
{
	for (size_t i = 0; i < t->cnt; i++)
		free(t->start[i].cgroup);
	free(t->start);
	*t = (struct trial){ 0 };
}
