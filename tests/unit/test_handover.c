/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/handover.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/abi.h"
#include "model/calls.h"

#define NOW 1000

static bool asks(struct handover *h, const char *name, pid_t tid)
{
	return handover_is(h, NOW, abi_native(), (uint32_t)calls_number(abi_native(), name), tid);
}

/* This program is the runtime. */
static struct handover ours(void)
{
	struct handover h = { .looked = NOW };

	handover_add(&h, "/proc/self/exe");
	assert_int_equal(h.cnt, 1);
	return h;
}

static void its_calls_alone(void **state)
{
	static const char *const its[] = { "wait4", "kill", "munmap" };
	static const char *const others[] = {
		"read", "waitid", "tgkill", "mmap", "execve", "close"
	};
	struct handover h = ours();

	for (size_t i = 0; i < sizeof(its) / sizeof(its[0]); i++)
		assert_true(asks(&h, its[i], getpid()));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(asks(&h, others[i], getpid()));
}

/* i386's 61 is chroot, its wait4 114. */
static void of_the_machines_abi(void **state)
{
	struct handover h = ours();

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (uint32_t nr = 0; (enum tamis_abi)abi != abi_native() && nr <= TAMIS_CALLS;
		     nr++)
			assert_false(handover_is(&h, NOW, (enum tamis_abi)abi, nr, getpid()));
	assert_false(handover_is(&h, NOW, abi_native(), TAMIS_CALLS, getpid()));
}

static pid_t start(const char *name)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		dup2(ready[1], STDOUT_FILENO);
		close(ready[1]);
		execl("/bin/sh", name, "-c", "echo; read x", NULL);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

/* What it is called is of no account. */
static void another_program_is_no_runtime(void **state)
{
	struct handover h = ours();
	int in[2], saved = dup(STDIN_FILENO);
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(dup2(in[0], STDIN_FILENO), STDIN_FILENO);
	pid = start("crun");
	assert_false(asks(&h, "wait4", pid));
	handover_add(&h, "/bin/sh");
	assert_true(asks(&h, "wait4", pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(asks(&h, "wait4", pid));
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	close(in[0]);
	close(in[1]);
}

static void who_is_not_known_is_none(void **state)
{
	struct handover h = ours();

	assert_false(asks(&h, "wait4", 0));
	assert_false(asks(&h, "wait4", -1));
	handover_add(&h, "/nowhere/crun");
	assert_int_equal(h.cnt, 1);
	for (unsigned i = 0; i < 2 * HANDOVER_MAX; i++)
		handover_add(&h, "/bin/sh");
	assert_int_equal(h.cnt, HANDOVER_MAX);
}

/* They are looked for again, and this program isn't one of the host's. */
static void looks_again(void **state)
{
	struct handover h = ours();

	assert_true(asks(&h, "wait4", getpid()));
	assert_false(handover_is(&h, NOW + HANDOVER_MS + 1, abi_native(),
				 (uint32_t)calls_number(abi_native(), "wait4"), getpid()));
	assert_int_equal(h.looked, NOW + HANDOVER_MS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_calls_alone),
		cmocka_unit_test(of_the_machines_abi),
		cmocka_unit_test(another_program_is_no_runtime),
		cmocka_unit_test(who_is_not_known_is_none),
		cmocka_unit_test(looks_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
