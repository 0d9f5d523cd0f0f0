/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that tests/bpf/test_exit.c starts do, by name: how they end. */
#pragma once

#include "bpf/leave_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

/* From now on getppid is a call that kills. */
static void refuse(uint32_t action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(f), f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &prog))
		_exit(99);
}

static void *call_getppid(void *arg)
{
	return (void *)syscall(SYS_getppid);
}

static void *wait_for_ever(void *arg)
{
	while (pause())
		;
	return NULL;
}

#if defined(__x86_64__)
/* By the other door: the same number is iopl's there. */
static long call_by_int80(long nr)
{
	long r = nr;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
	return r;
}
#endif

/* Only once the first thread is gone: its entry in /proc says so. */
static void wait_for_leader(void)
{
	_free_ char *path = text_format("/proc/self/task/%d/stat", getpid());

	for (;;) {
		char text[256] = "";
		int fd = open(path, O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
			_exit(98);
		close(fd);
		if (strstr(text, ") Z "))
			return;
		usleep(1000);
	}
}

static void *exit_after_leader(void *arg)
{
	wait_for_leader();
	exit(3);
}

static void *end_after_leader(void *arg)
{
	wait_for_leader();
	syscall(SYS_exit, 9); /* the thread alone */
	return NULL;
}

static int leader_ends(void *(*other)(void *), int code)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, other, NULL))
		return 97;
	syscall(SYS_exit, code); /* the thread alone */
	return 96;
}

static int child_refused(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		refuse(SECCOMP_RET_KILL_PROCESS);
		(void)call_getppid(NULL);
		_exit(95);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : 94;
}

static int thread_refused(void)
{
	pthread_t thread;

	refuse(SECCOMP_RET_KILL_THREAD);
	if (pthread_create(&thread, NULL, call_getppid, NULL))
		return 93;
	pthread_join(thread, NULL);
	return 4;
}

/* All threads but one wait; that one's call kills them all. */
static int killed_by_thread(uint32_t action)
{
	pthread_t thread[8];

	refuse(action);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(&thread[i], NULL, i == 5 ? call_getppid : wait_for_ever, NULL))
			return 93;
	return (int)(intptr_t)wait_for_ever(NULL);
}

/* SIGSYS comes from outside, to one that is under a filter and in a call. */
static int killed_by_child(void)
{
	pid_t self_pid = getpid(), pid = fork();

	refuse(SECCOMP_RET_KILL_PROCESS);
	if (pid == 0)
		_exit(kill(self_pid, SIGSYS));
	return (int)(intptr_t)wait_for_ever(NULL);
}

static int child_exits(int code)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(code);
	return waitpid(pid, NULL, 0) == pid ? 0 : 94;
}

static int play(const char *role)
{
	struct rlimit none = { 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!strncmp(role, "exit ", 5))
		return atoi(role + 5);
	if (!strncmp(role, "kill ", 5))
		return kill(getpid(), atoi(role + 5));
	if (!strcmp(role, "child exits"))
		return child_exits(3);
	if (!strcmp(role, "child refused"))
		return child_refused();
	if (!strcmp(role, "thread refused"))
		return thread_refused();
	if (!strcmp(role, "leader first"))
		return leader_ends(exit_after_leader, 0);
	if (!strcmp(role, "leader's own"))
		return leader_ends(end_after_leader, 5);
	if (!strcmp(role, "wait"))
		pause();
	if (!strcmp(role, "killed by thread"))
		return killed_by_thread(SECCOMP_RET_KILL_PROCESS);
	if (!strcmp(role, "trapped by thread"))
		return killed_by_thread(SECCOMP_RET_TRAP);
	if (!strcmp(role, "killed by child"))
		return killed_by_child();
	if (!strcmp(role, "trapped")) {
		refuse(SECCOMP_RET_TRAP);
		return (int)(intptr_t)call_getppid(NULL);
	}
#if defined(__x86_64__)
	if (!strcmp(role, "other door")) {
		refuse(SECCOMP_RET_KILL_PROCESS);
		return (int)call_by_int80(SYS_getppid);
	}
#endif
	refuse(!strcmp(role, "refused") ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_KILL_THREAD);
	(void)call_getppid(NULL);
	return 92;
}
