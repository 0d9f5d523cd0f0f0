/* SPDX-License-Identifier: Apache-2.0 */
/* allow and deny as commands: which calls a line means, what is said, what is kept. */
#include "unit/native.h"

#include "cmd_fixture.h"
#include "generation_fixture.h"
#include "model/calls.h"
#include "model/guard.h"
#include "policy/generations.h"

#if defined(__aarch64__)
#define NUMBER_PTRACE	    "#117"
#define NUMBER_RT_SIGRETURN "#139"
enum { FOREIGN_BPF = 321 };
#else
#define NUMBER_PTRACE	    "#101"
#define NUMBER_RT_SIGRETURN "#15"
enum { FOREIGN_BPF = 280 };
#endif

static int64_t web, both;

/* web makes the machine's calls, among them bpf; both makes 32-bit ones too, before its
 * exec a call of x32, which the runtime made. */
static void fill(void)
{
	const struct sysset other = SET(3, 4);

	IN_TRANSACTION
	{
		int64_t unit = add_unit(NOW), i;

		web = add_workload("podman/web", "web");
		both = add_workload("podman/both", "both");
		add_calls(add_instance("i", web, NOW), unit, TAMIS_WORKLOAD, SET(READ, WRITE, BPF),
			  NOW);
		i = add_instance("j", both, NOW);
		add_calls(i, unit, TAMIS_WORKLOAD, SET(READ, WRITE, PTRACE), NOW);
		assert_stored(store_calls(st, i, unit, TAMIS_SESSION, MACHINE_32, &other, NOW));
		assert_stored(store_calls(st, i, unit, TAMIS_SETUP, TAMIS_ABI_X32, &other, NOW));
	}
}

static unsigned count_said(int64_t workload)
{
	struct verdicts v = said_of(workload);
	unsigned cnt = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		cnt += sysset_count(&v.allowed[abi]) + sysset_count(&v.denied[abi]);
	return cnt;
}

static void a_pending_call_is_allowed(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_allow, "web", "bpf", "--state", "DIR"), EXIT_OK);
	check_said("allowed " MACHINE_NAME
		   " bpf of podman/web; 'tamis apply podman/web' makes a generation "
		   "with it\n");
	assert_true(sysset_has(&said_of(web).allowed[MACHINE], BPF));
	assert_int_equal(count_said(web), 1);
	assert_int_equal(count_said(both), 0);
}

static void what_was_never_seen_is_said_so(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_allow, "web", "ptrace", "bpf", "--state", "DIR"), EXIT_OK);
	check_said("allowed " MACHINE_NAME " ptrace, " MACHINE_NAME
		   " bpf of podman/web; 'tamis apply podman/web' makes "
		   "a generation with it\n" MACHINE_NAME " ptrace was never seen\n");
	assert_int_equal(count_said(web), 2);
}

/* Not of x32, which only the runtime used. */
static void a_name_means_every_abi_that_is_used(void **state)
{
	struct verdicts v;

	fill();
	assert_int_equal(RUN(cmd_allow, "both", "ptrace", "--state", "DIR"), EXIT_OK);
	check_said("allowed " MACHINE_NAME " ptrace, " NAME_32
		   " ptrace of podman/both; 'tamis apply podman/both' "
		   "makes a generation with it\n" NAME_32 " ptrace was never seen\n");
	v = said_of(both);
	assert_true(sysset_has(&v.allowed[MACHINE], PTRACE));
	assert_true(sysset_has(&v.allowed[MACHINE_32], 26));
	assert_int_equal(count_said(both), 2);
	/* sigsuspend is 32-bit ABIs' alone */
	assert_int_equal(RUN(cmd_deny, "both", "sigsuspend", "--state", "DIR"), EXIT_OK);
	assert_true(sysset_has(&said_of(both).denied[MACHINE_32], 72));
	assert_int_equal(count_said(both), 3);
}

