/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/reach.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"

#define AGAIN_MS 5

_Static_assert(REACH_PATH_MAX < sizeof(((struct sockaddr_un *)0)->sun_path), "with its NUL");

static bool is_dots(const char *name, size_t len)
{
	return (len == 1 && *name == '.') || (len == 2 && strncmp(name, "..", 2) == 0);
}

bool reach_is_path(const char *path)
{
	if (*path != '/' || strlen(path) > REACH_PATH_MAX)
		return false;
	for (const char *name = path; *name; name += strspn(name, "/")) {
		size_t len = strcspn(name, "/");

		if (is_dots(name, len))
			return false;
		name += len;
	}
	for (const char *c = path; *c; c++)
		if (*c < '!' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	return path[strlen(path) - 1] != '/';
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A full queue is a keeper that is busy, or one whose unit starts it just now. */
static int connect_to(int fd, const struct sockaddr_un *at, unsigned wait_ms)
{
	const struct timespec again = { .tv_nsec = AGAIN_MS * 1000000 };
	int64_t until = now_ms() + wait_ms;

	while (connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0) {
		if ((errno != EAGAIN && errno != EINTR) || now_ms() >= until)
			return -errno;
		(void)nanosleep(&again, NULL);
	}
	return 0;
}

int reach_keeper(const char *path, unsigned wait_ms)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int r;

	if (fd < 0)
		return -errno;
	if (!reach_is_path(path))
		return -EINVAL;
	memcpy(at.sun_path, path, strlen(path) + 1);
	r = connect_to(fd, &at, wait_ms);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return -errno;
	return who.uid == 0 ? 0 : -EPERM;
}
