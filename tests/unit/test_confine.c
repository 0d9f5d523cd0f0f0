/* SPDX-License-Identifier: Apache-2.0 */
/* Filters really loaded, each in a child of its own, with and without root. */
#include "apply/confine.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "unit/filters.h"

#define NOBODY	65534
#define CASE_OK 7 /* no status that a child could end with by chance */

enum { EXPECT_RUNS, EXPECT_SIGSYS };

#if __x86_64__
#define NATIVE TAMIS_ABI_X86_64
#else
#define NATIVE TAMIS_ABI_AARCH64
#endif

static void refuse_name(struct filter *f, const char *name)
{
	uint32_t nr = calls_number(NATIVE, name), kept = 0;

	for (size_t i = 0; i < f->rule_cnt; i++) {
		if (f->rule[i].nr != nr)
			f->rule[kept++] = f->rule[i];
	}
	f->rule_cnt = kept;
}

/* All is allowed but: getppid (by default), mount (EPERM), clone3, namespaces, odd personas. */
static struct filter *test_filter(uint32_t abis)
{
	static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
	static const struct filter_cond plain = { 0, FILTER_EQ, 0 };
	static const struct filter_cond ask = { 0, FILTER_EQ, 0xffffffff };
	struct filter *f = filter_make(abis);

	for (uint32_t nr = 0; nr < TAMIS_CALLS; nr++)
		add(f, NATIVE, nr, FILTER_ALLOW, 0);
	refuse_name(f, "getppid");
	refuse_name(f, "mount");
	refuse_name(f, "clone");
	refuse_name(f, "clone3");
	refuse_name(f, "personality");
	add(f, NATIVE, calls_number(NATIVE, "mount"), FILTER_ERRNO, EPERM);
	add_cond(f, NATIVE, calls_number(NATIVE, "clone"), FILTER_ALLOW, 0, 1, &no_namespaces);
	add_cond(f, NATIVE, calls_number(NATIVE, "personality"), FILTER_ALLOW, 0, 1, &plain);
	add_cond(f, NATIVE, calls_number(NATIVE, "personality"), FILTER_ALLOW, 0, 1, &ask);
	filter_sort(f);
	return f;
}

/* --- what children do: true when all is as it should be ------------------------------------ */

static bool fails_with(long r, int want)
{
	return r == -1 && errno == want;
}

static bool default_is_enosys(void)
{
	return fails_with(syscall(SYS_getppid), ENOSYS);
}

static bool mount_is_eperm(void)
{
	return fails_with(syscall(SYS_mount, "", "", "", 0, ""), EPERM);
}

static bool no_namespace_by_clone(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return fails_with(pid, ENOSYS);
}

static bool clone3_is_enosys(void)
{
	return fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS);
}

static bool fork_works(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(CASE_OK);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == CASE_OK;
}

static void *say_default(void *ret)
{
	*(bool *)ret = default_is_enosys();
	return NULL;
}

static bool threads_work_and_are_bound(void)
{
	bool bound = false;
	pthread_t t;

	return pthread_create(&t, NULL, say_default, &bound) == 0 && pthread_join(t, NULL) == 0 &&
	       bound;
}

static bool personas(void)
{
	return syscall(SYS_personality, 0xffffffff) >= 0 && syscall(SYS_personality, 0) >= 0 &&
	       fails_with(syscall(SYS_personality, ADDR_NO_RANDOMIZE), ENOSYS);
}

static bool beyond_all_numbers(void)
{
	return fails_with(syscall(100000), ENOSYS);
}

static bool no_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
}

static bool a_program_is_bound_too(void)
{
	static char *const argv[] = { "sh", "-c",
				      "test \"$(sed -n s/^Seccomp://p "
				      "/proc/self/status | tr -d '\\t')\" = 2 && exit 7",
				      NULL };

	execv("/bin/sh", argv);
	return false;
}

#if __x86_64__
static bool int80(void)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(20 /* getpid */)
			 : "memory", "r8", "r9", "r10", "r11");
	return r > 0;
}

