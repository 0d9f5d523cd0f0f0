/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of an exploration, with "each VAR in ..." and "repeat N" written out up to their "end". */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "mine/explore_internal.h"

#define DEPTH_MAX  4
/* Lines looked at: nested blocks multiply. */
#define VISITS_MAX 65536

struct variable {
	struct explore_word name, value;
};

struct reader {
	char **line;
	size_t lines;
	struct explore_at at;
	struct variable variable[DEPTH_MAX];
	unsigned depth, visits;
	int (*fn)(void *arg, const char *line, const struct explore_at *at);
	void *arg;
};

static const struct explore_word *value_of(const struct reader *r, const char *name, size_t len)
{
	for (unsigned i = r->depth; i-- > 0;) {
		const struct explore_word *have = &r->variable[i].name;

		if (have->len == len && len && !memcmp(have->p, name, len))
			return &r->variable[i].value;
	}
	return NULL;
}

static size_t name_len(const char *p)
{
	size_t len = 0;

	while (isupper((unsigned char)p[len]) ||
	       (len && (isdigit((unsigned char)p[len]) || p[len] == '_')))
		len++;
	return len;
}

/* What has no such variable stays as it is: a "$" is ordinary in shell and in redis' protocol. */
static int substitute(const struct reader *r, const char *line, char ret[EXPLORE_LINE_MAX])
{
	size_t used = 0;

	while (*line) {
		struct explore_word piece = { line, 1, false };
		size_t skip = 1;

		if (line[0] == '\\' && line[1]) {
			piece.len = skip = 2;
		} else if (line[0] == '$') {
			size_t len = name_len(line + 1);
			const struct explore_word *value = value_of(r, line + 1, len);

			if (value)
				piece = *value, skip = len + 1;
		}
		if (used + piece.len >= EXPLORE_LINE_MAX)
			return explore_bad(&r->at, "the line is too long");
		memcpy(ret + used, piece.p, piece.len);
		used += piece.len;
		line += skip;
	}
	ret[used] = '\0';
	return 0;
}

static int block(struct reader *r, size_t *i, bool top);

/* The lines from `first` on, up to the end of the block, which goes to *i. */
static int body(struct reader *r, size_t first, size_t *i)
{
	*i = first;
	return block(r, i, false);
}

static int each(struct reader *r, const char *words, size_t *i)
{
	struct variable *v = &r->variable[r->depth];
	struct explore_at at = r->at;
	size_t first = *i;
	unsigned cnt = 0;
	struct explore_word in;
	int ret;

	if (explore_word_next(&words, &v->name) <= 0 || v->name.quoted ||
	    name_len(v->name.p) != v->name.len || explore_word_next(&words, &in) <= 0 ||
	    !explore_word_is(&in, "in"))
		return explore_bad(&at, "\"each\" goes like: each NAME in WORD...");
	r->depth++;
	while ((ret = explore_word_next(&words, &v->value)) > 0) {
		cnt++;
		ret = body(r, first, i);
		if (ret < 0)
			return ret;
	}
	r->depth--;
	if (ret < 0 || !cnt)
		return explore_bad(&at, cnt ? "a quote is not closed" : "\"each\" of nothing");
	return 0;
}

static int repeat(struct reader *r, const char *words, size_t *i)
{
	struct explore_at at = r->at;
	struct explore_word w;
	size_t first = *i;
	uint64_t n;

	if (explore_word_next(&words, &w) <= 0 || explore_word_number(&w, 1000, &n) < 0 || !n)
		return explore_bad(&at, "\"repeat\" takes a number from 1 to 1000");
	r->variable[r->depth++] = (struct variable){ 0 };
	while (n--) {
		int ret = body(r, first, i);

		if (ret < 0)
			return ret;
	}
	r->depth--;
	return 0;
}

static int one(struct reader *r, size_t *i, bool *ret_ended)
{
	char line[EXPLORE_LINE_MAX];
	const char *p = line;
	struct explore_word w;
	int ret;

	r->at.line = (unsigned)*i + 1;
	if (++r->visits > VISITS_MAX)
		return explore_bad(&r->at, "the blocks come to too many lines");
	ret = substitute(r, r->line[(*i)++], line);
	if (ret < 0)
		return ret;
	ret = explore_word_next(&p, &w);
	if (ret == 0 || (ret > 0 && !w.quoted && w.p[0] == '#'))
		return 0;
	if (ret < 0)
		return explore_bad(&r->at, "a quote is not closed");
	*ret_ended = explore_word_is(&w, "end");
	if (*ret_ended)
		return 0;
	if (!explore_word_is(&w, "each") && !explore_word_is(&w, "repeat"))
		return r->fn(r->arg, line, &r->at);
	if (r->depth == DEPTH_MAX)
		return explore_bad(&r->at, "blocks nest too deeply");
	return w.p[0] == 'e' ? each(r, p, i) : repeat(r, p, i);
}

static int block(struct reader *r, size_t *i, bool top)
{
	unsigned line = r->at.line;

	while (*i < r->lines) {
		bool ended = false;
		int ret = one(r, i, &ended);

		if (ret < 0)
			return ret;
		if (ended && top)
			return explore_bad(&r->at, "\"end\" of nothing");
		if (ended)
			return 0;
	}
	r->at.line = line;
	return top ? 0 : explore_bad(&r->at, "the block has no \"end\"");
}

/* The next line of *next, cut off; what a backslash at its end joins to it becomes part of it. *ret_lines
 * is how many there were. */
static char *line_of(char **next, size_t *ret_lines)
{
	char *line = *next, *end = strchrnul(line, '\n');
	bool comment = line[strspn(line, " \t")] == '#';

	*ret_lines = 1;
	while (!comment && *end && end > line && end[-1] == '\\') {
		end[-1] = end[0] = ' ';
		end = strchrnul(end, '\n');
		(*ret_lines)++;
	}
	*next = *end ? end + 1 : end;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

int explore_lines(const char *text, const struct explore_at *at,
		  int (*fn)(void *arg, const char *line, const struct explore_at *at), void *arg)
{
	static char nothing[] = "";
	_free_ char *copy = strdup(text);
	_free_ char **line = calloc(strlen(text) + 1, sizeof(*line));
	struct reader r = { .line = line, .at = *at, .fn = fn, .arg = arg };
	char *next = copy;
	size_t i = 0, lines;

	if (!copy || !line)
		return -ENOMEM;
	while (*next) {
		line[r.lines++] = line_of(&next, &lines);
		r.at.line = (unsigned)r.lines;
		if (strlen(line[r.lines - 1]) >= EXPLORE_LINE_MAX)
			return explore_bad(&r.at, "the line is too long");
		while (--lines)
			line[r.lines++] = nothing;
	}
	r.at.line = at->line;
	return block(&r, &i, true);
}
