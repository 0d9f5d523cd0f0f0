/* SPDX-License-Identifier: Apache-2.0 */
/* A step of an exploration: a verb and its words. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "mine/explore_internal.h"

struct reading {
	const char *p; /* what of the line isn't read */
	const struct explore_at *at;
	struct explore_step *step;
};

/* The word that must come; `what` names it. */
static int must(struct reading *r, const char *what, struct explore_word *ret)
{
	int got = explore_word_next(&r->p, ret);

	if (got > 0)
		return 0;
	return got < 0 ? explore_bad(r->at, "a quote is not closed, or goes on behind its end")
		       : explore_bad(r->at, "%s is missing", what);
}

/* Whether the next word is this one, which is read then. */
static bool took(struct reading *r, const char *word)
{
	const char *p = r->p;
	struct explore_word w;

	if (explore_word_next(&p, &w) <= 0 || !explore_word_is(&w, word))
		return false;
	r->p = p;
	return true;
}

static int number(struct reading *r, const char *what, uint64_t low, uint64_t high, unsigned *ret)
{
	struct explore_word w;
	uint64_t n;
	int err = must(r, what, &w);

	if (err < 0)
		return err;
	if (explore_word_number(&w, high, &n) < 0 || n < low)
		return explore_bad(r->at, "%s is a number from %ju to %ju", what, (uintmax_t)low,
				   (uintmax_t)high);
	*ret = (unsigned)n;
	return 0;
}

static int ms(struct reading *r, int64_t *ret)
{
	struct explore_word w;
	int err = must(r, "a time", &w);

	if (err < 0)
		return err;
	return explore_word_ms(&w, ret) < 0
		       ? explore_bad(r->at, "a time goes like 500ms or 20s, at most 3600s")
		       : 0;
}

static int decode(struct reading *r, const struct explore_word *w, char **ret, size_t *ret_len)
{
	int err = explore_word_decode(w, ret, ret_len);

	return err == -EINVAL ? explore_bad(r->at, "an escape is none of \\r \\n \\t \\0 \\\\ \\\" "
						   "\\$ \\xHH")
			      : err;
}

static int text(struct reading *r, struct explore_text *ret)
{
	struct explore_word w;
	int err = must(r, "a text", &w);

	if (err < 0)
		return err;
	if (!w.quoted)
		return explore_bad(r->at, "a text is in quotes: \"%.*s\"", (int)w.len, w.p);
	return decode(r, &w, &ret->p, &ret->len);
}

/* A word that is kept as a string. */
static int keep(struct reading *r, const struct explore_word *w)
{
	struct explore_step *s = r->step;
	size_t len;
	int err;

	if (!s->word)
		s->word = calloc(EXPLORE_WORDS_MAX + 1, sizeof(*s->word));
	if (!s->word)
		return -ENOMEM;
	if (s->word_cnt == EXPLORE_WORDS_MAX)
		return explore_bad(r->at, "more than %d words", EXPLORE_WORDS_MAX);
	err = decode(r, w, &s->word[s->word_cnt], &len);
	if (err < 0)
		return err;
	if (strlen(s->word[s->word_cnt++]) != len)
		return explore_bad(r->at, "a word holds a NUL");
	return 0;
}

static int keep_next(struct reading *r, const char *what)
{
	struct explore_word w;
	int err = must(r, what, &w);

	return err < 0 ? err : keep(r, &w);
}

static int read_times(struct reading *r)
{
	struct explore_step *s = r->step;
	size_t len = s->text.len ? s->text.len : 1;

	s->times = 1;
	return took(r, "times") ? number(r, "the times", 1, EXPLORE_BYTES_MAX / len, &s->times) : 0;
}

static int read_wanted(struct reading *r)
{
	struct explore_step *s = r->step;
	int err;

	s->want = took(r, "any") ? WANT_ANY : took(r, "closed") ? WANT_CLOSED : WANT_TEXT;
	if (s->want != WANT_TEXT)
		return 0;
	do {
		if (s->wanted_cnt == EXPLORE_WANT_MAX)
			return explore_bad(r->at, "more than %d texts", EXPLORE_WANT_MAX);
		err = text(r, &s->wanted[s->wanted_cnt]);
		if (err < 0)
			return err;
		if (!s->wanted[s->wanted_cnt++].len)
			return explore_bad(r->at, "an empty text is always there");
	} while (took(r, "or"));
	return 0;
}

