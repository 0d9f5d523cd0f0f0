/* SPDX-License-Identifier: Apache-2.0 */
/* An exploration's file: for whom it is, then its steps. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_internal.h"

int explore_bad(const struct explore_at *at, const char *fmt, ...)
{
	_free_ char *what = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (r < 0) {
		what = NULL;
		return -ENOMEM;
	}
	free(*at->ret_why);
	*at->ret_why = NULL;
	return text_why(-EINVAL, at->ret_why, "%s:%u: %s", at->file, at->line, what);
}

void explore_step_done(struct explore_step *s)
{
	free(s->text.p);
	for (unsigned i = 0; i < s->wanted_cnt; i++)
		free(s->wanted[i].p);
	for (size_t i = 0; i < s->word_cnt; i++)
		free(s->word[i]);
	free(s->word);
	*s = (struct explore_step){ 0 };
}

void exploration_free(struct exploration *e)
{
	if (!e)
		return;
	for (unsigned i = 0; i < e->items; i++)
		free(e->item[i].pattern);
	for (size_t i = 0; i < e->steps; i++)
		explore_step_done(&e->step[i]);
	if (e->seen)
		free(e->seen->first);
	free(e->seen);
	free(e->step);
	free(e->name);
	free(e->file);
	free(e);
}

const char *exploration_name(const struct exploration *e)
{
	return e->name;
}

static bool speaks(enum explore_verb v)
{
	return v == EXPLORE_CONNECT || v == EXPLORE_SEND || v == EXPLORE_SLOW;
}

bool exploration_speaks(const struct exploration *e)
{
	for (size_t i = 0; i < e->steps; i++)
		if (speaks(e->step[i].verb))
			return true;
	return false;
}

bool exploration_has_port(const struct exploration *e)
{
	for (size_t i = 0; i < e->steps; i++)
		if (e->step[i].verb == EXPLORE_HTTP || e->step[i].verb == EXPLORE_CRAWL)
			return true;
	return exploration_speaks(e);
}

static int ports(const struct explore_word *w, struct explore_item *ret)
{
	const char *dash = memchr(w->p, '-', w->len);
	struct explore_word low = { w->p, dash ? (size_t)(dash - w->p) : w->len, w->quoted };
	struct explore_word high = low;
	uint64_t from, to;

	if (dash)
		high = (struct explore_word){ dash + 1, w->len - low.len - 1, false };
	if (explore_word_number(&low, UINT16_MAX, &from) < 0 ||
	    explore_word_number(&high, UINT16_MAX, &to) < 0 || !from || to < from)
		return -EINVAL;
	ret->low = (uint16_t)from;
	ret->high = (uint16_t)to;
	return 0;
}

/* What follows a kind in "for:". */
static int item_value(const char **p, const struct explore_at *at, struct explore_item *item)
{
	struct explore_word w;
	size_t len;

	if (item->kind != ITEM_PORT && item->kind != ITEM_PROGRAM && item->kind != ITEM_IMAGE)
		return 0;
	if (explore_word_next(p, &w) <= 0 || w.len == 0)
		return explore_bad(at, "\"port\", \"program\" and \"image\" take one word more");
	if (item->kind != ITEM_PORT)
		return explore_word_decode(&w, &item->pattern, &len);
	return ports(&w, item) < 0 ? explore_bad(at, "not a port: \"%.*s\"", (int)w.len, w.p) : 0;
}

static int item(struct exploration *e, const char *text, bool not_for, const struct explore_at *at)
{
	static const char *const kinds[] = {
		[ITEM_ANY] = "any",	[ITEM_HTTP] = "http", [ITEM_HTTPS] = "https",
		[ITEM_TCP] = "tcp",	[ITEM_PORT] = "port", [ITEM_PROGRAM] = "program",
		[ITEM_IMAGE] = "image",
	};
	struct explore_item *new = &e->item[e->items];
	struct explore_word w;
	unsigned kind;
	int r;

	if (explore_word_next(&text, &w) <= 0)
		return explore_bad(at, "it goes like: for: port 80, program nginx");
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		if (explore_word_is(&w, kinds[kind]))
			break;
	if (kind == ARRAY_SIZE(kinds))
		return explore_bad(at, "there is no kind \"%.*s\"", (int)w.len, w.p);
	if (e->items == EXPLORE_ITEMS_MAX)
		return explore_bad(at, "too many kinds of service");
	*new = (struct explore_item){ .kind = (enum explore_item_kind)kind, .not_for = not_for };
	e->items++;
	r = item_value(&text, at, new);
	if (r < 0)
		return r;
	return explore_word_next(&text, &w) ? explore_bad(at, "a comma is missing") : 0;
}