static bool x32_number(void)
{
	(void)syscall(TAMIS_X32_BIT | SYS_getpid);
	return false;
}
#endif

/* --- children ------------------------------------------------------------------------------ */

static int in_child(const struct filter *f, bool (*check)(void), bool as_root)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		if (!as_root && geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(1);
		if (confine_self(f) < 0)
			_exit(2);
		_exit(check() ? CASE_OK : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static const struct {
	const char *name;
	bool (*check)(void);
	int expect;
} cases[] = {
	{ "default", default_is_enosys, EXPECT_RUNS },
	{ "mount", mount_is_eperm, EXPECT_RUNS },
	{ "clone(NEWUSER)", no_namespace_by_clone, EXPECT_RUNS },
	{ "clone3", clone3_is_enosys, EXPECT_RUNS },
	{ "fork", fork_works, EXPECT_RUNS },
	{ "threads", threads_work_and_are_bound, EXPECT_RUNS },
	{ "personality", personas, EXPECT_RUNS },
	{ "number 100000", beyond_all_numbers, EXPECT_RUNS },
	{ "no_new_privs", no_new_privileges, EXPECT_RUNS },
	{ "exec", a_program_is_bound_too, EXPECT_RUNS },
#if __x86_64__
	{ "int 0x80", int80, EXPECT_SIGSYS },
	{ "x32", x32_number, EXPECT_SIGSYS },
#endif
};

static void check_case(const struct filter *f, size_t i, bool as_root)
{
	int status = in_child(f, cases[i].check, as_root);
	bool ok = cases[i].expect == EXPECT_RUNS
			  ? WIFEXITED(status) && WEXITSTATUS(status) == CASE_OK
			  : WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	if (!ok)
		print_error("%s, root %d: wait status %#x\n", cases[i].name, as_root, status);
	assert_true(ok);
}

static void every_call_is_answered_as_the_filter_says(void **state)
{
	_cleanup_(filter_free) struct filter *f = test_filter(1u << NATIVE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(f, i, true);
}

static void and_without_root(void **state)
{
	_cleanup_(filter_free) struct filter *f = test_filter(1u << NATIVE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(f, i, false);
}

#if __x86_64__
/* So that the death above is the filter's, not the kernel's. */
static void int80_works_where_i386_is_allowed(void **state)
{
	_cleanup_(filter_free) struct filter *f = test_filter(X86_64 | I386);
	int status;

	allow(f, TAMIS_ABI_I386, "getpid");
	filter_sort(f);
	status = in_child(f, int80, true);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CASE_OK);
}
#endif

/* --- programs ------------------------------------------------------------------------------ */

static void a_program_binds_as_the_filter_does(void **state)
{
	_cleanup_(filter_free) struct filter *f = test_filter(1u << NATIVE);
	struct policy p = { .filter = f };
	size_t len = 0;
	_free_ char *program = emitted("bpf", &p, NULL, &len);
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (confine_self_bpf(program, len) < 0)
			_exit(2);
		_exit(default_is_enosys() && mount_is_eperm() && fork_works() ? CASE_OK : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CASE_OK);
}

/* Refused before or by the kernel; the process stays as it was. */
static void programs_that_are_none(void **state)
{
	static const struct sock_filter allow_all[BPF_MAXINSNS + 1] = { BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	static const struct sock_filter no_return = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	const struct {
		const void *program;
		size_t len;
	} rows[] = {
		{ allow_all, 0 },
		{ allow_all, 7 },
		{ allow_all, 12 },
		{ allow_all, sizeof(allow_all) },
		{ &no_return, sizeof(no_return) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(confine_self_bpf(rows[i].program, rows[i].len) == -EINVAL &&
					      prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0
				      ? CASE_OK
				      : 3);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), CASE_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_is_answered_as_the_filter_says),
		cmocka_unit_test(and_without_root),
#if __x86_64__
		cmocka_unit_test(int80_works_where_i386_is_allowed),
#endif
		cmocka_unit_test(a_program_binds_as_the_filter_does),
		cmocka_unit_test(programs_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
