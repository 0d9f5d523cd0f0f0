/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says to tamis-keeper that it is somebody's runtime: sends a state of its own making, with the
 * descriptor of a filter of its own, and makes the calls that this filter asks for.
 *
 * usage: forger SOCKET STATE NUMBER...
 * Prints "connect ERRNO", "listen ERRNO" (EBUSY: a filter with a listener is on already; what is sent
 * is no filter's then), "send ERRNO", and "NUMBER VALUE" for each call, arguments 0.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define CALLS_MAX 16

static int open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	printf("connect %d\n", connect(fd, (struct sockaddr *)&a, sizeof(a)) ? errno : 0);
	return fd;
}

static int listen_to(char **calls, unsigned cnt)
{
	struct sock_filter program[CALLS_MAX * 2 + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog filter = { .filter = program };
	unsigned at = 1;
	long fd;

	for (unsigned i = 0; i < cnt && i < CALLS_MAX; i++) {
		program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (unsigned)atoi(calls[i]), 0, 1);
		program[at++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter.len = (unsigned short)at;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		     &filter);
	printf("listen %d\n", fd < 0 ? errno : 0);
	return fd < 0 ? memfd_create("none", 0) : (int)fd;
}

static void give(int to, const char *state, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { (void *)state, strlen(state) };
	struct msghdr m = { .msg_iov = &data,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	printf("send %d\n", sendmsg(to, &m, MSG_NOSIGNAL) < 0 ? errno : 0);
	close(fd);
	close(to);
}

int main(int argc, char **argv)
{
	int to, fd;

	if (argc < 4)
		return 2;
	to = open_socket(argv[1]);
	fd = listen_to(argv + 3, (unsigned)argc - 3);
	give(to, argv[2], fd);
	for (int i = 3; i < argc; i++) {
		long value = syscall(atoi(argv[i]), 0, 0, 0, 0, 0, 0);

		printf("%s %ld\n", argv[i], value < 0 ? -(long)errno : value);
	}
	return 0;
}
