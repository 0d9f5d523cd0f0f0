/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long processes live: from their last exec to their exit, as the kernel's process connector
 * tells (needs root and CONFIG_PROC_EVENTS).
 *
 * usage: lives COMM     until SIGTERM; then "N lives of COMM: MEDIAN ms (SHORTEST to LONGEST)"
 * Says "not measured" where the kernel has no connector.
 */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIDS_MAX = 1 << 22, LIVES_MAX = 1 << 20 };

static unsigned long long began[PIDS_MAX]; /* ns, 0: not one of ours */
static unsigned long long life[LIVES_MAX];
static size_t lives;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int subscribe(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	union {
		struct nlmsghdr header;
		char bytes[NLMSG_LENGTH(sizeof(struct cn_msg) + sizeof(op))];
	} msg = { .header = { .nlmsg_len = sizeof(msg), .nlmsg_type = NLMSG_DONE } };
	struct cn_msg *cn = NLMSG_DATA(&msg.header);
	int fd = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	int room = 16 << 20;

	*cn = (struct cn_msg){ .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(op) };
	memcpy(cn->data, &op, sizeof(op));
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return send(fd, &msg, sizeof(msg), 0) < 0 ? -1 : fd;
}

static bool is_called(int pid, const char *comm)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
	return !strcmp(name, comm);
}

static void on_event(const struct proc_event *e, const char *comm)
{
	int pid;

	if (e->what == PROC_EVENT_EXEC) {
		pid = e->event_data.exec.process_tgid;
		began[pid] = is_called(pid, comm) ? e->timestamp_ns : 0;
	} else if (e->what == PROC_EVENT_EXIT) {
		pid = e->event_data.exit.process_tgid;
		if (e->event_data.exit.process_pid != pid || !began[pid] || lives == LIVES_MAX)
			return;
		life[lives++] = e->timestamp_ns - began[pid];
		began[pid] = 0;
	}
}

static int by_value(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *comm)
{
	if (!lives) {
		printf("lives of %s: not measured\n", comm);
		return;
	}
	qsort(life, lives, sizeof(life[0]), by_value);
	printf("%zu lives of %s: median %.1f ms (%.1f to %.1f)\n", lives, comm,
	       life[lives / 2] / 1e6, life[0] / 1e6, life[lives - 1] / 1e6);
}

int main(int argc, char **argv)
{
	struct sigaction on = { .sa_handler = on_signal };
	char buf[8192] __attribute__((aligned(8)));
	ssize_t n;
	int fd;

	if (argc != 2)
		return 2;
	sigaction(SIGTERM, &on, NULL);
	fd = subscribe();
	while (fd >= 0 && !stop) {
		const struct nlmsghdr *h = (void *)buf;

		n = recv(fd, buf, sizeof(buf), 0);
		for (; n > 0 && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			on_event((void *)((const struct cn_msg *)NLMSG_DATA(h))->data, argv[1]);
	}
	while (fd < 0 && !stop)
		pause();
	report(argv[1]);
	return 0;
}
