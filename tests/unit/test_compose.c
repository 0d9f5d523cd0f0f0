/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/compose_fixture.h"

/* --- what is allowed, and why ----------------------------------------------------------- */

static void the_union_of_stages_but_setup(void **state)
{
	struct fixture *x = *state;

	learn(x, TAMIS_WORKLOAD, NATIVE, "read");
	learn(x, TAMIS_SESSION, NATIVE, "read");
	learn(x, TAMIS_SESSION, NATIVE, "ioctl");
	learn(x, TAMIS_GATE, NATIVE, "capset");
	learn(x, TAMIS_SETUP, NATIVE, "mount");
	sysset_add(&x->gate[NATIVE], nr_of("execve"));
	sysset_add(&x->always[NATIVE], nr_of("exit"));
	run(x);
	assert_allowed(x, "read", FILTER_WHY_WORKLOAD | FILTER_WHY_SESSION);
	assert_allowed(x, "ioctl", FILTER_WHY_SESSION);
	assert_allowed(x, "capset", FILTER_WHY_GATE_SEEN);
	assert_allowed(x, "execve", FILTER_WHY_GATE_TABLE);
	assert_allowed(x, "exit", FILTER_WHY_ALWAYS);
	assert_refused(x, "mount", ENOSYS);
	assert_int_equal(x->out->rule_cnt, 5);

	x->without_sessions = true;
	run(x);
	assert_allowed(x, "read", FILTER_WHY_WORKLOAD);
	assert_refused(x, "ioctl", ENOSYS);
}

static void abis_that_were_used(void **state)
{
	struct fixture *x = *state;

	sysset_add(&x->always[TAMIS_ABI_I386], 1);
	sysset_add(&x->eperm[TAMIS_ABI_I386], 21);
	learn(x, TAMIS_SETUP, TAMIS_ABI_X32, "read");
	learn(x, TAMIS_SESSION, TAMIS_ABI_ARM, "read");
	x->without_sessions = true;
	run(x);
	assert_int_equal(x->out->abis, 1u << NATIVE);
	assert_int_equal(x->out->rule_cnt, 0);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "exit", 0, 0).action, FILTER_KILL_THREAD);

	learn(x, TAMIS_WORKLOAD, TAMIS_ABI_I386, "write");
	run(x);
	assert_int_equal(x->out->abis, 1u << NATIVE | 1u << TAMIS_ABI_I386);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "write", 0, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "exit", 0, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "mount", 0, 0).errno_ret, EPERM);
	assert_refused(x, "write", ENOSYS);
}

static void eperm_unless_allowed(void **state)
{
	struct fixture *x = *state;

	sysset_add(&x->eperm[NATIVE], nr_of("mount"));
	sysset_add(&x->eperm[NATIVE], nr_of("ptrace"));
	learn(x, TAMIS_WORKLOAD, NATIVE, "ptrace");
	run(x);
	assert_refused(x, "mount", EPERM);
	assert_allowed(x, "ptrace", FILTER_WHY_WORKLOAD);
	assert_refused(x, "umount2", ENOSYS);
}

static void nothing_is_missing(void **state)
{
	struct fixture *x = *state;
	const struct compose_in no_learned = { .fallback = x->fallback };
	const struct compose_in no_fallback = { .learned = &x->learned };
	const struct compose_in least = { .learned = &x->learned, .fallback = x->fallback };

	assert_int_equal(compose(&no_learned, &x->out), -EINVAL);
	assert_int_equal(compose(&no_fallback, &x->out), -EINVAL);
	assert_null(x->out);
	assert_int_equal(compose(&least, &x->out), 0);
	assert_int_equal(x->out->rule_cnt, 0);
}

/* --- with the real data ----------------------------------------------------------------- */

static void clone3_falls_back_to_clone(void **state)
{
	struct fixture *x = *state;
	const struct filter_rule *rule = NULL;

	load_data(x);
	run(x);
	assert_refused(x, "clone", ENOSYS);
	learn(x, TAMIS_WORKLOAD, NATIVE, "clone3");
	run(x);
	assert_refused(x, "clone3", ENOSYS);
	assert_int_equal(filter_find(x->out, NATIVE, nr_of("clone3"), &rule), 1);
	assert_int_equal(rule->why, FILTER_WHY_WORKLOAD | FILTER_WHY_ERRNO);
	assert_allowed(x, "clone", FILTER_WHY_FALLBACK);
	assert_int_equal(ask(x, NATIVE, "clone", 0x3d0f00, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, NATIVE, "clone", 0x10000011, 0).errno_ret, EPERM);
}

