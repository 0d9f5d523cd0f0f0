/* SPDX-License-Identifier: Apache-2.0 */
/* What a process does for tests/bpf/test_denied.c, once it is in its place: whose call fails, and how. */
#pragma once

#include "bpf/leave_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <ucontext.h>

#define NOBODYS_CALL 500 /* every kernel answers ENOSYS to it */

/* --- filters ----------------------------------------------------------------------------- */

static long refuse(unsigned nr, uint32_t action, unsigned flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(f), f };
	long r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(99);
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (r < 0)
		_exit(98);
	return r;
}

static void refuse_with(unsigned nr, unsigned error)
{
	(void)refuse(nr, SECCOMP_RET_ERRNO | error, 0);
}

static void must_fail(long r, int error)
{
	if (r != -1 || errno != error)
		_exit(97);
}

/* --- roles ------------------------------------------------------------------------------- */

static void thrice_nosys(void)
{
	refuse_with(SYS_getppid, ENOSYS);
	for (int i = 0; i < 3; i++)
		must_fail(syscall(SYS_getppid), ENOSYS);
}

static void thrice_perm(void)
{
	refuse_with(SYS_getppid, EPERM);
	for (int i = 0; i < 3; i++)
		must_fail(syscall(SYS_getppid), EPERM);
}

static void other_errno(void)
{
	refuse_with(SYS_getppid, EACCES);
	must_fail(syscall(SYS_getppid), EACCES);
}

static void logged(void)
{
	(void)refuse(SYS_getppid, SECCOMP_RET_LOG, 0);
	(void)syscall(SYS_getppid);
}

static void on_signal(int sig)
{
}

static void trapped(void)
{
	(void)signal(SIGSYS, on_signal);
	(void)refuse(SYS_getppid, SECCOMP_RET_TRAP, 0);
	(void)syscall(SYS_getppid);
}

static void no_filter(void)
{
	must_fail(syscall(NOBODYS_CALL), ENOSYS);
}

static void kernels_own(void)
{
	refuse_with(SYS_getppid, ENOSYS);
	must_fail(syscall(NOBODYS_CALL), ENOSYS);
}

static void made_before(void)
{
	(void)syscall(SYS_getppid);
	thrice_nosys();
}

static void out_of_range(void)
{
	refuse_with(TAMIS_CALLS + 1000, ENOSYS);
	must_fail(syscall(TAMIS_CALLS + 1000), ENOSYS);
	must_fail(syscall(-1), ENOSYS);
}

static void child_of_refused(void)
{
	refuse_with(SYS_getppid, ENOSYS);
	if (waitpid(fork() ?: (_exit(0), 0), NULL, 0) < 0)
		_exit(96);
}

#if defined(__x86_64__)
static void on_signal_spoil(int sig, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
}

/* rt_sigreturn comes back with whatever the interrupted call left. */
static void back_from_handler(void)
{
	struct sigaction a = { .sa_sigaction = on_signal_spoil, .sa_flags = SA_SIGINFO };

	refuse_with(SYS_getppid, ENOSYS);
	(void)sigaction(SIGUSR1, &a, NULL);
	must_fail(syscall(SYS_kill, getpid(), SIGUSR1), ENOSYS);
}

static void other_door(void)
{
	long r = SYS_getppid;

	refuse_with(SYS_getppid, EPERM);
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
	if (r != -EPERM)
		_exit(95);
}

static void x32(void)
{
	refuse_with(SYS_getppid | TAMIS_X32_BIT, EPERM);
	must_fail(syscall(SYS_getppid | TAMIS_X32_BIT), EPERM);
}
#endif
