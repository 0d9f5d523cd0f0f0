/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a port speaks HTTP: asked, because no number and no name tells. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "mine/explore_internal.h"

#define PROBE_MS 3000

/* An answer over HTTP, whatever may follow. Of a "400" the text matters. */
static bool is_clear(const char *buf, size_t len)
{
	return len > 12 && !memcmp(buf, "HTTP/1.", 7) && memcmp(buf + 9, "400", 3) != 0;
}

/* Until that is clear, until the end, until the buffer is full, or until nothing more comes. */
static size_t answer_of(int fd, char *buf, size_t room, int64_t until, int stop_fd)
{
	size_t len = 0;

	while (len < room && !is_clear(buf, len) && explore_poll(fd, POLLIN, until, stop_fd) == 0) {
		ssize_t n = recv(fd, buf + len, room - len, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

enum explore_speaks explore_probe(int netns, uint16_t port, int stop_fd)
{
	static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
	int64_t until = explore_now_ms() + PROBE_MS;
	_close_ int fd = explore_connect(netns, 0, port, until, stop_fd);
	char buf[2048] = "";
	size_t len;
	bool http;

	if (fd < 0 || explore_write(fd, request, sizeof(request) - 1, until, stop_fd) < 0)
		return SPEAKS_OTHER;
	len = answer_of(fd, buf, sizeof(buf) - 1, until, stop_fd);
	buf[len] = '\0';
	http = len > 12 && !memcmp(buf, "HTTP/1.", 7);
	/* A TLS port says nothing or an alert, or (nginx, apache, Go) "400", naming HTTPS. */
	if (is_clear(buf, len) || (http && !strcasestr(buf, "HTTPS")))
		return SPEAKS_HTTP;
	if (len && !http && (unsigned char)buf[0] != 0x15)
		return SPEAKS_OTHER;
	return explore_https_answers(netns, port, stop_fd) ? SPEAKS_HTTPS : SPEAKS_OTHER;
}
