/* SPDX-License-Identifier: Apache-2.0 */
/* compose under the profile that a container starts under, and under the engines' own defaults. */
#include "unit/strict_fixture.h"

#define PODMAN "/usr/share/containers/seccomp.json"
/* Tests run in the top folder. */
#define DOCKER "tests/unit/docker-shaped.json"

/* Rule 3 is for defaults, not for the profile at hand. */
static void refused_outright_stays_refused(void **state)
{
	struct composed *c = *state;

	engine_is(c, FILTER_ERRNO, EPERM);
	say(c, "read", FILTER_ALLOW, 0, NULL);
	say(c, "mount", FILTER_ERRNO, EACCES, NULL);
	say(c, "bpf", FILTER_KILL_PROCESS, 0, NULL);
	learn(c, "read");
	learn(c, "ptrace");
	learn(c, "mount");
	learn(c, "bpf");
	sysset_add(&c->gate[NATIVE], nr_of("execve"));
	sysset_add(&c->always[NATIVE], nr_of("exit_group"));
	run(c);
	assert_answer(c, "read", 0, FILTER_ALLOW, 0);
	assert_answer(c, "ptrace", 0, FILTER_ERRNO, ENOSYS);
	assert_answer(c, "mount", 0, FILTER_ERRNO, EACCES);
	assert_answer(c, "bpf", 0, FILTER_KILL_PROCESS, 0);
	assert_answer(c, "execve", 0, FILTER_ERRNO, ENOSYS);
	assert_answer(c, "exit_group", 0, FILTER_ERRNO, ENOSYS);

	c->in.strict = false;
	run(c);
	assert_answer(c, "ptrace", 0, FILTER_ALLOW, 0);
	assert_answer(c, "execve", 0, FILTER_ALLOW, 0);
}

static void abis_are_the_engines(void **state)
{
	struct composed *c = *state;

	engine_is(c, FILTER_ERRNO, EPERM);
	sysset_add(&c->learned.set[TAMIS_WORKLOAD][TAMIS_ABI_I386], 4);
	run(c);
	assert_int_equal(c->out->abis, 1u << NATIVE);
	c->in.strict = false;
	run(c);
	assert_int_equal(c->out->abis, 1u << NATIVE | 1u << TAMIS_ABI_I386);
	/* Nobody's profile: nothing to be strict about. */
	c->in.strict = true;
	c->in.engine = NULL;
	run(c);
	assert_int_equal(c->out->abis, 1u << NATIVE | 1u << TAMIS_ABI_I386);
}

static void a_default_that_kills_stays(void **state)
{
	static const enum filter_action kills[] = { FILTER_KILL_PROCESS, FILTER_KILL_THREAD,
						    FILTER_TRAP };
	const struct filter_cond one = { 0, FILTER_EQ, 1 };
	struct composed *c = *state;

	engine_is(c, FILTER_KILL_PROCESS, 0);
	say(c, "read", FILTER_ALLOW, 0, NULL);
	say(c, "write", FILTER_ALLOW, 0, NULL);
	say(c, "mount", FILTER_ALLOW, 0, NULL);
	say(c, "ioctl", FILTER_ALLOW, 0, &one);
	say(c, "getpid", FILTER_ERRNO, EACCES, NULL);
	learn(c, "read");
	learn(c, "getppid");
	sysset_add(&c->eperm[NATIVE], nr_of("mount"));
	sysset_add(&c->eperm[NATIVE], nr_of("umount2"));
	for (size_t i = 0; i < ARRAY_SIZE(kills); i++) {
		c->engine->default_action = kills[i];
		run(c);
		assert_int_equal(c->out->default_action, kills[i]);
		assert_answer(c, "read", 0, FILTER_ALLOW, 0);
		assert_answer(c, "write", 0, FILTER_ERRNO, ENOSYS);
		assert_answer(c, "mount", 0, FILTER_ERRNO, EPERM);
		assert_answer(c, "ioctl", 1, FILTER_ERRNO, ENOSYS);
		assert_answer(c, "ioctl", 2, kills[i], 0);
		assert_answer(c, "getpid", 0, FILTER_ERRNO, EACCES);
		assert_answer(c, "getppid", 0, kills[i], 0);
		assert_answer(c, "umount2", 0, kills[i], 0);
	}
}

