/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "container_fixture.h"
#include "keeper/peer.h"

struct pair {
	int ours, theirs;
};

static struct pair make_pair(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static void close_pair(const struct pair *p)
{
	close(p->ours);
	if (p->theirs >= 0)
		close(p->theirs);
}

static int send_fds(int conn, const int *fds, size_t cnt)
{
	char text[] = "{}";
	struct iovec iov = { text, 2 };
	char control[CMSG_SPACE(16 * sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (cnt > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(cnt * sizeof(int));
		memcpy(CMSG_DATA(c), fds, cnt * sizeof(int));
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(cnt * sizeof(int));
	}
	return sendmsg(conn, &m, MSG_NOSIGNAL) == 2 ? 0 : -1;
}

static unsigned open_cnt(void)
{
	unsigned cnt = 0;

	for (int fd = 0; fd < 256; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	return cnt;
}

/* --- what ----------------------------------------------------------------------------------- */

static void assert_refused(const int *fds, size_t cnt, const char *want)
{
	struct pair p = make_pair();
	_free_ char *why = NULL;
	unsigned before = open_cnt();
	int fd = -1;

	assert_int_equal(send_fds(p.theirs, fds, cnt), 0);
	assert_int_equal(peer_filter(p.ours, &fd, &why), -EPROTO);
	assert_string_equal(why, want);
	assert_int_equal(fd, -1);
	assert_int_equal(open_cnt(), before);
	close_pair(&p);
}

static void test_something_else(void **state)
{
	_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_close_ int epoll = (int)syscall(SYS_epoll_create1, 0);
	_close_ int memfd = (int)syscall(SYS_memfd_create, "seccomp notify", 0);
	const int many[16] = { file, file, file, file, file, file, file, file,
			       file, file, file, file, file, file, file, file };

	assert_true(file >= 0 && epoll >= 0 && memfd >= 0);
	assert_refused(NULL, 0, "it sent no descriptor");
	assert_refused(&file, 1, "what it sent isn't a filter's descriptor");
	assert_refused(&epoll, 1, "what it sent isn't a filter's descriptor");
	assert_refused(&memfd, 1, "what it sent isn't a filter's descriptor");
	assert_refused(many, 2, "it sent more than one descriptor");
	assert_refused(many, 16, "it sent more than one descriptor");
}

static void test_nothing(void **state)
{
	struct pair p = make_pair();
	_free_ char *why = NULL;
	int fd;

	assert_int_equal(peer_filter(p.ours, &fd, &why), -EAGAIN);
	close(p.theirs);
	p.theirs = -1;
	assert_int_equal(peer_filter(p.ours, &fd, &why), -ENODATA);
	assert_null(why);
	close_pair(&p);
}

/* Sends the descriptor of a filter that asks for nothing. */
static int filter_sender(int conn)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { .len = 1, .filter = code };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &prog);
	return fd < 0 || send_fds(conn, &fd, 1) < 0 ? 2 : 0;
}

/* It is left there until it is thrown away, with all that came. */
static void test_filter(void **state)
{
	struct pair p = make_pair();
	_free_ char *why = NULL;
	size_t left = 100;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(filter_sender(p.theirs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		_close_ int fd = -1;

		assert_int_equal(peer_filter(p.ours, &fd, &why), 0);
		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	assert_int_equal(peer_drain(p.ours, &left), -EAGAIN);
	assert_int_equal(left, 98);
	assert_int_equal(write(p.theirs, "more", 4), 4);
	left = 3;
	assert_int_equal(peer_drain(p.ours, &left), 0);
	close(p.theirs);
	p.theirs = -1;
	left = 100;
	assert_int_equal(peer_drain(p.ours, &left), 0);
	close_pair(&p);
}

/* --- who ------------------------------------------------------------------------------------ */

static struct sockaddr_un address;
static int listener = -1;

static int setup(void **state)
{
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path + 1, 64, "tamis-test-peer-%d", getpid());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0)
		return -1;
	return container_setup(state);
}

static int teardown(void **state)
{
	close(listener);
	return container_teardown(state);
}

/* Somebody of that uid in that cgroup connects, and is checked while it lives or after. */
static int check(const char *cgroup, uid_t uid, bool lives, char **ret_why)
{
	_close_ int conn = -1;
	pid_t pid = fork();
	int r;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if ((cgroup && container_join(cgroup) < 0) || setuid(uid) < 0 ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			_exit(1);
		while (lives)
			pause();
		_exit(0);
	}
	conn = accept(listener, NULL, NULL);
	assert_true(conn >= 0);
	if (!lives)
		(void)waitpid(pid, NULL, 0);
	r = peer_check(conn, ret_why);
	if (lives)
		container_end(pid);
	return r;
}

static void test_who(void **state)
{
	_free_ char *not_root = NULL, *inside = NULL, *none = NULL;

	assert_int_equal(check(container_dir, 1000, true, &not_root), -EPERM);
	assert_non_null(strstr(not_root, "uid 1000, not root"));
	assert_int_equal(check(container_dir, 0, true, &none), 0);
	assert_int_equal(container_make_runtime(), 0);
	assert_int_equal(check(container_dir, 0, true, &inside), -EPERM);
	assert_non_null(strstr(inside, "is in a container"));
	/* a runtime that is gone */
	assert_int_equal(check(NULL, 0, false, &none), 0);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_something_else),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_filter),
		cmocka_unit_test_setup_teardown(test_who, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
