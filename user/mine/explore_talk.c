/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to a port and back: connect, on, send, expect, close, reset, shutdown, slow. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mine/explore_internal.h"

/* Of what came and wasn't asked for yet. */
#define KEPT_MAX  (256u << 10)
/* Sent at once. */
#define BLOCK	  65536
/* Of an answer that is shown. */
#define SHOWN_MAX 80

static struct explore_conn *now(struct explore_run *r)
{
	return &r->conn[r->on];
}

static void hang_up(struct explore_conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	*c = (struct explore_conn){ .fd = -1 };
}

void explore_hang_up(struct explore_run *r)
{
	for (unsigned i = 0; i < EXPLORE_CONNS_MAX; i++)
		hang_up(&r->conn[i]);
}

static int dial(struct explore_run *r, unsigned version)
{
	static const char *const names[] = { [4] = " over IPv4", [6] = " over IPv6" };
	int family = version == 4 ? AF_INET : version == 6 ? AF_INET6 : 0, fd;

	hang_up(now(r));
	if (!r->port)
		return explore_fail(r, "it listens on no port");
	fd = explore_connect(r->netns, family, r->port, explore_deadline(r), r->stop_fd);
	if (fd == -EINTR)
		return fd;
	if (fd == -ETIMEDOUT)
		return explore_late(r, fd, "no connection");
	if (fd < 0)
		return explore_fail(r, "no connection to port %u%s: %s", r->port,
				    version ? names[version] : "", strerror(-fd));
	now(r)->fd = fd;
	return 0;
}

/* Room for what is read next; what is too old to be waited for goes. */
static int make_room(struct explore_conn *c)
{
	char *in;

	if (c->room - c->len > 4096)
		return 0;
	if (c->room >= KEPT_MAX) {
		memmove(c->in, c->in + c->len / 2, c->len - c->len / 2);
		c->len -= c->len / 2;
		return 0;
	}
	in = realloc(c->in, c->room ? c->room * 2 : 16384);
	if (!in)
		return -ENOMEM;
	c->in = in;
	c->room = c->room ? c->room * 2 : 16384;
	return 0;
}

/* What is there to be read. 0: something came, or the end. */
static int take_in(struct explore_conn *c)
{
	int r = make_room(c);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(c->fd, c->in + c->len, c->room - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0)
		c->ended = true;
	else
		c->len += (size_t)n;
	return 0;
}

static int take_more(struct explore_run *r, int64_t until)
{
	struct explore_conn *c = now(r);
	int err;

	do {
		err = explore_poll(c->fd, POLLIN, until, r->stop_fd);
		if (err == 0)
			err = take_in(c);
	} while (err == -EAGAIN);
	return err;
}

/* Both sides send at once, or a service with much to say stops listening to us. */
static int push(struct explore_run *r, const char *p, size_t len, int64_t until)
{
	struct explore_conn *c = now(r);

	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int err;

		if (n > 0)
			p += n, len -= (size_t)n;
		if (n >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		err = explore_poll(c->fd, POLLOUT | (c->ended ? 0 : POLLIN), until, r->stop_fd);
		if (err == 0 && !c->ended)
			err = take_in(c);
		if (err < 0 && err != -EAGAIN)
			return err;
	}
	return 0;
}

/* Moves what was looked for, and all before it, out of what came. */
static bool found(struct explore_conn *c, const struct explore_step *s)
{
	const char *first = NULL;
	size_t len = 0;

	for (unsigned i = 0; i < s->wanted_cnt; i++) {
		const struct explore_text *t = &s->wanted[i];
		const char *at = c->len ? memmem(c->in, c->len, t->p, t->len) : NULL;

		if (at && (!first || at < first))
			first = at, len = t->len;
	}
	if (!first)
		return false;
	c->len -= (size_t)(first + len - c->in);
	memmove(c->in, first + len, c->len);
	return true;
}

static bool is_satisfied(struct explore_conn *c, const struct explore_step *s)
{
	bool any = c->len > 0;

	if (s->want == WANT_CLOSED)
		return c->ended;
	if (s->want == WANT_TEXT)
		return found(c, s);
	c->len = 0;
	return any;
}

static int disappointed(struct explore_run *r, const struct explore_step *s)
{
	struct explore_conn *c = now(r);
	_free_ char *got = c->len ? strndup(c->in, c->len < SHOWN_MAX ? c->len : SHOWN_MAX) : NULL;
	_free_ char *shown = got ? text_escaped(got, SHOWN_MAX) : NULL;
	_free_ char *want = s->want == WANT_TEXT ? text_escaped(s->wanted[0].p, SHOWN_MAX) : NULL;
	const char *kind = c->ended ? "it closed" : "nothing in time";

	if (s->want == WANT_CLOSED)
		return explore_fail(r, "it did not close the connection");
	if (s->want == WANT_ANY)
		return explore_fail(r, "no answer: %s", kind);
	if (shown)
		return explore_fail(r, "answered \"%s\", expected \"%s\"", shown, want ? want : "");
	return explore_fail(r, "no answer: %s; expected \"%s\"", kind, want ? want : "");
}