/* By rules that overlap, of a call that was learned and of one that wasn't. */
static void kills_by_rule_stay(void **state)
{
	const struct filter_cond some = { 0, FILTER_LT, 16 }, one = { 0, FILTER_EQ, 1 },
				 two = { 0, FILTER_EQ, 2 };
	struct composed *c = *state;

	engine_is(c, FILTER_ALLOW, 0);
	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "ioctl" : "fcntl";

		say(c, name, FILTER_ERRNO, EACCES, &some);
		say(c, name, FILTER_KILL_PROCESS, 0, &one);
		say(c, name, FILTER_TRAP, 0, &two);
	}
	learn(c, "ioctl");
	run(c);
	assert_answer(c, "ioctl", 1, FILTER_KILL_PROCESS, 0);
	assert_answer(c, "ioctl", 2, FILTER_TRAP, 0);
	assert_answer(c, "ioctl", 3, FILTER_ERRNO, EACCES);
	assert_answer(c, "ioctl", 16, FILTER_ALLOW, 0);
	assert_answer(c, "fcntl", 1, FILTER_KILL_PROCESS, 0);
	assert_answer(c, "fcntl", 2, FILTER_TRAP, 0);
	assert_answer(c, "fcntl", 16, FILTER_ERRNO, ENOSYS);
}

static void what_a_tracer_is_told(void **state)
{
	const struct filter_cond one = { 0, FILTER_EQ, 1 };
	const uint64_t args[FILTER_ARGS] = { 1 };
	struct composed *c = *state;

	engine_is(c, FILTER_ERRNO, EPERM);
	say(c, "ioctl", FILTER_TRACE, 77, &one);
	learn(c, "ioctl");
	run(c);
	assert_answer(c, "ioctl", 1, FILTER_TRACE, 0);
	assert_int_equal(filter_verdict(c->out, NATIVE, nr_of("ioctl"), args).errno_ret, 77);
}

/* --- the engines' own ----------------------------------------------------------------------- */

static struct filter *load(const char *path, const char *const *caps)
{
	_free_ char *why = NULL;
	struct filter *f = NULL;

	if (oci_read(path, caps, &f, NULL, &why) < 0)
		fail_msg("%s: %s", path, why);
	return f;
}

static const char *const no_caps[] = { NULL },
			 *const some_caps[] = { "SYS_CHROOT", "SYS_PTRACE", NULL },
			 *const admin[] = { "SYS_ADMIN", "BPF", "SYS_TIME", NULL };
static const char *const *const cap_sets[] = { no_caps, some_caps, admin };

static void real_case(const char *path, const char *const *caps, uint64_t seed)
{
	struct random x = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	struct composed c = { 0 };

	composed_data(&c);
	c.exact = true;
	c.engine = load(path, caps);
	composed_draw_workload(&c, &x);
	composed_run(&c);
	ask_all(&c, &x, seed);
	composed_done(&c);
}

static void never_wider_than_the_engines(void **state)
{
	static const char *const paths[] = { PODMAN, DOCKER };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t k = 0; k < ARRAY_SIZE(cap_sets); k++)
			for (uint64_t seed = 1; seed <= 50; seed++)
				real_case(paths[i], cap_sets[k], seed);
	assert_true(asked.answers > 300 * TAMIS_CALLS);
	assert_int_equal(asked.over, 0);
}

/* Where the engine refuses nothing outright that is wanted, being strict changes nothing. */
static void strict_or_not_is_the_same(const char *path, const char *const *caps)
{
	struct composed c = { 0 };
	struct filter *strict;

	composed_data(&c);
	c.engine = load(path, caps);
	for (uint32_t nr = 0; nr < TAMIS_CALLS; nr++) {
		struct side s = side_of(c.engine, NATIVE, nr);

		if (side_passes(&s))
			sysset_add(&c.learned.set[TAMIS_WORKLOAD][NATIVE], nr);
	}
	c.in = (struct compose_in){ .learned = &c.learned,
				    .engine = c.engine,
				    .fallback = c.fallback,
				    .eperm = c.eperm,
				    .strict = true };
	composed_run(&c);
	strict = c.out;
	c.in.strict = false;
	composed_run(&c);
	assert_int_equal(strict->rule_cnt, c.out->rule_cnt);
	assert_int_equal(strict->default_action, c.out->default_action);
	assert_memory_equal(strict->rule, c.out->rule, strict->rule_cnt * sizeof(*strict->rule));
	filter_free(strict);
	composed_done(&c);
}

static void strict_is_only_stricter_where_it_matters(void **state)
{
	for (size_t k = 0; k < ARRAY_SIZE(cap_sets); k++) {
		strict_or_not_is_the_same(PODMAN, cap_sets[k]);
		strict_or_not_is_the_same(DOCKER, cap_sets[k]);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(refused_outright_stays_refused),
		TEST(abis_are_the_engines),
		TEST(a_default_that_kills_stays),
		TEST(kills_by_rule_stay),
		TEST(what_a_tracer_is_told),
		cmocka_unit_test(never_wider_than_the_engines),
		cmocka_unit_test(strict_is_only_stricter_where_it_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
