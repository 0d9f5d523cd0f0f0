/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What valgrind (3.19) doesn't know of the kernel, for programs that run under it: openat2, and
 * seccomp(2) as far as it is asked what there is. Built twice: to be preloaded, where syscall() starts
 * the program that TAMIS_NATIVE names for an openat2, and as this program, which valgrind leaves alone:
 * it opens, by descriptor 3 and its arguments, and passes what it got through 4.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

union space {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

#ifdef PRELOADED

static void ask(int dir, int to, const char *path, const struct open_how *how)
{
	char flags[24], mode[24], resolve[24];

	snprintf(flags, sizeof(flags), "%llu", (unsigned long long)how->flags);
	snprintf(mode, sizeof(mode), "%llu", (unsigned long long)how->mode);
	snprintf(resolve, sizeof(resolve), "%llu", (unsigned long long)how->resolve);
	/* Above what they become, and not closed by exec. */
	to = fcntl(to, F_DUPFD, 10);
	dir = dir == AT_FDCWD ? -1 : fcntl(dir, F_DUPFD, 10);
	if (to >= 0 && dup2(to, 4) == 4 && (dir < 0 || dup2(dir, 3) == 3)) {
		unsetenv("LD_PRELOAD");
		execl(getenv("TAMIS_NATIVE"), "native", dir < 0 ? "" : "dir", path, flags, mode,
		      resolve, (char *)NULL);
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

static long opened(int dir, const char *path, const struct open_how *how)
{
	int pair[2], fd = -1, error;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	child = fork();
	if (child == 0)
		ask(dir, pair[1], path, how);
	close(pair[1]);
	error = child < 0 ? EIO : take(pair[0], how->flags & O_CLOEXEC ? MSG_CMSG_CLOEXEC : 0, &fd);
	close(pair[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	errno = error ? error : errno;
	return error ? -1 : fd;
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
	errno = arg ? ENOSYS : EFAULT;
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

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	struct open_how how = { strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
				strtoull(argv[5], NULL, 10) };
	int fd = (int)syscall(SYS_openat2, *argv[1] ? 3 : AT_FDCWD, argv[2], &how, sizeof(how));
	int error = fd < 0 ? errno : 0;
	union space space = { 0 };
	struct iovec io = { &error, sizeof(error) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd >= 0) {
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
