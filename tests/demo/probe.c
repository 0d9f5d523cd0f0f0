/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that attackers like and servers don't need, made for real: one line each, "name ok" or
 * "name ERRNO". None changes anything that outlives its process. Static, and needing next to
 * nothing itself, so that it runs under any policy. probe [NAME...]: only these.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A child made by clone with `flags`, which ends at once. */
static long clone_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long call_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long call_clone(void)
{
	return clone_with(CLONE_NEWUSER);
}

static long call_clone_thread_like(void)
{
	return clone_with(0);
}

static long call_clone3(void)
{
	uint64_t args[8] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid;
}

/* By the process that started this one. */
static long call_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0);
}

static long call_process_vm_readv(void)
{
	static char from, to;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static long call_io_uring_setup(void)
{
	uint32_t params[30] = { 0 };

	return syscall(SYS_io_uring_setup, 4, params);
}

static long call_keyctl(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}

static long call_memfd_create(void)
{
	return syscall(SYS_memfd_create, "probe", 0);
}

static long call_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

static long call_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, 1);
}

static long call_perf_event_open(void)
{
	uint32_t attr[28] = { 1, sizeof(attr) };

	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}

static long call_pidfd_open(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0);
}

static long call_inotify(void)
{
	return syscall(SYS_inotify_init1, 0);
}

static long call_shmget(void)
{
	long id = syscall(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	if (id >= 0)
		syscall(SYS_shmctl, id, IPC_RMID, NULL);
	return id;
}

static long call_seccomp(void)
{
	uint32_t allow = 0x7fff0000;

	return syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &allow);
}

static long call_chroot(void)
{
	return chroot("/");
}

static const struct {
	const char *name;
	long (*call)(void);
} probes[] = {
	{ "unshare(NEWUSER)", call_unshare },
	{ "clone(NEWUSER)", call_clone },
	{ "clone3(NEWUSER)", call_clone3 },
	{ "clone", call_clone_thread_like },
	{ "ptrace", call_ptrace },
	{ "process_vm_readv", call_process_vm_readv },
	{ "io_uring_setup", call_io_uring_setup },
	{ "keyctl", call_keyctl },
	{ "memfd_create", call_memfd_create },
	{ "landlock_create_ruleset", call_landlock },
	{ "userfaultfd", call_userfaultfd },
	{ "perf_event_open", call_perf_event_open },
	{ "pidfd_open", call_pidfd_open },
	{ "inotify_init1", call_inotify },
	{ "shmget", call_shmget },
	{ "seccomp", call_seccomp },
	{ "chroot", call_chroot },
};

/*
 * In a child, so that what one call leaves (a namespace) doesn't change the next; with CLONE_VFORK,
 * so that the kernel waits for it: wait4 may be refused here.
 */
static void probe(const char *name, long (*call)(void))
{
	char line[80];
	int len;
	long pid = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);

	if (pid > 0)
		return;
	errno = 0;
	if (call() >= 0)
		len = snprintf(line, sizeof(line), "%s ok\n", name);
	else
		len = snprintf(line, sizeof(line), "%s %s\n", name, strerrorname_np(errno));
	len = write(1, line, len) != len;
	if (pid == 0)
		_exit(len);
}

static int wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (wanted(probes[i].name, argc, argv))
			probe(probes[i].name, probes[i].call);
	return 0;
}
