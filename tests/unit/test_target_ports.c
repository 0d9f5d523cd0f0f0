/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of processes that are listed in what could be a cgroup. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "mine/target_internal.h"

static char dir[] = "/tmp/tamis-test-ports.XXXXXX";

static int setup(void **state)
{
	return mkdtemp(dir) && chdir(dir) == 0 && mkdir("inner", 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)unlink("cgroup.procs");
	(void)unlink("inner/cgroup.procs");
	return rmdir("inner") + chdir("/") + rmdir(dir) == 0 ? 0 : -1;
}

static void put_pids(const char *path, const char *text)
{
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644), 0);
}

static int listener(int family, uint16_t *ret_port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage is;
	socklen_t len = sizeof(is);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (family == AF_INET)
		assert_int_equal(bind(fd, (struct sockaddr *)&four, sizeof(four)), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&six, sizeof(six)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&is, &len), 0);
	*ret_port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&is)->sin_port
					    : ((struct sockaddr_in6 *)&is)->sin6_port);
	return fd;
}

/* One that is there all the time, in a process that holds none of our sockets. */
static pid_t other(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		close_range(3, ~0u, 0);
		pause();
		_exit(0);
	}
	return pid;
}

static void those_of_its_processes(void **state)
{
	uint16_t port, found[8];
	int fd = listener(AF_INET, &port);
	pid_t pid = other();
	char text[32];

	put_pids("cgroup.procs", "");
	assert_int_equal(target_ports(dir, getpid(), found, 8), 0);
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	put_pids("cgroup.procs", text);
	assert_int_equal(target_ports(dir, getpid(), found, 8), 1);
	assert_int_equal(found[0], port);
	/* another process' isn't its own, however visible it is */
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	put_pids("cgroup.procs", text);
	for (int i = 0; i < 1000 && target_ports(dir, pid, found, 8); i++)
		usleep(10000); /* until it has closed what it was born with */
	assert_int_equal(target_ports(dir, pid, found, 8), 0);
	close(fd);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Listens on another address of the same port until it is killed. */
static pid_t neighbour(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 1) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* In a namespace of many, as the host's: what is sent there might reach the neighbour. */
static void not_what_a_neighbour_has_too(void **state)
{
	uint16_t port, found[8];
	int fd = listener(AF_INET, &port);
	pid_t pid = neighbour(port);
	char text[32];

	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	put_pids("cgroup.procs", text);
	assert_int_equal(target_ports(dir, getpid(), found, 8), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(target_ports(dir, getpid(), found, 8), 1);
	assert_int_equal(found[0], port);
	close(fd);
}

static void of_inner_cgroups_in_order(void **state)
{
	uint16_t port[3], found[8];
	int a = listener(AF_INET, &port[0]), b = listener(AF_INET6, &port[1]);
	int c = listener(AF_INET, &port[2]);
	char text[32];

	snprintf(text, sizeof(text), "999999999\n%d\n", (int)getpid());
	put_pids("cgroup.procs", "");
	put_pids("inner/cgroup.procs", text);
	assert_int_equal(target_ports(dir, getpid(), found, 8), 3);
	for (int i = 1; i < 3; i++)
		assert_true(found[i - 1] < found[i]);
	for (int i = 0; i < 3; i++)
		assert_true(found[0] == port[i] || found[1] == port[i] || found[2] == port[i]);
	assert_int_equal(target_ports(dir, getpid(), found, 2), 2);
	close(a);
	close(b);
	close(c);
	assert_int_equal(target_ports(dir, getpid(), found, 8), 0);
	assert_int_equal(target_ports("/nonexistent", getpid(), found, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_its_processes),
		cmocka_unit_test(not_what_a_neighbour_has_too),
		cmocka_unit_test(of_inner_cgroups_in_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
