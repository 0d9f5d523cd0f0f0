/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs many short programs, each in a cgroup of its own that lives no longer than it does.
 *
 * usage: batch [-j JOBS] CGROUP_PREFIX PROGRAM <LINES
 *   Each line is "NAME ARG...": PROGRAM ARG... is run in the new cgroup CGROUP_PREFIX + NAME.
 * Prints "NAME MICROSECONDS" for each, from its fork until it was reaped. Exits with 1 when a
 * program's status was not 0 or a cgroup could not be made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, ARGS_MAX = 512 };

struct job {
	pid_t pid; /* 0: free */
	char name[64];
	char dir[512];
	long start_us;
};

static struct job jobs[JOBS_MAX];
static int jobs_cnt = 4;
static bool failed;

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void complain(const char *what, const char *why)
{
	fprintf(stderr, "batch: %s: %s\n", what, why);
	failed = true;
}

static void run_child(int procs, const char *program, char *line)
{
	char *args[ARGS_MAX + 1] = { (char *)program };
	int cnt = 1;

	for (char *arg = strtok(line, " "); arg && cnt < ARGS_MAX; arg = strtok(NULL, " "))
		args[cnt++] = arg;
	if (write(procs, "0", 1) != 1)
		_exit(125);
	execv(program, args);
	_exit(125);
}

static int make_cgroup(const struct job *job)
{
	char procs[600];
	int fd;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", job->dir);
	if (mkdir(job->dir, 0755)) {
		complain(job->dir, strerror(errno));
		return -1;
	}
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		complain(procs, strerror(errno));
	return fd;
}

static void start(struct job *job, const char *prefix, const char *program, char *line)
{
	char *rest = strchr(line, ' ');
	int procs;

	if (rest)
		*rest++ = '\0';
	snprintf(job->name, sizeof(job->name), "%s", line);
	snprintf(job->dir, sizeof(job->dir), "%s%s", prefix, line);
	procs = make_cgroup(job);
	if (procs < 0)
		return;
	job->start_us = now_us();
	job->pid = fork();
	if (job->pid == 0)
		run_child(procs, program, rest ? rest : line + strlen(line));
	if (job->pid < 0)
		exit(1);
	close(procs);
}

/* A cgroup whose last task has just been reaped may still be busy for a moment. */
static void remove_cgroup(const struct job *job)
{
	for (int i = 0; i < 1000 && rmdir(job->dir); i++)
		usleep(500);
	if (access(job->dir, F_OK) == 0)
		complain(job->dir, "can't be removed");
}

static void reap_one(void)
{
	int status;
	pid_t pid = wait(&status);
	long end = now_us();

	for (int i = 0; i < jobs_cnt; i++) {
		if (jobs[i].pid != pid)
			continue;
		printf("%s %ld\n", jobs[i].name, end - jobs[i].start_us);
		if (status)
			complain(jobs[i].name, "status is not 0");
		remove_cgroup(&jobs[i]);
		jobs[i].pid = 0;
	}
}

static struct job *free_job(void)
{
	for (;;) {
		for (int i = 0; i < jobs_cnt; i++)
			if (!jobs[i].pid)
				return &jobs[i];
		reap_one();
	}
}

static bool any_running(void)
{
	for (int i = 0; i < jobs_cnt; i++)
		if (jobs[i].pid)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int opt;

	while ((opt = getopt(argc, argv, "+j:")) != -1) {
		jobs_cnt = opt == 'j' ? atoi(optarg) : 0;
		if (jobs_cnt < 1 || jobs_cnt > JOBS_MAX)
			return 2;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: batch [-j JOBS] CGROUP_PREFIX PROGRAM <LINES\n");
		return 2;
	}
	/* Nothing that a child could flush a second time. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		start(free_job(), argv[optind], argv[optind + 1], line);
	}
	while (any_running())
		reap_one();
	free(line);
	return failed;
}