static void one_abi(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *said;
		enum tamis_abi abi;
		unsigned nr;
	} rows[] = {
		{ { "both", "ptrace", "--abi", NAME_32 }, NAME_32 " ptrace", MACHINE_32, 26 },
		{ { "both", FOREIGN_NAME ":bpf" }, FOREIGN_NAME " bpf", FOREIGN, FOREIGN_BPF },
		{ { "both", NUMBER_PTRACE }, MACHINE_NAME " ptrace", MACHINE, PTRACE },
		{ { "both", "#550" }, MACHINE_NAME " #550", MACHINE, 550 },
		{ { "both", "#550", "--abi", NAME_32 }, NAME_32 " #550", MACHINE_32, 550 },
		{ { "web", "sigsuspend", "--abi", NAME_32 },
		  NAME_32 " sigsuspend",
		  MACHINE_32,
		  72 },
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *args[ARGS_MAX] = { "--state", "DIR" };
		_free_ char *out = NULL;
		struct verdicts v;
		int64_t id = strcmp(rows[i].args[0], "web") ? both : web;

		memcpy(args + 2, rows[i].args, sizeof(*args) * (ARGS_MAX - 3));
		assert_int_equal(run(&cmd_allow, args), EXIT_OK);
		out = printed_text();
		assert_ptr_equal(strstr(out, rows[i].said), out + strlen("allowed "));
		assert_int_equal(strncmp(out + 8 + strlen(rows[i].said), " of ", 4), 0);
		v = said_of(id);
		assert_true(sysset_has(&v.allowed[rows[i].abi], rows[i].nr));
	}
	assert_int_equal(count_said(web), 1);
	assert_int_equal(count_said(both), 5);
}

static void a_call_is_one_or_the_other(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_allow, "web", "bpf", "--state", "DIR"), EXIT_OK);
	assert_int_equal(RUN(cmd_deny, "web", "bpf", "--state", "DIR"), EXIT_OK);
	check_said("denied " MACHINE_NAME
		   " bpf of podman/web; 'tamis apply podman/web' makes a generation "
		   "without it\n" MACHINE_NAME " bpf was allowed until now\n" MACHINE_NAME
		   " bpf was seen: it will be refused\n");
	assert_true(sysset_has(&said_of(web).denied[MACHINE], BPF));
	assert_int_equal(count_said(web), 1);
	assert_int_equal(RUN(cmd_allow, "web", "bpf", "--state", "DIR"), EXIT_OK);
	check_said("allowed " MACHINE_NAME
		   " bpf of podman/web; 'tamis apply podman/web' makes a generation "
		   "with it\n" MACHINE_NAME " bpf was denied until now\n");
	assert_true(sysset_has(&said_of(web).allowed[MACHINE], BPF));
	assert_int_equal(count_said(web), 1);
}

static void a_word_is_taken_back(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_deny, "web", "bpf", "ptrace", "--state", "DIR"), EXIT_OK);
	assert_int_equal(RUN(cmd_deny, "web", "bpf", "mount", "--forget", "--state", "DIR"),
			 EXIT_OK);
	check_said("took back the word on " MACHINE_NAME
		   " bpf of podman/web; 'tamis apply podman/web' makes a "
		   "generation of what is left\n");
	assert_true(sysset_has(&said_of(web).denied[MACHINE], PTRACE));
	assert_int_equal(count_said(web), 1);
}

/* What can break a start, or programs, is said. */
static void warnings(void **state)
{
	static const struct {
		const char *call, *says; /* NULL: nothing of the kind */
	} rows[] = {
		{ "futex", "is made by runc after the filter" },
		{ "prctl", "is made by runc and crun after the filter" },
		{ "getrandom", "in every policy" },
		{ "setns", NULL },
	};

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *out = NULL;
		unsigned lines = 0;

		assert_int_equal(RUN(cmd_deny, "web", rows[i].call, "--state", "DIR"), EXIT_OK);
		out = printed_text();
		for (const char *c = out; *c; c++)
			lines += *c == '\n';
		assert_int_equal(lines, rows[i].says ? 2 : 1);
		if (rows[i].says)
			assert_non_null(strstr(out, rows[i].says));
	}
}

