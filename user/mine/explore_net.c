/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in another network namespace. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "mine/explore_internal.h"

int64_t explore_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct wish {
	int netns, family, type, fd;
};

static void *make(void *arg)
{
	struct wish *w = arg;

	if (setns(w->netns, CLONE_NEWNET) < 0) {
		w->fd = -errno;
		return NULL;
	}
	w->fd = socket(w->family, w->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		w->fd = -errno;
	return NULL;
}

/* A socket stays in the namespace of the thread that makes it, so a thread of its own goes there and
 * ends: nothing has to come back. */
int explore_socket(int netns, int family, int type)
{
	struct wish w = { netns, family, type, -ENOMEM };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, make, &w);

	if (r != 0)
		return -r;
	pthread_join(thread, NULL);
	return w.fd;
}

int explore_poll(int fd, short events, int64_t until, int stop_fd)
{
	struct pollfd p[] = { { fd, events, 0 }, { stop_fd, POLLIN, 0 } };

	for (;;) {
		int64_t left = until - explore_now_ms();
		int r = poll(p, ARRAY_SIZE(p), left > 0 ? (int)(left < 60000 ? left : 60000) : 0);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && p[1].revents & POLLIN)
			return -EINTR;
		if (r > 0 && p[0].revents)
			return 0;
		if (r == 0 && left <= 60000)
			return -ETIMEDOUT;
	}
}

static int connect_to(int netns, const struct sockaddr *to, socklen_t len, int64_t until,
		      int stop_fd)
{
	_close_ int fd = explore_socket(netns, to->sa_family, SOCK_STREAM);
	socklen_t size = sizeof(int);
	int err = 0, r;

	if (fd < 0)
		return fd;
	if (connect(fd, to, len) == 0)
		return TAKE_FD(fd);
	if (errno != EINPROGRESS)
		return -errno;
	r = explore_poll(fd, POLLOUT, until, stop_fd);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		return -errno;
	return err ? -err : TAKE_FD(fd);
}

int explore_connect(int netns, int family, uint16_t port, int64_t until, int stop_fd)
{
	const struct sockaddr_in four = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6,
					  .sin6_port = htons(port),
					  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int r = -ECONNREFUSED, other;

	if (family != AF_INET6)
		r = connect_to(netns, (const struct sockaddr *)&four, sizeof(four), until, stop_fd);
	if (r >= 0 || r == -EINTR || r == -ETIMEDOUT || family == AF_INET)
		return r;
	other = connect_to(netns, (const struct sockaddr *)&six, sizeof(six), until, stop_fd);
	return other >= 0 || family == AF_INET6 ? other : r;
}

int explore_write(int fd, const char *p, size_t len, int64_t until, int stop_fd)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			int r = explore_poll(fd, POLLOUT, until, stop_fd);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			p += n, len -= (size_t)n;
	}
	return 0;
}
