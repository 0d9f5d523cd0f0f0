/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of runtimes, each of which brings a filter. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "keeper/faults.h"
#include "keeper/fdstore.h"
#include "keeper/keeper_internal.h"
#include "keeper/peer.h"

#define KEPT_AS	   "conn"
#define CONN_MS	   5000
#define CONN_BYTES (16u << 20)

static void pause_listener(struct keeper *k, bool pause)
{
	struct epoll_event e = { .events = pause ? 0 : EPOLLIN, .data.ptr = &k->listener };

	if (k->paused == pause || k->listener.fd < 0)
		return;
	if (epoll_ctl(k->epoll, EPOLL_CTL_MOD, k->listener.fd, &e) == 0)
		k->paused = pause;
}

static void conn_close(struct keeper *k, struct conn *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	k->conn_cnt--;
	/* Closing it isn't enough when the service manager has it too. */
	(void)epoll_ctl(k->epoll, EPOLL_CTL_DEL, c->source.fd, NULL);
	if (c->kept)
		fdstore_drop(KEPT_AS, c->number);
	close(c->source.fd);
	free(c);
	pause_listener(k, false);
}

static struct conn *conn_add(struct keeper *k, int fd, uint64_t number)
{
	_free_ struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	if (!c || epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return NULL;
	c->source = (struct source){ SOURCE_CONN, fd };
	c->number = number ? number : k->next_number++;
	c->kept = c->old = number != 0;
	c->until = keeper_now() + CONN_MS;
	c->left = CONN_BYTES;
	c->next = k->conns;
	c->at = &k->conns;
	if (c->next)
		c->next->at = &c->next;
	k->conns = c;
	k->conn_cnt++;
	return TAKE_PTR(c);
}

/* True where it is done with. */
static bool take_filter(struct keeper *k, struct conn *c)
{
	_free_ char *why = NULL;
	int fd, r = peer_filter(c->source.fd, &fd, &why);

	if (r == 0) {
		/* The keeper before this one had it already, and was killed before it said so. */
		if (c->old && filters_has(k, fd)) {
			close(fd);
			return true;
		}
		fault_at("peeked");
		r = filters_add(k, fd, 0);
		fault_at("kept");
		c->done = r == 0;
	}
	if (r == 0 || r == -EAGAIN)
		return false;
	if (r != -ENODATA && keeper_may_say(k))
		log_err("a filter isn't kept, its calls fail with ENOSYS: %s",
			why ? why : strerror(-r));
	return true;
}

/* The manager has it before anything else is done: whoever sent a filter waits for nothing more. */
static void keep(struct conn *c)
{
	if (!c->kept)
		fdstore_put(KEPT_AS, c->number, c->source.fd, false);
	c->kept = true;
}

void conns_read(struct keeper *k, struct conn *c)
{
	bool over = !c->done && take_filter(k, c);

	if (!over && c->done)
		over = peer_drain(c->source.fd, &c->left) == 0;
	if (over)
		conn_close(k, c);
}

static void welcome(struct keeper *k, int fd, uint64_t number)
{
	struct conn *c = conn_add(k, fd, number);
	_free_ char *why = NULL;
	int r;

	if (!c) {
		close(fd);
		return;
	}
	keep(c);
	fault_at("stored");
	r = peer_check(fd, &why);
	if (r == 0) {
		conns_read(k, c);
		return;
	}
	if (keeper_may_say(k))
		log_warn("a connection is cut off: %s", why ? why : strerror(-r));
	conn_close(k, c);
}

/* Nothing to take it with: it would wait, and so would we, in a circle. */
static void turn_away(struct keeper *k)
{
	int fd;

	close(k->reserve);
	fd = accept4(k->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	k->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (keeper_may_say(k))
		log_err("a connection is cut off: too many descriptors are open");
}

void conns_accept(struct keeper *k)
{
	while (k->conn_cnt < CONNS_MAX) {
		int fd = accept4(k->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			turn_away(k);
		if (fd < 0)
			return;
		fault_at("accepted");
		welcome(k, fd, 0);
	}
	pause_listener(k, true);
}

void conns_restore(struct keeper *k, int fd, uint64_t number)
{
	welcome(k, fd, number);
}

void conns_expire(struct keeper *k, int64_t now)
{
	struct conn *next;

	for (struct conn *c = k->conns; c; c = next) {
		next = c->next;
		if (now < c->until)
			continue;
		if (!c->done && keeper_may_say(k))
			log_warn("a connection is cut off: it sent nothing");
		conn_close(k, c);
	}
}

void conns_close(struct keeper *k)
{
	while (k->conns) {
		struct conn *c = k->conns;

		k->conns = c->next;
		close(c->source.fd);
		free(c);
	}
}
