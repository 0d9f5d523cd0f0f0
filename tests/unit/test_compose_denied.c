/* SPDX-License-Identifier: Apache-2.0 */
/* compose with denials, and for a unit's descendants. */
#include "unit/strict_fixture.h"

/* --- denied ------------------------------------------------------------------------------- */

static void denied_ones_are_refused(void **state)
{
	static const char *const vital[] = { "execve", "exit", "exit_group", "rt_sigreturn" };
	static const char *const others[] = { "read", "mount", "capset" };
	struct composed *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(vital); i++) {
		learn(c, vital[i]);
		sysset_add(&c->denied[NATIVE], nr_of(vital[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		sysset_add(&c->denied[NATIVE], nr_of(others[i]));
		learn(c, others[i]);
	}
	sysset_add(&c->gate[NATIVE], nr_of("capset"));
	sysset_add(&c->always[NATIVE], nr_of("read"));
	sysset_add(&c->eperm[NATIVE], nr_of("mount"));
	for (unsigned strict = 0; strict < 2; strict++) {
		c->in.strict = strict;
		run(c);
		assert_answer(c, "read", 0, FILTER_ERRNO, ENOSYS);
		assert_answer(c, "capset", 0, FILTER_ERRNO, ENOSYS);
		assert_answer(c, "mount", 0, FILTER_ERRNO, EPERM);
		for (size_t i = 0; i < ARRAY_SIZE(vital); i++)
			assert_answer(c, vital[i], 0, FILTER_ALLOW, 0);
	}
}

/* Refused before the engine is asked, but no less than it would. */
static void denied_under_an_engine(void **state)
{
	struct composed *c = *state;

	engine_is(c, FILTER_ALLOW, 0);
	say(c, "mount", FILTER_ERRNO, EACCES, NULL);
	say(c, "bpf", FILTER_KILL_PROCESS, 0, NULL);
	sysset_add(&c->denied[NATIVE], nr_of("mount"));
	sysset_add(&c->denied[NATIVE], nr_of("bpf"));
	sysset_add(&c->eperm[NATIVE], nr_of("mount"));
	run(c);
	assert_answer(c, "mount", 0, FILTER_ERRNO, EPERM);
	assert_answer(c, "bpf", 0, FILTER_KILL_PROCESS, 0);
	c->in.strict = false;
	run(c);
	assert_answer(c, "bpf", 0, FILTER_ERRNO, ENOSYS);
}

/* What a call is that mining tried with EPERM, and what comes of it; 0: it passes. */
static void denied_ones_with_eperm(void **state)
{
	static const struct {
		const char *name;
		bool learned, denied, eperm, table;
		enum filter_action engine;
		uint32_t want, want_strict;
	} t[] = {
		{ "uname", true, true, true, false, FILTER_ALLOW, EPERM, EPERM },
		{ "sysinfo", false, true, true, false, FILTER_ALLOW, EPERM, EPERM },
		{ "getppid", true, true, false, false, FILTER_ALLOW, ENOSYS, ENOSYS },
		{ "mount", true, true, false, true, FILTER_ALLOW, EPERM, EPERM },
		{ "umount2", true, true, true, true, FILTER_ALLOW, EPERM, EPERM },
		/* not a denied one: it says nothing of it */
		{ "read", true, false, true, false, FILTER_ALLOW, 0, 0 },
		{ "write", false, false, true, false, FILTER_ALLOW, ENOSYS, ENOSYS },
		{ "execve", true, true, true, false, FILTER_ALLOW, 0, 0 },
		/* the engine's own errno is another one */
		{ "chroot", true, true, true, false, FILTER_ERRNO, EPERM, EPERM },
		{ "acct", false, false, true, false, FILTER_ERRNO, EACCES, EACCES },
	};
	struct composed *c = *state;

	engine_is(c, FILTER_ALLOW, 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint32_t nr = nr_of(t[i].name);

		if (t[i].learned)
			learn(c, t[i].name);
		if (t[i].denied)
			sysset_add(&c->denied[NATIVE], nr);
		if (t[i].eperm)
			sysset_add(&c->denied_eperm[NATIVE], nr);
		if (t[i].table)
			sysset_add(&c->eperm[NATIVE], nr);
		if (t[i].engine == FILTER_ERRNO)
			say(c, t[i].name, FILTER_ERRNO, EACCES, NULL);
	}
	for (unsigned strict = 0; strict < 2; strict++) {
		c->in.strict = strict;
		run(c);
		for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
			uint32_t want = strict ? t[i].want_strict : t[i].want;

			assert_answer(c, t[i].name, 0, want ? FILTER_ERRNO : FILTER_ALLOW, want);
		}
	}
}

/* clone beside a clone3 is no way round it. */
static void clone_denied_beside_clone3(void **state)
{
	struct composed *c = *state;

	learn(c, "clone3");
	run(c);
	assert_answer(c, "clone", 0, FILTER_ALLOW, 0);
	sysset_add(&c->denied[NATIVE], nr_of("clone"));
	run(c);
	assert_answer(c, "clone", 0, FILTER_ERRNO, ENOSYS);
}

/* --- descendants --------------------------------------------------------------------------- */

static void all_but_the_guarded(void **state)
{
	struct composed *c = *state;
	const struct filter_rule *rule = NULL;

	filter_free(c->fallback);
	composed_data(c);
	c->in.fallback = c->fallback;
	c->in.descendants = true;
	learn(c, "keyctl");
	sysset_add(&c->denied[NATIVE], nr_of("swapon"));
	sysset_add(&c->denied[NATIVE], nr_of("getpid"));
	run(c);
	assert_answer(c, "getppid", 0, FILTER_ALLOW, 0);
	assert_answer(c, "unshare", 0, FILTER_ALLOW, 0);
	assert_answer(c, "bpf", 0, FILTER_ERRNO, EPERM);
	assert_answer(c, "io_uring_setup", 0, FILTER_ERRNO, ENOSYS);
	assert_answer(c, "keyctl", 0, FILTER_ALLOW, 0);
	assert_answer(c, "swapon", 0, FILTER_ERRNO, EPERM);
	assert_answer(c, "getpid", 0, FILTER_ERRNO, ENOSYS);
	assert_answer(c, "clone", 0x10000000, FILTER_ERRNO, EPERM);
	assert_answer(c, "clone", 0x11, FILTER_ALLOW, 0);
	assert_int_equal(filter_find(c->out, NATIVE, nr_of("times"), &rule), 1);
	assert_int_equal(rule->why, FILTER_WHY_DESCENDANTS);
	assert_int_equal(filter_find(c->out, NATIVE, TAMIS_CALLS - 1, &rule), 0);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		assert_int_equal(c->out->abis >> abi & 1, abi_runs_on((enum tamis_abi)abi, NATIVE));
}

static void nothing_guarded_nothing_kept(void **state)
{
	struct composed *c = *state;

	c->in.descendants = true;
	c->in.guard = NULL;
	run(c);
	assert_answer(c, "bpf", 0, FILTER_ALLOW, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(denied_ones_are_refused), TEST(denied_under_an_engine),
		TEST(denied_ones_with_eperm),  TEST(clone_denied_beside_clone3),
		TEST(all_but_the_guarded),     TEST(nothing_guarded_nothing_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
