/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What valgrind (3.19) doesn't know of the kernel, for programs that run under it: openat2, pidfds, and
 * seccomp(2) as far as it is asked what there is. Built twice: to be preloaded, where these start the
 * program that TAMIS_NATIVE names for the one call, and as this program, which valgrind leaves alone:
 * it calls, with descriptor 3 and the numbers it is given, and passes what it got through 4.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

union space {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

#ifdef PRELOADED

/* In the child: a call with descriptor 3, a text and numbers. */
static void ask(int to, int fd, const char *call, const char *text, const uint64_t number[3])
{
	char n[3][24];

	for (int i = 0; i < 3; i++)
		snprintf(n[i], sizeof(n[i]), "%llu", (unsigned long long)number[i]);
	/* Above what they become, and not closed by exec. */
	to = fcntl(to, F_DUPFD, 10);
	fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD, 10);
	if (to >= 0 && dup2(to, 4) == 4 && (fd < 0 || dup2(fd, 3) == 3)) {
		unsetenv("LD_PRELOAD");
		execl(getenv("TAMIS_NATIVE"), "native", call, fd < 0 ? "" : "fd", text, n[0], n[1],
		      n[2], (char *)NULL);
	}
	_exit(127);
}

static int take(int from, int flags, int *ret_fd)
{
	int error = EIO;
	union space space;
	struct iovec io = { &error, sizeof(error) };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = &space,
			    .msg_controllen = sizeof(space) };

	if (recvmsg(from, &m, flags) != (ssize_t)sizeof(error))
		return EIO;
	if (error == 0 && CMSG_FIRSTHDR(&m))
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(*ret_fd));
	return error;
}

static long natively(int fd, const char *call, const char *text, const uint64_t number[3],
		     int flags)
{
	int pair[2], got = 0, error;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	child = fork();
	if (child == 0)
		ask(pair[1], fd, call, text, number);
	close(pair[1]);
	error = child < 0 ? EIO : take(pair[0], flags, &got);
	close(pair[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	errno = error ? error : errno;
	return error ? -1 : got;
}

static long opened(int dir, const char *path, const struct open_how *how)
{
	const uint64_t n[3] = { how->flags, how->mode, how->resolve };

	return natively(dir, "openat2", path, n, how->flags & O_CLOEXEC ? MSG_CMSG_CLOEXEC : 0);
}

int pidfd_open(pid_t pid, unsigned flags)
{
	const uint64_t n[3] = { (uint64_t)pid, flags, 0 };

	return (int)natively(-1, "pidfd_open", "", n, MSG_CMSG_CLOEXEC);
}

int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	const uint64_t n[3] = { (uint64_t)sig, flags, 0 };

	return (int)natively(pidfd, "pidfd_send_signal", "", n, 0);
}

/* As all kernels that the tests run on. A filter that is really to be installed fails. */
static long seccomp(unsigned op, void *arg)
{
	if (op == SECCOMP_GET_ACTION_AVAIL)
		return 0;
	if (op == SECCOMP_GET_NOTIF_SIZES) {
		*(struct seccomp_notif_sizes *)arg =
			(struct seccomp_notif_sizes){ sizeof(struct seccomp_notif),
						      sizeof(struct seccomp_notif_resp),
						      sizeof(struct seccomp_data) };
		return 0;
	}
	if (op == SECCOMP_SET_MODE_FILTER)
		errno = arg ? ENOSYS : EFAULT;
	else
		errno = EINVAL; /* how libseccomp asks for seccomp(2) itself */
	return -1;
}

long syscall(long nr, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list args;

	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (nr == SYS_openat2)
		return opened((int)a[0], (const char *)a[1], (const struct open_how *)a[2]);
	if (nr == SYS_seccomp)
		return seccomp((unsigned)a[0], (void *)a[2]);
	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#else

static int call(char **argv, const uint64_t n[3])
{
	struct open_how how = { n[0], n[1], n[2] };

	if (strcmp(argv[1], "pidfd_open") == 0)
		return (int)syscall(SYS_pidfd_open, n[0], n[1]);
	if (strcmp(argv[1], "pidfd_send_signal") == 0)
		return (int)syscall(SYS_pidfd_send_signal, 3, n[0], NULL, n[1]);
	return (int)syscall(SYS_openat2, *argv[2] ? 3 : AT_FDCWD, argv[3], &how, sizeof(how));
}

int main(int argc, char **argv)
{
	uint64_t n[3];
	union space space = { 0 };
	int error, fd;
	struct iovec io = { &error, sizeof(error) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (argc != 7)
		return 2;
	for (int i = 0; i < 3; i++)
		n[i] = strtoull(argv[4 + i], NULL, 10);
	fd = call(argv, n);
	error = fd < 0 ? errno : 0;
	if (fd > 0) {
		m.msg_control = &space;
		m.msg_controllen = sizeof(space);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						       .cmsg_type = SCM_RIGHTS,
						       .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	}
	return sendmsg(4, &m, 0) < 0;
}

#endif