static int read_send(struct reading *r)
{
	int err = text(r, &r->step->text);

	if (err == 0)
		err = read_times(r);
	return err == 0 && took(r, "expect") ? read_wanted(r) : err;
}

static int read_connect(struct reading *r)
{
	r->step->number = took(r, "4") ? 4 : took(r, "6") ? 6 : 0;
	return 0;
}

static int read_on(struct reading *r)
{
	return number(r, "the connection", 1, EXPLORE_CONNS_MAX, &r->step->number);
}

static int read_slow(struct reading *r)
{
	struct explore_step *s = r->step;
	int err = text(r, &s->text);

	s->number = 1;
	s->ms = 2000;
	if (err == 0 && took(r, "clients"))
		err = number(r, "the clients", 1, EXPLORE_CLIENTS_MAX, &s->number);
	return err == 0 && took(r, "over") ? ms(r, &s->ms) : err;
}

/* 200, 200..299 */
static int read_status(struct reading *r)
{
	struct explore_step *s = r->step;
	struct explore_word w, low, high;
	uint64_t from, to;
	const char *dots;
	int err = must(r, "a status", &w);

	if (err < 0)
		return err;
	dots = memmem(w.p, w.len, "..", 2);
	low = (struct explore_word){ w.p, dots ? (size_t)(dots - w.p) : w.len, w.quoted };
	high = dots ? (struct explore_word){ dots + 2, w.len - low.len - 2, w.quoted } : low;
	if (explore_word_number(&low, 999, &from) < 0 || explore_word_number(&high, 999, &to) < 0 ||
	    from > to)
		return explore_bad(r->at, "a status goes like 200 or 200..299");
	s->want = WANT_STATUS;
	s->low = (unsigned)from;
	s->high = (unsigned)to;
	return 0;
}

static int read_http_option(struct reading *r)
{
	struct explore_step *s = r->step;
	struct explore_word w = { .quoted = true };
	int err;

	if (took(r, "expect"))
		return read_status(r);
	if (took(r, "body")) {
		if (s->text.p)
			return explore_bad(r->at, "a second body");
		err = text(r, &s->text);
		return err < 0 ? err : read_times(r);
	}
	if (!took(r, "header"))
		return 1;
	err = must(r, "a header", &w);
	if (err == 0 && (!w.quoted || !memchr(w.p, ':', w.len)))
		return explore_bad(r->at, "a header goes like \"Name: value\"");
	return err < 0 ? err : keep(r, &w);
}

static bool is_path(const struct explore_step *s, size_t i)
{
	const char *path = i < s->word_cnt ? s->word[i] : NULL;

	return path && *path == '/';
}

/* OPTIONS knows "*" besides. */
static bool is_star(const struct explore_step *s, size_t i)
{
	const char *path = i < s->word_cnt ? s->word[i] : NULL;

	return path && !strcmp(path, "*");
}

static int read_http(struct reading *r)
{
	int err = keep_next(r, "a method");

	if (err == 0)
		err = keep_next(r, "a path");
	if (err == 0 && !is_path(r->step, 1) && !is_star(r->step, 1))
		err = explore_bad(r->at, "a path begins with /");
	while (err == 0)
		err = read_http_option(r);
	return err < 0 ? err : 0;
}

static int read_crawl(struct reading *r)
{
	struct explore_step *s = r->step;
	int err = keep_next(r, "a path");

	s->number = 3;
	s->limit = 100;
	if (err == 0 && !is_path(s, 0))
		return explore_bad(r->at, "a path begins with /");
	if (err == 0 && took(r, "depth"))
		err = number(r, "the depth", 0, 16, &s->number);
	if (err == 0 && took(r, "limit"))
		err = number(r, "the limit", 1, 10000, &s->limit);
	return err;
}