static void arguments_are_narrowed_without_an_engine(void **state)
{
	struct fixture *x = *state;

	load_data(x);
	learn(x, TAMIS_WORKLOAD, NATIVE, "socket");
	learn(x, TAMIS_WORKLOAD, NATIVE, "personality");
	run(x);
	assert_int_equal(ask(x, NATIVE, "socket", 2, 6).action, FILTER_ALLOW);
	assert_int_equal(ask(x, NATIVE, "socket", 16, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, NATIVE, "socket", 16, 9).errno_ret, EINVAL);
	assert_int_equal(ask(x, NATIVE, "socket", 40, 0).errno_ret, EAFNOSUPPORT);
	assert_int_equal(ask(x, NATIVE, "personality", 8, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, NATIVE, "personality", 0x40000, 0).action, FILTER_ERRNO);
}

/* The engines' conditions are the fallback's already: its rules stay as they were written. */
static void assert_same_rules(const struct filter *a, const struct filter *b, const char *name)
{
	const struct filter_rule *ra = NULL, *rb = NULL;
	size_t cnt = filter_find(a, NATIVE, nr_of(name), &ra);

	assert_true(cnt > 0);
	assert_int_equal(cnt, filter_find(b, NATIVE, nr_of(name), &rb));
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(ra[i].action, rb[i].action);
		assert_int_equal(ra[i].errno_ret, rb[i].errno_ret);
		assert_memory_equal(ra[i].cond, rb[i].cond, sizeof(ra[i].cond));
	}
}

static void dockers_default(void **state)
{
	static const uint64_t personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };
	struct fixture *x = *state;
	struct filter *engine = engine_of(x, FILTER_ERRNO, EPERM);

	load_data(x);
	learn_narrowed(x);
	add(engine, "read", FILTER_ALLOW, 0, 0, NULL);
	add(engine, "clone", FILTER_ALLOW, 0, 1, &no_namespaces);
	add(engine, "clone3", FILTER_ERRNO, ENOSYS, 0, NULL);
	add(engine, "socket", FILTER_ALLOW, 0, 1, &not_vsock);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++) {
		const struct filter_cond c = { 0, FILTER_EQ, personalities[i] };

		add(engine, "personality", FILTER_ALLOW, 0, 1, &c);
	}
	run(x);
	assert_allowed(x, "read", FILTER_WHY_WORKLOAD);
	assert_refused(x, "clone3", ENOSYS);
	assert_same_rules(x->out, x->fallback, "clone");
	assert_same_rules(x->out, x->fallback, "socket");
	assert_same_rules(x->out, x->fallback, "personality");
}

static void podmans_default(void **state)
{
	struct fixture *x = *state;
	struct filter *engine = engine_of(x, FILTER_ERRNO, ENOSYS);

	load_data(x);
	learn_narrowed(x);
	add(engine, "read", FILTER_ALLOW, 0, 0, NULL);
	add(engine, "clone", FILTER_ALLOW, 0, 0, NULL);
	add(engine, "socket", FILTER_ERRNO, EINVAL, 2, netlink_audit);
	add(engine, "socket", FILTER_ALLOW, 0, 1, &not_audit);
	add(engine, "socket", FILTER_ALLOW, 0, 1, &not_netlink);
	add(engine, "open_by_handle_at", FILTER_ERRNO, EPERM, 0, NULL);
	add(engine, "vmsplice", FILTER_ERRNO, EPERM, 0, NULL);
	run(x);
	assert_same_rules(x->out, x->fallback, "clone");
	assert_same_rules(x->out, x->fallback, "socket");
	assert_refused(x, "open_by_handle_at", EPERM);
	assert_refused(x, "vmsplice", EPERM);
}

static void podman_with_audit(void **state)
{
	struct fixture *x = *state;

	load_data(x);
	learn(x, TAMIS_WORKLOAD, NATIVE, "socket");
	add(engine_of(x, FILTER_ERRNO, ENOSYS), "socket", FILTER_ALLOW, 0, 0, NULL);
	run(x);
	assert_same_rules(x->out, x->fallback, "socket");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_union_of_stages_but_setup),
		TEST(abis_that_were_used),
		TEST(eperm_unless_allowed),
		TEST(nothing_is_missing),
		TEST(clone3_falls_back_to_clone),
		TEST(arguments_are_narrowed_without_an_engine),
		TEST(dockers_default),
		TEST(podmans_default),
		TEST(podman_with_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
