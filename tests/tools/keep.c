/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager is to tamis-keeper: holds its socket and what it gives into the store of
 * descriptors, and starts it again whenever it dies.
 *
 *	keep SOCKET DIR PROGRAM [ARG...]
 *
 * DIR gets "pid" (of the keeper that is ready, absent before), "starts" (how many) and "stored" (names, one
 * a line). USR1: kills the keeper and leaves it at that; USR2: starts one again. TERM: the end of both.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORE_MAX 16384
#define FIRST	  3

static struct stored {
	int fd;
	bool watched;
	char name[64];
} store[STORE_MAX];
static size_t store_cnt;

static int listener, notify;
static char notify_path[108];
static const char *dir;
static pid_t keeper;
static unsigned starts;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void note(const char *name, const char *text)
{
	char path[512], stage[520];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(stage, sizeof(stage), "%s.new", path);
	f = fopen(stage, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || rename(stage, path) < 0)
		die(path);
}

static void note_number(const char *name, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld\n", number);
	note(name, text);
}

static void note_store(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; i < store_cnt; i++)
		fprintf(f, "%s\n", store[i].name);
	fclose(f);
	note("stored", text);
	free(text);
}

static void forget_pid(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/pid", dir);
	(void)unlink(path);
}

/* --- sockets -------------------------------------------------------------------------------- */

static int make_socket(const char *path, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	(void)unlink(path);
	(void)umask(0177);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die(path);
	(void)umask(022);
	if (type == SOCK_STREAM && listen(fd, 4096) < 0)
		die(path);
	return fd;
}

/* --- the store ------------------------------------------------------------------------------ */

static void drop(size_t at)
{
	close(store[at].fd);
	store[at] = store[--store_cnt];
}

static bool field(const char *text, const char *name, char *ret, size_t room)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0)
			continue;
		line += len;
		snprintf(ret, room, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

static void take(const char *text, int fd)
{
	struct stored s = { .fd = fd };
	char value[8];

	s.watched = !field(text, "FDPOLL=", value, sizeof(value)) || strcmp(value, "0") != 0;
	if (field(text, "READY=", value, sizeof(value)))
		note_number("pid", keeper);
	if (!field(text, "FDNAME=", s.name, sizeof(s.name)))
		return;
	if (field(text, "FDSTOREREMOVE=", value, sizeof(value))) {
		for (size_t i = store_cnt; i > 0; i--)
			if (strcmp(store[i - 1].name, s.name) == 0)
				drop(i - 1);
	} else if (fd >= 0 && store_cnt < STORE_MAX) {
		store[store_cnt++] = s;
	}
	note_store();
}

static bool receive(void)
{
	char text[4096] = { 0 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(notify, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	take(text, fd);
	return true;
}

/* --- the keeper ----------------------------------------------------------------------------- */

static void hand_on(void)
{
	int cnt = (int)store_cnt + 1, *fd = calloc((size_t)cnt, sizeof(*fd));
	char *names = NULL, number[32];
	size_t len;
	FILE *f = open_memstream(&names, &len);

	for (int i = 0; i < cnt; i++) {
		fd[i] = fcntl(i ? store[i - 1].fd : listener, F_DUPFD, FIRST + cnt);
		fprintf(f, "%s%s", i ? ":" : "", i ? store[i - 1].name : "keeper.sock");
	}
	fclose(f);
	for (int i = 0; i < cnt; i++)
		if (dup2(fd[i], FIRST + i) < 0 || close(fd[i]) < 0)
			die("dup2");
	snprintf(number, sizeof(number), "%d", cnt);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("NOTIFY_SOCKET", notify_path, 1);
}

static void start(char **argv)
{
	sigset_t none;

	note_number("starts", ++starts);
	keeper = fork();
	if (keeper < 0)
		die("fork");
	if (keeper > 0)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	hand_on();
	execv(argv[0], argv);
	die(argv[0]);
}

/* What it said before it died counts. */
static void bury(void)
{
	while (receive())
		;
	forget_pid();
	keeper = 0;
}

static void hang_up(void)
{
	bool changed = false;

	for (size_t i = store_cnt; i > 0; i--) {
		struct pollfd p = { .fd = store[i - 1].fd };

		if (store[i - 1].watched && poll(&p, 1, 0) == 1 &&
		    p.revents & (POLLHUP | POLLERR)) {
			drop(i - 1);
			changed = true;
		}
	}
	if (changed)
		note_store();
}

static void end_keeper(int signal)
{
	if (keeper <= 0)
		return;
	kill(keeper, signal);
	waitpid(keeper, NULL, 0);
	bury();
}

static int wait_for_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	struct rlimit l;
	struct pollfd p[2];
	bool wanted = true;

	if (argc < 4)
		return 2;
	dir = argv[2];
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	snprintf(notify_path, sizeof(notify_path), "%s/notify", dir);
	listener = make_socket(argv[1], SOCK_STREAM);
	notify = make_socket(notify_path, SOCK_DGRAM);
	note_store();
	p[0] = (struct pollfd){ .fd = wait_for_signals(), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = notify, .events = POLLIN };
	for (;;) {
		struct signalfd_siginfo s;

		if (wanted && !keeper)
			start(argv + 3);
		(void)poll(p, 2, 200);
		while (receive())
			;
		hang_up();
		if (read(p[0].fd, &s, sizeof(s)) != sizeof(s))
			continue;
		if (s.ssi_signo == SIGCHLD && keeper > 0 &&
		    waitpid(keeper, NULL, WNOHANG) == keeper)
			bury();
		if (s.ssi_signo == SIGUSR2)
			wanted = true;
		if (s.ssi_signo == SIGUSR1) {
			wanted = false;
			end_keeper(SIGKILL);
		}
		if (s.ssi_signo == SIGTERM) {
			end_keeper(SIGTERM);
			return 0;
		}
	}
}
