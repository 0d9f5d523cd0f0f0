/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/peer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "identity/identity.h"
#include "keeper/whose.h"

#define NOTIFY_LINK "anon_inode:seccomp notify"
/* One more than there may be. */
#define FDS_MAX	    2

/* --- who ------------------------------------------------------------------------------------ */

static int check_cgroup(pid_t pid, char **ret_why)
{
	const struct identity_options o = { 0 };
	struct identity i = IDENTITY_INIT;
	_free_ char *path = NULL;
	int r = whose_cgroup(pid, &path);

	if (r < 0)
		return r == -ESRCH ? 0 : r;
	r = identity_of_path(&o, path, &i);
	identity_done(&i);
	if (r == 0)
		return text_why(-EPERM, ret_why, "process %d is in a container (%s)", (int)pid,
				path);
	return r == -ENOENT ? 0 : r;
}

int peer_check(int conn, char **ret_why)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0)
		return text_why(-EPERM, ret_why, "its credentials can't be asked: %s",
				strerror(errno));
	if (c.uid != 0)
		return text_why(-EPERM, ret_why, "process %d is of uid %u, not root", (int)c.pid,
				c.uid);
	return check_cgroup(c.pid, ret_why);
}

/* --- what ----------------------------------------------------------------------------------- */

bool peer_is_filter(int fd)
{
	char link[64], target[sizeof(NOTIFY_LINK) + 1];
	uint64_t none = 0;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target));
	if (n != (ssize_t)strlen(NOTIFY_LINK) || memcmp(target, NOTIFY_LINK, (size_t)n) != 0)
		return false;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &none) == 0 || errno == ENOENT;
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

/* All descriptors of a message. */
static size_t take_fds(struct msghdr *m, int fds[FDS_MAX])
{
	size_t cnt = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= len && cnt < FDS_MAX; at += sizeof(int))
			memcpy(&fds[cnt++], CMSG_DATA(c) + at, sizeof(int));
	}
	return cnt;
}

static int judge(const int fds[FDS_MAX], size_t cnt, int flags, char **ret_why)
{
	if (cnt == 0 && flags & MSG_CTRUNC)
		return text_why(-EMFILE, ret_why, "no room for its descriptor: too many are open");
	if (cnt == 0)
		return text_why(-EPROTO, ret_why, "it sent no descriptor");
	if (cnt > 1 || flags & MSG_CTRUNC)
		return text_why(-EPROTO, ret_why, "it sent more than one descriptor");
	if (!peer_is_filter(fds[0]))
		return text_why(-EPROTO, ret_why, "what it sent isn't a filter's descriptor");
	return 0;
}

int peer_filter(int conn, int *ret, char **ret_why)
{
	union control control;
	char first;
	struct iovec iov = { &first, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(conn, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fds[FDS_MAX] = { -1, -1 };
	size_t cnt;
	int r;

	if (n <= 0)
		return n == 0 || errno == ECONNRESET ? -ENODATA : -errno;
	cnt = take_fds(&m, fds);
	r = judge(fds, cnt, m.msg_flags, ret_why);
	if (r == 0) {
		*ret = fds[0];
		return 0;
	}
	while (cnt > 0)
		close(fds[--cnt]);
	return r;
}

int peer_drain(int conn, size_t *left)
{
	char text[16384];

	while (*left > 0) {
		ssize_t n =
			recv(conn, text, *left < sizeof(text) ? *left : sizeof(text), MSG_DONTWAIT);

		if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? -EAGAIN : 0;
		if (n == 0)
			return 0;
		if (n > 0)
			*left -= (size_t)n;
	}
	return 0;
}