static int expect(struct explore_run *r, const struct explore_step *s)
{
	struct explore_conn *c = now(r);
	int64_t until = explore_deadline(r);
	size_t all = 0;

	if (c->fd < 0)
		return explore_fail(r, "there is no connection");
	while (!is_satisfied(c, s)) {
		size_t before = c->len;
		int err = c->ended || all > EXPLORE_BYTES_MAX ? -ETIMEDOUT : take_more(r, until);

		if (err == -ETIMEDOUT && !c->ended && explore_now_ms() >= r->until)
			return -ETIME;
		if (err == -ETIMEDOUT)
			return disappointed(r, s);
		if (err < 0)
			return err;
		all += c->len > before ? c->len - before : 4096;
	}
	return 0;
}

/* A short text many times over goes in blocks. */
static char *block_of(const struct explore_text *text, uint32_t times, uint32_t *ret_each)
{
	uint32_t each = text->len && text->len < BLOCK ? (uint32_t)(BLOCK / text->len) : 1;
	char *block;

	each = each < times ? each : times;
	block = malloc(text->len * each + 1);
	for (uint32_t i = 0; block && i < each; i++)
		memcpy(block + i * text->len, text->p, text->len);
	*ret_each = each;
	return block;
}

static int send_all(struct explore_run *r, const struct explore_step *s)
{
	int64_t until = explore_deadline(r);
	uint32_t each, now_cnt;
	_free_ char *block = block_of(&s->text, s->times, &each);

	if (!block)
		return -ENOMEM;
	for (uint32_t left = s->times; left; left -= now_cnt) {
		int err;

		now_cnt = each < left ? each : left;
		err = push(r, block, s->text.len * now_cnt, until);
		if (err == -ETIMEDOUT)
			return explore_late(r, err, "it does not read");
		if (err == -EINTR || err == -ENOMEM)
			return err;
		/* It may answer before it has read all. */
		if (err < 0 && s->want != WANT_NOTHING)
			return 0;
		if (err < 0)
			return explore_fail(r, "not sent: %s", strerror(-err));
	}
	return 0;
}

static int send_step(struct explore_run *r, const struct explore_step *s)
{
	int err = now(r)->fd < 0 ? dial(r, 0) : 0;

	if (err == 0)
		err = send_all(r, s);
	return err == 0 && s->want != WANT_NOTHING ? expect(r, s) : err;
}

/* Each client sends a byte after the other; one that is thrown out has had its effect. */
static int dribble(struct explore_run *r, const struct explore_step *s, int *fd)
{
	size_t len = s->text.len;
	int64_t began = explore_now_ms();

	for (size_t i = 0; i < len; i++) {
		int64_t at = began + s->ms * (int64_t)(i + 1) / (int64_t)len;
		int err;

		for (unsigned c = 0; c < s->number; c++)
			if (fd[c] >= 0)
				(void)send(fd[c], s->text.p + i, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		err = explore_poll(-1, 0, at < r->until ? at : r->until, r->stop_fd);
		if (err == -EINTR)
			return err;
		if (explore_now_ms() >= r->until)
			return -ETIME;
	}
	return 0;
}

static int slow(struct explore_run *r, const struct explore_step *s)
{
	int fd[EXPLORE_CLIENTS_MAX], err = 0;
	unsigned cnt = 0, clients = 0;

	if (!r->port)
		return explore_fail(r, "it listens on no port");
	for (; cnt < s->number && err != -EINTR; cnt++) {
		fd[cnt] = explore_connect(r->netns, 0, r->port, explore_deadline(r), r->stop_fd);
		err = fd[cnt] == -EINTR ? -EINTR : 0;
		clients += fd[cnt] >= 0;
	}
	if (err == 0 && !clients)
		err = explore_fail(r, "no connection to port %u", r->port);
	if (err == 0)
		err = dribble(r, s, fd);
	while (cnt-- > 0)
		if (fd[cnt] >= 0)
			close(fd[cnt]);
	return err;
}

static int reset(struct explore_conn *c)
{
	const struct linger none = { 1, 0 };

	if (c->fd >= 0)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	hang_up(c);
	return 0;
}

int explore_talk(struct explore_run *r, const struct explore_step *s)
{
	switch (s->verb) {
	case EXPLORE_CONNECT:
		return dial(r, s->number);
	case EXPLORE_ON:
		r->on = s->number - 1;
		return 0;
	case EXPLORE_SEND:
		return send_step(r, s);
	case EXPLORE_EXPECT:
		return expect(r, s);
	case EXPLORE_RESET:
		return reset(now(r));
	case EXPLORE_SHUTDOWN:
		if (now(r)->fd >= 0)
			shutdown(now(r)->fd, SHUT_WR);
		return 0;
	case EXPLORE_SLOW:
		return slow(r, s);
	default:
		hang_up(now(r));
		return 0;
	}
}
