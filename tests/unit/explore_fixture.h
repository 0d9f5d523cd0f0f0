/* SPDX-License-Identifier: Apache-2.0 */
/* A target that is this process, and a service on a port of its own, so that explorations can run. What
 * is asked of the target is written down. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mine/explore_internal.h"
#include "mine/run.h"

#include "recorded.h"

struct target {
	struct target_facts facts;
	int ended;	  /* 1: it doesn't run */
	int exec_status;  /* what a command inside exits with */
	char asked[1024]; /* "exec sh", "signal 1", "restart", a line each */
};
static struct target target;

static void asked(const char *what, const char *about)
{
	size_t used = strlen(target.asked);

	snprintf(target.asked + used, sizeof(target.asked) - used, "%s %s\n", what, about);
}

int target_look(struct target *t, struct target_facts *ret)
{
	*ret = t->facts;
	return 0;
}

int target_netns(struct target *t)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

int target_runs(struct target *t, int *ret_status)
{
	*ret_status = 3;
	return !t->ended;
}

int target_signal(struct target *t, int signal)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", signal);
	asked("signal", text);
	return 0;
}

int target_restart(struct target *t, char **ret_why)
{
	asked("restart", "");
	t->ended = 0;
	return 0;
}

int target_exec(struct target *t, const char *const *argv, int64_t limit_ms, struct run_result *ret)
{
	asked("exec", argv[0]);
	ret->status = t->exec_status << 8;
	return 0;
}

/* --- the service ----------------------------------------------------------------------------- */

struct service {
	int fd;
	uint16_t port;
	pthread_t thread;
	void (*serve)(int fd); /* one connection, which is closed afterwards */
	unsigned connections;
};

static void *serve_one(void *arg)
{
	struct service *s = ((void **)arg)[0];
	int fd = (int)(intptr_t)((void **)arg)[1];

	free(arg);
	s->serve(fd);
	close(fd);
	return NULL;
}

static void *serve_all(void *arg)
{
	struct service *s = arg;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		void **pair = calloc(2, sizeof(*pair));
		pthread_t one;

		s->connections++;
		pair[0] = s;
		pair[1] = (void *)(intptr_t)fd;
		assert_int_equal(pthread_create(&one, NULL, serve_one, pair), 0);
		pthread_detach(one);
	}
	return NULL;
}

static void service_start(struct service *s, void (*serve)(int fd))
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*s = (struct service){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			       .serve = serve };
	assert_true(s->fd >= 0);
	/* Little fits into it: who sends much must be able to wait. */
	assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int)), 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve_all, s), 0);
}

static void service_stop(struct service *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* --- one exploration ------------------------------------------------------------------------- */

static void target_is(uint16_t port)
{
	target = (struct target){ .facts = { .id = "0123",
					     .pid = getpid(),
					     .image = "localhost/tamis-test",
					     .program = "entrypoint",
					     .port = { port },
					     .port_cnt = port ? 1 : 0 } };
}

/* Reads and chooses it for the target; freed by explorations_done. */
static void explorations_of(const char *text, struct explorations *ret)
{
	_free_ char *why = NULL;

	*ret = (struct explorations){ calloc(1, sizeof(*ret->list)), 1 };
	assert_non_null(ret->list);
	if (exploration_parse("x", "x", text, strlen(text), &ret->list[0], &why) < 0)
		fail_msg("%s", why);
}

static unsigned chosen(const struct explorations *e)
{
	_mine_tests_ struct mine_tests tests = { 0 };

	assert_int_equal(explorations_for(e, &target.facts, &tests), 0);
	return (unsigned)tests.cnt;
}

/* NULL: it passed. Caller frees. */
static char *run_one(const struct explorations *e)
{
	struct mine_outcome out = { 0 };

	assert_int_equal(exploration_run(e->list[0], &target, 120000, -1, &out), 0);
	assert_int_equal(out.outcome == MATRIX_PASS, out.why == NULL);
	return out.why;
}
