/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/ready.h"

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <string.h>

#include "base/text.h"
#include "mine/run.h"
#include "mine/stop.h"
#include "mine/target.h"

#define POLL_MS	  100
#define QUIET_MS  1000	/* without a new call, where there is nothing better to go by */
#define ASK_MS	  10000 /* of one healthcheck, one command */
#define LOG_LINES 5	/* of its log, in a sentence */

struct ready {
	struct target *t;
	const struct ready_options *o;
	regex_t line;
	bool has_line;
	uint64_t seen, work;
	int64_t quiet_since, idle_since, began;
};

/* --- each way ------------------------------------------------------------------------------- */

static bool has_port(const struct target_facts *f, uint16_t port)
{
	for (unsigned i = 0; i < f->port_cnt; i++)
		if (f->port[i] == port)
			return true;
	return false;
}

/* That it listens is enough: a connection of ours would be a test of it. */
static int port_is_open(struct ready *w)
{
	struct target_facts f;

	return target_look(w->t, &f) == 0 && has_port(&f, w->o->port);
}

static int log_has_line(struct ready *w)
{
	_free_ char *log = NULL;
	int r = target_log(w->t, &log);

	return r < 0 ? r : regexec(&w->line, log, 0, NULL, 0) == 0;
}

static int command_succeeds(struct ready *w)
{
	const struct run_options o = {
		.argv = w->o->command,
		.limit_ms = ASK_MS,
		.stop_fd = w->o->stop_fd,
	};
	_run_result_ struct run_result result = { 0 };
	int r = run_program(&o, &result);

	return r < 0 ? r : run_succeeded(&result);
}

/* Since when a value is what it is. */
static int64_t unchanged(uint64_t now, uint64_t *before, int64_t *since)
{
	if (now != *before)
		*since = run_now_ms();
	*before = now;
	return run_now_ms() - *since;
}

/* Nothing was said: what it has itself. One that listens nowhere yet may be busy with what it will make
 * new calls for; one that listens may always be. */
static int seems_ready(struct ready *w)
{
	struct target_facts f;
	int64_t quiet, idle;

	if (target_look(w->t, &f) < 0)
		return 0;
	if (f.health)
		return target_healthy(w->t);
	idle = unchanged(target_work(w->t), &w->work, &w->idle_since);
	quiet = unchanged(w->o->seen ? w->o->seen(w->o->arg) : 0, &w->seen, &w->quiet_since);
	if (quiet < QUIET_MS)
		return 0;
	return f.port_cnt > 0 || (!f.exposes && idle >= QUIET_MS);
}

static int is_ready(struct ready *w)
{
	const struct ready_options *o = w->o;
	int r = 1;

	if (!o->port && !o->log_line && !o->command && !o->health)
		return seems_ready(w);
	if (o->port)
		r = port_is_open(w);
	if (r > 0 && o->log_line)
		r = log_has_line(w);
	if (r > 0 && o->health)
		r = target_healthy(w->t);
	return r > 0 && o->command ? command_succeeds(w) : r;
}

/* --- waiting -------------------------------------------------------------------------------- */

/* The end of its log in one line. */
static char *log_end(struct target *t)
{
	_free_ char *log = NULL;
	size_t len, begin;
	unsigned lines = 0;

	if (target_log(t, &log) < 0)
		return strdup("");
	len = strlen(log);
	while (len > 0 && strchr(" \r\n\t", log[len - 1]))
		log[--len] = '\0';
	for (begin = len; begin > 0 && lines < LOG_LINES && len - begin < 400; begin--)
		lines += log[begin - 1] == '\n';
	for (char *c = log + begin; *c; c++)
		if (*c == '\n')
			*c = '|';
	begin += log[begin] == '|';
	return log[begin] ? text_format("; its log ends: %s", log + begin) : strdup("");
}

static int say_ended(struct ready *w, int status, char **ret_why)
{
	_free_ char *log = log_end(w->t);

	if (status > 128)
		return text_why(-ECHILD, ret_why, "it ended by signal %d before it was ready%s",
				status - 128, log ?: "");
	return text_why(-ECHILD, ret_why, "it ended with status %d before it was ready%s", status,
			log ?: "");
}

static const char *what(const struct ready_options *o)
{
	if (o->port)
		return "nobody listens on its port";
	if (o->log_line)
		return "no line of its log matches";
	if (o->command)
		return "the command doesn't succeed";
	return o->health ? "its healthcheck fails"
			 : "it isn't healthy, or listens on no port, or "
			   "makes new calls all the time";
}

static int wait_ready(struct ready *w, char **ret_why)
{
	for (;;) {
		int status = 0, r = is_ready(w);

		if (r == -EINTR || stop_asked(w->o->stop_fd))
			return -EINTR;
		if (target_runs(w->t, &status) == 0)
			return say_ended(w, status, ret_why);
		if (r > 0)
			return 0;
		if (r < 0)
			return text_why(r, ret_why, "can't ask whether it is ready: %s",
					strerror(-r));
		if (run_now_ms() - w->began >= w->o->limit_ms)
			return text_why(-ETIMEDOUT, ret_why,
					"it isn't ready after %" PRId64 " s: %s",
					w->o->limit_ms / 1000, what(w->o));
		if (stop_sleep(w->o->stop_fd, POLL_MS) < 0)
			return -EINTR;
	}
}

int ready_wait(struct target *t, const struct ready_options *o, char **ret_why)
{
	struct ready w = { .t = t, .o = o, .began = run_now_ms() };
	int r;

	w.quiet_since = w.idle_since = w.began;
	if (o->log_line &&
	    regcomp(&w.line, o->log_line, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0)
		return text_why(-EINVAL, ret_why, "\"%s\" is no regular expression", o->log_line);
	r = wait_ready(&w, ret_why);
	if (o->log_line)
		regfree(&w.line);
	return r;
}
