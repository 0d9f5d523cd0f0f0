/* SPDX-License-Identifier: Apache-2.0 */
#include "start/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

void stream_ensure(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		/* The lowest that is free is this one. */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
			return;
	}
}

/* Whether to try again. */
static bool is_passing(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return false;
	(void)poll(&p, 1, -1);
	return true;
}

static ssize_t read_once(int fd, char *buf, size_t room)
{
	ssize_t n;

	do
		n = read(fd, buf, room);
	while (n < 0 && is_passing(fd, POLLIN));
	return n;
}

void stream_read(int fd, size_t max, struct stream *ret)
{
	size_t room = 0;
	ssize_t n;

	*ret = (struct stream){ 0 };
	do {
		if (ret->len == room) {
			char *more = room < max ? realloc(ret->text, 2 * room + 65536 + 1) : NULL;

			if (!more) {
				ret->more = true;
				return;
			}
			ret->text = more;
			room = 2 * room + 65536;
		}
		n = read_once(fd, ret->text + ret->len, room - ret->len);
		ret->len += n > 0 ? (size_t)n : 0;
		ret->text[ret->len] = '\0';
	} while (n > 0);
}

bool stream_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && !is_passing(fd, POLLOUT))
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

void stream_pass(int from, int to)
{
	char buf[4096];
	ssize_t n;

	while ((n = read_once(from, buf, sizeof(buf))) > 0) {
		if (!stream_write(to, buf, (size_t)n))
			return;
	}
}