static int items(struct exploration *e, const char *text, bool not_for, const struct explore_at *at)
{
	_free_ char *copy = strdup(text);
	char *next = copy;

	if (!copy)
		return -ENOMEM;
	while (next) {
		int r = item(e, strsep(&next, ","), not_for, at);

		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: it is a line of the header, 0: of the steps. */
static int header(struct exploration *e, const char *line, const struct explore_at *at)
{
	const char *p = line;
	struct explore_word w, value = { 0 };
	bool for_whom, not_for, where, last;
	int r;

	if (explore_word_next(&p, &w) <= 0)
		return 0;
	for_whom = explore_word_is(&w, "for:");
	not_for = explore_word_is(&w, "not:");
	where = explore_word_is(&w, "in:");
	last = explore_word_is(&w, "last");
	if (!for_whom && !not_for && !where && !last)
		return 0;
	if (e->steps)
		return explore_bad(at, "\"%.*s\" belongs before the steps", (int)w.len, w.p);
	if (for_whom || not_for) {
		r = items(e, p, not_for, at);
		return r < 0 ? r : 1;
	}
	if (where && (explore_word_next(&p, &value) <= 0 || !explore_word_is(&value, "container")))
		return explore_bad(at, "\"in:\" knows \"container\" alone");
	if (explore_word_next(&p, &value))
		return explore_bad(at, "too many words");
	e->container |= where;
	e->last |= last;
	return 1;
}

static int add_line(void *arg, const char *line, const struct explore_at *at)
{
	struct exploration *e = arg;
	int r = header(e, line, at);
	struct explore_step *step;

	if (r != 0)
		return r < 0 ? r : 0;
	if (e->steps == EXPLORE_STEPS_MAX)
		return explore_bad(at, "more than %d steps", EXPLORE_STEPS_MAX);
	if (!(e->steps & (e->steps - 1))) {
		step = reallocarray(e->step, e->steps ? 2 * e->steps : 1, sizeof(*step));
		if (!step)
			return -ENOMEM;
		e->step = step;
	}
	r = explore_step_parse(line, at, &e->step[e->steps]);
	if (r < 0)
		return r;
	e->step[e->steps++].line = at->line;
	return 0;
}

static int whole(const struct exploration *e, const struct explore_at *at)
{
	bool somebody = false;

	for (unsigned i = 0; i < e->items; i++)
		somebody |= !e->item[i].not_for;
	if (!somebody)
		return explore_bad(at, "no line \"for:\" says which services it is for");
	return e->steps ? 0 : explore_bad(at, "it has no steps");
}

int exploration_parse(const char *name, const char *file, const char *text, size_t len,
		      struct exploration **ret, char **ret_why)
{
	_cleanup_(exploration_free) struct exploration *e = calloc(1, sizeof(*e));
	_free_ char *copy = strndup(text, len), *why = NULL;
	struct explore_at at = { file, 1, &why };
	int r;

	if (!e || !copy)
		return -ENOMEM;
	e->name = strdup(name);
	e->file = strdup(file);
	e->seen = calloc(1, sizeof(*e->seen));
	if (!e->name || !e->file || !e->seen)
		return -ENOMEM;
	if (strlen(copy) != len)
		r = explore_bad(&at, "it holds a NUL");
	else
		r = explore_lines(copy, &at, add_line, e);
	if (r == 0)
		r = whole(e, &at);
	if (r < 0) {
		if (why)
			*ret_why = TAKE_PTR(why);
		return r;
	}
	*ret = TAKE_PTR(e);
	return 0;
}