static int read_exec(struct reading *r)
{
	struct explore_word w;
	int err = took(r, "expect") ? read_status(r) : 0;

	if (err == 0)
		err = keep_next(r, "a command");
	while (err == 0) {
		err = explore_word_next(&r->p, &w);
		if (err <= 0)
			return err < 0 ? explore_bad(r->at, "a quote is not closed, or goes on "
							    "behind its end")
				       : 0;
		err = keep(r, &w);
	}
	return err;
}

static int read_signal(struct reading *r)
{
	static const struct {
		const char *name;
		int nr;
	} signals[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },	  { "QUIT", SIGQUIT },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM },
		{ "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP },
		{ "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "WINCH", SIGWINCH },
		{ "ALRM", SIGALRM }, { "KILL", SIGKILL },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		if (took(r, signals[i].name))
			r->step->number = (unsigned)signals[i].nr;
	if (!r->step->number)
		return explore_bad(r->at, "no such signal is known here");
	if (took(r, "if")) {
		if (!took(r, "caught"))
			return explore_bad(r->at, "\"if\" knows \"caught\" alone");
		r->step->caught = true;
	}
	return 0;
}

static int read_ms(struct reading *r)
{
	return ms(r, &r->step->ms);
}

static int read_wait(struct reading *r)
{
	if (took(r, "end"))
		r->step->verb = EXPLORE_WAIT_END;
	else if (!took(r, "up"))
		return explore_bad(r->at, "\"wait\" goes like: wait up, wait end");
	return 0;
}

static int read_restart(struct reading *r)
{
	if (took(r, "if")) {
		if (!took(r, "ended"))
			return explore_bad(r->at, "\"restart if\" knows \"ended\" alone");
		r->step->ended = true;
	}
	return 0;
}

static int read_nothing(struct reading *r)
{
	return 0;
}

static const struct {
	const char *name;
	enum explore_verb verb;
	int (*read)(struct reading *r);
} verbs[] = {
	{ "connect", EXPLORE_CONNECT, read_connect },
	{ "on", EXPLORE_ON, read_on },
	{ "send", EXPLORE_SEND, read_send },
	{ "expect", EXPLORE_EXPECT, read_wanted },
	{ "close", EXPLORE_CLOSE, read_nothing },
	{ "reset", EXPLORE_RESET, read_nothing },
	{ "shutdown", EXPLORE_SHUTDOWN, read_nothing },
	{ "slow", EXPLORE_SLOW, read_slow },
	{ "http", EXPLORE_HTTP, read_http },
	{ "crawl", EXPLORE_CRAWL, read_crawl },
	{ "exec", EXPLORE_EXEC, read_exec },
	{ "signal", EXPLORE_SIGNAL, read_signal },
	{ "rotate", EXPLORE_ROTATE, read_nothing },
	{ "pause", EXPLORE_PAUSE, read_ms },
	{ "within", EXPLORE_WITHIN, read_ms },
	{ "wait", EXPLORE_WAIT_UP, read_wait },
	{ "restart", EXPLORE_RESTART, read_restart },
};

static int read_step(struct reading *r)
{
	struct explore_word w;
	unsigned i;
	int err;

	r->step->maybe = took(r, "maybe");
	err = must(r, "a step", &w);
	if (err < 0)
		return err;
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (explore_word_is(&w, verbs[i].name))
			break;
	if (i == ARRAY_SIZE(verbs))
		return explore_bad(r->at, "no such step: \"%.*s\"", (int)w.len, w.p);
	r->step->verb = verbs[i].verb;
	err = verbs[i].read(r);
	if (err < 0)
		return err;
	err = explore_word_next(&r->p, &w);
	return err > 0	 ? explore_bad(r->at, "\"%.*s\" is one word too many", (int)w.len, w.p)
	       : err < 0 ? explore_bad(r->at, "a quote is not closed, or goes on behind its end")
			 : 0;
}

int explore_step_parse(const char *line, const struct explore_at *at, struct explore_step *ret)
{
	struct explore_step step = { 0 };
	struct reading r = { line, at, &step };
	int err = read_step(&r);

	if (err < 0) {
		explore_step_done(&step);
		return err;
	}
	*ret = step;
	return 0;
}