/* Where no trial takes a start back, none is broken. */
static void in_probation_containers_start(void **state)
{
	_free_ char *out = NULL;

	fill();
	IN_TRANSACTION
	{
		const struct store_applied is = { .mode = MODE_PROBATION,
						  .generation = add_generation(web, 0) };

		assert_stored(store_applied_set(st, web, &is));
	}
	(void)RUN(cmd_deny, "web", "futex", "--state", "DIR");
	out = printed_text();
	assert_non_null(strstr(out, "made by runc after the filter is on: as long as it is in "
				    "probation it passes"));
}

static const struct failure failures[] = {
	{ &cmd_deny, { "web", "execve", "--state", "DIR" }, 1, "execve can't be denied" },
	{ &cmd_deny, { "web", "bpf", "exit", "--state", "DIR" }, 1, "exit can't be denied" },
	{ &cmd_deny, { "web", "exit_group", "--state", "DIR" }, 1, "exit_group can't be" },
	{ &cmd_deny, { "web", NUMBER_RT_SIGRETURN, "--state", "DIR" }, 1, "rt_sigreturn can't be" },
	{ &cmd_deny, { "web", "i386:sigreturn", "--state", "DIR" }, 1, "sigreturn can't be" },
	{ &cmd_deny, { "web", "x32:execve", "--state", "DIR" }, 1, "execve can't be denied" },
	{ &cmd_allow, { "web", "bpf", "frobnicate", "--state", "DIR" }, 1, "\"frobnicate\"" },
	{ &cmd_allow, { "web", "z80:bpf", "--state", "DIR" }, 1, "ABI in \"z80:bpf\"" },
	{ &cmd_allow, { "web", "b\npf", "--state", "DIR" }, 1, "b\\x0apf" },
	{ &cmd_allow, { "web", "#576", "--state", "DIR" }, 1, "\"#576\"" },
	{ &cmd_allow, { "web", "sigsuspend", "--state", "DIR" }, 1, "--abi names one" },
	{ &cmd_allow,
	  { "web", "sigsuspend", "--abi", MACHINE_NAME, "--state", "DIR" },
	  1,
	  "no call" },
	{ &cmd_allow, { "web", "bpf", "--forget", "--state", "DIR" }, 1, "nobody allowed" },
	{ &cmd_deny, { "web", "bpf", "--forget", "--state", "DIR" }, 1, "nobody denied" },
	{ &cmd_allow, { "nosuch", "bpf", "--state", "DIR" }, 1, "\"nosuch\"" },
	{ &cmd_allow, { "podman", "bpf", "--state", "DIR" }, 1, "podman/both, podman/web" },
	{ &cmd_allow, { "web", "bpf", "--state", "/nonexistent" }, 1, "/nonexistent/tamis.db" },
	{ &cmd_allow, { "web", "--state", "DIR" }, 2, "missing" },
	{ &cmd_deny, { "--state", "DIR" }, 2, "missing" },
	{ &cmd_allow, { "web", "bpf", "--abi", "z80" }, 2, "\"z80\"" },
	{ &cmd_deny, { "web", "bpf", "--json" }, 2, "\"--json\"" },
};

static void failures_are_one_line_and_change_nothing(void **state)
{
	fill();
	check_failures(failures, ARRAY_SIZE(failures));
	assert_int_equal(count_said(web), 0);
	assert_int_equal(count_said(both), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pending_call_is_allowed),
		TEST(what_was_never_seen_is_said_so),
		TEST(a_name_means_every_abi_that_is_used),
		TEST(one_abi),
		TEST(a_call_is_one_or_the_other),
		TEST(a_word_is_taken_back),
		TEST(warnings),
		TEST(in_probation_containers_start),
		TEST(failures_are_one_line_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
