/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64 threads that make 400 different calls, all of them real, again and again.
 *
 * usage: hammer [-n] ROUNDS       -n: prints the numbers, one a line, and makes no call
 * ROUNDS 0 starts and ends the threads without a call: what the C library adds to the set.
 *
 * Every argument is -1, with which every call not excluded below fails or changes nothing. Run
 * it as nobody all the same: then the rest is refused, too.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 64, CALLS = 400, KNOWN_END = 451, HOLE_END = 560 };

/* Ends or stops a task, makes or signals one, changes the machine, the process' memory or its
 * credentials, leaves something behind, or needs arguments of its own. */
static const short excluded[] = {
#if defined(__x86_64__)
	SYS_rt_sigreturn,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_pause,
	SYS_alarm,
	SYS_clone,
	SYS_fork,
	SYS_vfork,
	SYS_execve,
	SYS_execveat,
	SYS_exit,
	SYS_exit_group,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_rt_sigsuspend,
	SYS_umask,
	SYS_ptrace,
	SYS_syslog,
	SYS_setuid,
	SYS_setgid,
	SYS_setpgid,
	SYS_setsid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_capset,
	SYS_vhangup,
	SYS_pivot_root,
	SYS_adjtimex,
	SYS_chroot,
	SYS_sync,
	SYS_acct,
	SYS_settimeofday,
	SYS_mount,
	SYS_umount2,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_iopl,
	SYS_ioperm,
	SYS_create_module,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_quotactl,
	SYS_restart_syscall,
	SYS_set_tid_address,
	SYS_set_robust_list,
	SYS_unshare,
	SYS_setns,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_inotify_init,
	SYS_eventfd,
	SYS_msgget,
	SYS_semget,
	SYS_shmget,
	SYS_rseq,
	SYS_seccomp,
	335 /* uretprobe */,
	336 /* uprobe */,
	SYS_pidfd_send_signal,
	SYS_clone3,
	SYS_close_range,
	443 /* quotactl_fd */,
	SYS_mlockall,
	SYS_munlockall,
	SYS_personality,
	SYS_modify_ldt,
	SYS_syncfs,
#endif
};

static long nr[CALLS];
static int rounds;

static bool is_excluded(long n)
{
#if !defined(__x86_64__)
	if (n < KNOWN_END)
		return true;
#endif
	for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (excluded[i] == n)
			return true;
	return false;
}

/* Numbers that newer kernels may have given a meaning are left out. */
static int choose(void)
{
	int cnt = 0;

	for (long n = 0; n < HOLE_END && cnt < CALLS; n++)
		if (!is_excluded(n) && (n < KNOWN_END || n >= KNOWN_END + 30))
			nr[cnt++] = n;
	return cnt;
}

static void *thread(void *arg)
{
	int first = (long)arg * CALLS / THREADS;

	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < CALLS; i++)
			(void)syscall(nr[(first + i) % CALLS], -1, -1, -1, -1, -1, -1);
	return NULL;
}

int main(int argc, char **argv)
{
	bool list = argc == 3 && argv[1][0] == '-';
	pthread_t tid[THREADS];
	int cnt = choose();

	if (argc < 2 || argc - list != 2)
		return 2;
	for (int i = 0; list && i < cnt; i++)
		printf("%ld\n", nr[i]);
	if (list)
		return 0;
	if (cnt != CALLS)
		return 3;
	rounds = atoi(argv[1]);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&tid[i], NULL, thread, (void *)i))
			return 4;
	for (int i = 0; i < THREADS; i++)
		pthread_join(tid[i], NULL);
	return 0;
}
