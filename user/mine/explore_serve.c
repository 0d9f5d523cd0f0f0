/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the service itself: commands inside, signals, its end and its next start. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "mine/explore_internal.h"
#include "mine/run.h"

#define LOOK_EACH 50

static int64_t life_deadline(const struct explore_run *r)
{
	int64_t until = explore_now_ms() + r->life_ms;

	return until < r->until ? until : r->until;
}

/* "$PORT" is the number of the port. */
static char *with_port(const char *word, unsigned port)
{
	static const char name[] = "$PORT";
	char *text = NULL;
	size_t len;
	FILE *f = stream_open(&text, &len);
	const char *at;

	if (!f)
		return NULL;
	for (; (at = strstr(word, name)); word = at + sizeof(name) - 1)
		fprintf(f, "%.*s%u", (int)(at - word), word, port);
	fputs(word, f);
	return fclose(f) == 0 ? text : NULL;
}

static void words_free(char **word)
{
	for (size_t i = 0; i < EXPLORE_WORDS_MAX; i++)
		free(word[i]);
}

static int run_in(struct explore_run *r, char *const *word, struct run_result *ret)
{
	char *argv[EXPLORE_WORDS_MAX + 1] = { NULL };
	int64_t limit = explore_deadline(r) - explore_now_ms();
	int err = 0;

	for (size_t i = 0; word[i] && err == 0; i++) {
		argv[i] = with_port(word[i], r->port);
		err = argv[i] ? 0 : -ENOMEM;
	}
	if (err == 0)
		err = target_exec(r->t, (const char *const *)argv, limit > 0 ? limit : 1, ret);
	words_free(argv);
	return err;
}

static int exec_in(struct explore_run *r, const struct explore_step *s)
{
	_run_result_ struct run_result result = { 0 };
	int err = run_in(r, s->word, &result);
	int status = WIFSIGNALED(result.status) ? 128 + WTERMSIG(result.status)
						: WEXITSTATUS(result.status);

	if (err == -EINTR || err == -ENOMEM)
		return err;
	if (err < 0)
		return explore_fail(r, "%s: %s", s->word[0], strerror(-err));
	if (result.hung)
		return explore_late(r, -ETIMEDOUT, "the command did not end");
	return explore_status(r, s, status, 1, s->word[0]);
}

/* Without a handler it would end, or nothing would happen. */
static bool is_caught(int64_t pid, unsigned signal)
{
	_free_ char *path = text_format("/proc/%lld/status", (long long)pid), *text = NULL;
	const char *line;

	if (!path || file_read_at(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return false;
	line = strstr(text, "\nSigCgt:\t");
	return line && strtoull(line + 9, NULL, 16) >> (signal - 1) & 1;
}

static int send_signal(struct explore_run *r, const struct explore_step *s)
{
	int err;

	if (s->caught && !is_caught(r->facts.pid, s->number))
		return 0;
	err = target_signal(r->t, (int)s->number);
	return err < 0 && err != -EINTR ? explore_fail(r, "no signal: %s", strerror(-err)) : err;
}

static int nap(struct explore_run *r, int64_t until)
{
	int64_t at = explore_now_ms() + LOOK_EACH;
	int err = explore_poll(-1, POLLIN, at < until ? at : until, r->stop_fd);

	return err == -ETIMEDOUT ? 0 : err;
}

/* The port that it is about, or else any of its own; one that has none is up when it runs. */
static int is_up(struct explore_run *r, int64_t until)
{
	uint16_t port = r->port ? r->port : r->e->seen->ports ? r->e->seen->port[0] : 0;
	int fd, err = explore_look(r);

	if (err < 0)
		return err;
	if (!port)
		return 0;
	fd = explore_connect(r->netns, 0, port, until, r->stop_fd);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int wait_up(struct explore_run *r)
{
	int64_t until = life_deadline(r);
	int status = 0, err;

	for (;;) {
		if (target_runs(r->t, &status) == 0)
			return explore_fail(r, "the service ended, exit status %d", status);
		err = is_up(r, until);
		if (err == 0 || err == -EINTR || err == -ENOMEM)
			return err;
		if (explore_now_ms() >= until)
			return explore_late(r, -ETIMEDOUT, "it is not up");
		err = nap(r, until);
		if (err < 0)
			return err;
	}
}

static int wait_end(struct explore_run *r)
{
	int64_t until = life_deadline(r);
	int status = 0, err;

	for (;;) {
		err = target_runs(r->t, &status);
		if (err <= 0)
			return err;
		if (explore_now_ms() >= until)
			return explore_late(r, -ETIMEDOUT, "it did not end");
		err = nap(r, until);
		if (err < 0)
			return err;
	}
}

static int restart(struct explore_run *r, const struct explore_step *s)
{
	_free_ char *why = NULL;
	int err, status;

	if (s->ended) {
		err = target_runs(r->t, &status);
		if (err != 0)
			return err < 0 ? err : 0;
	}

	explore_hang_up(r);
	explore_http_free(TAKE_PTR(r->http));
	err = target_restart(r->t, &why);
	if (err == -EINTR || err == -ENOMEM)
		return err;
	if (err < 0)
		return explore_fail(r, "not started again: %s", why ? why : strerror(-err));
	return explore_look(r);
}

int explore_serve(struct explore_run *r, const struct explore_step *s)
{
	switch (s->verb) {
	case EXPLORE_EXEC:
		return exec_in(r, s);
	case EXPLORE_SIGNAL:
		return send_signal(r, s);
	case EXPLORE_ROTATE:
		return explore_rotate(r);
	case EXPLORE_WAIT_UP:
		return wait_up(r);
	case EXPLORE_WAIT_END:
		return wait_end(r);
	case EXPLORE_RESTART:
		return restart(r, s);
	default:
		return -EINVAL;
	}
}
