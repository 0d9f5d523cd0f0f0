/* SPDX-License-Identifier: Apache-2.0 */
/* compose under an engine's profile that it was learned under, or not. */
#include "unit/compose_fixture.h"

static void engine_conditions_and_errnos_stay(void **state)
{
	const struct filter_cond tty = { 1, FILTER_EQ, 0x5412 };
	const struct filter_rule *rule = NULL;
	struct fixture *x = *state;
	struct filter *engine = engine_of(x, FILTER_ERRNO, EPERM);

	learn(x, TAMIS_WORKLOAD, NATIVE, "socket");
	learn(x, TAMIS_WORKLOAD, NATIVE, "ioctl");
	learn(x, TAMIS_WORKLOAD, NATIVE, "prctl");
	add(engine, "socket", FILTER_ALLOW, 0, 1, &not_vsock);
	add(engine, "ioctl", FILTER_ERRNO, ENOTTY, 1, &tty);
	add(engine, "ioctl", FILTER_ALLOW, 0, 1, &(struct filter_cond){ 1, FILTER_NE, 0x5412 });
	add(engine, "prctl", FILTER_ERRNO, 0, 1, &tty);
	add(engine, "prctl", FILTER_ALLOW, 0, 1, &not_vsock);
	add(engine, "keyctl", FILTER_ERRNO, EACCES, 0, NULL);
	add(engine, "mount", FILTER_ERRNO, 0, 0, NULL);
	add(engine, "ptrace", FILTER_KILL_PROCESS, 0, 0, NULL);
	sysset_add(&x->eperm[NATIVE], nr_of("keyctl"));
	run(x);
	assert_int_equal(filter_find(x->out, NATIVE, nr_of("socket"), &rule), 1);
	assert_int_equal(rule->cond[0].op, FILTER_NE);
	assert_int_equal(rule->why, FILTER_WHY_WORKLOAD | FILTER_WHY_ENGINE);
	assert_int_equal(filter_find(x->out, NATIVE, nr_of("ioctl"), &rule), 2);
	assert_int_equal(ask(x, NATIVE, "socket", 40, 0).errno_ret, ENOSYS);
	assert_refused(x, "keyctl", EACCES);
	for (size_t i = filter_find(x->out, NATIVE, nr_of("prctl"), &rule); i > 0; i--)
		assert_int_equal(rule[i - 1].action, FILTER_ALLOW);
	assert_refused(x, "mount", ENOSYS); /* never 0 for a call that wasn't made */
	assert_int_equal(ask(x, NATIVE, "ptrace", 0, 0).action, FILTER_KILL_PROCESS);
	assert_refused(x, "getpid", ENOSYS);
}

static void refused_outright(void **state)
{
	struct fixture *x = *state;

	engine_of(x, FILTER_ERRNO, EPERM);
	add(x->engine, "capset", FILTER_ERRNO, EACCES, 0, NULL);
	learn(x, TAMIS_WORKLOAD, NATIVE, "ptrace");
	learn(x, TAMIS_GATE, NATIVE, "capget");
	sysset_add(&x->gate[NATIVE], nr_of("capset"));
	sysset_add(&x->gate[NATIVE], nr_of("chdir"));
	sysset_add(&x->gate[NATIVE], nr_of("execve"));
	sysset_add(&x->always[NATIVE], nr_of("times"));
	sysset_add(&x->always[NATIVE], nr_of("exit_group"));
	run(x);
	assert_allowed(x, "ptrace", FILTER_WHY_WORKLOAD);
	assert_allowed(x, "capget", FILTER_WHY_GATE_SEEN);
	assert_allowed(x, "execve", FILTER_WHY_GATE_TABLE);
	assert_allowed(x, "exit_group", FILTER_WHY_ALWAYS);
	assert_refused(x, "capset", EACCES);
	assert_refused(x, "chdir", ENOSYS);
	assert_refused(x, "times", ENOSYS);
}

static void nothing_in_common_is_refused(void **state)
{
	const struct filter_cond odd = { 0, FILTER_EQ, 0x1234 };
	const struct filter_rule *rule = NULL;
	struct fixture *x = *state;

	load_data(x);
	learn(x, TAMIS_WORKLOAD, NATIVE, "personality");
	add(engine_of(x, FILTER_ERRNO, EPERM), "personality", FILTER_ALLOW, 0, 1, &odd);
	run(x);
	assert_int_equal(ask(x, NATIVE, "personality", 0x1234, 0).errno_ret, ENOSYS);
	assert_refused(x, "personality", ENOSYS);
	assert_int_equal(filter_find(x->out, NATIVE, nr_of("personality"), &rule), 1);
	assert_int_equal(rule->why, FILTER_WHY_WORKLOAD | FILTER_WHY_ERRNO | FILTER_WHY_ENGINE);
}

static void actions_that_pass_stay(void **state)
{
	struct fixture *x = *state;

	learn(x, TAMIS_WORKLOAD, NATIVE, "read");
	learn(x, TAMIS_WORKLOAD, NATIVE, "write");
	add(engine_of(x, FILTER_LOG, 0), "write", FILTER_NOTIFY, 0, 0, NULL);
	run(x);
	assert_int_equal(ask(x, NATIVE, "read", 0, 0).action, FILTER_LOG);
	assert_int_equal(ask(x, NATIVE, "write", 0, 0).action, FILTER_NOTIFY);
	assert_refused(x, "openat", ENOSYS);
}

static void a_deny_list_is_met_too(void **state)
{
	struct fixture *x = *state;
	struct filter *engine = engine_of(x, FILTER_ALLOW, 0);

	learn(x, TAMIS_WORKLOAD, NATIVE, "socket");
	learn(x, TAMIS_WORKLOAD, NATIVE, "read");
	add(engine, "socket", FILTER_ERRNO, EACCES, 2, netlink_audit);
	run(x);
	assert_int_equal(ask(x, NATIVE, "socket", 16, 9).errno_ret, EACCES);
	assert_int_equal(ask(x, NATIVE, "socket", 16, 8).action, FILTER_ALLOW);
	assert_int_equal(ask(x, NATIVE, "socket", 17, 9).action, FILTER_ALLOW);
	assert_allowed(x, "read", FILTER_WHY_WORKLOAD);
	assert_refused(x, "write", ENOSYS);
}

static void an_abi_the_engine_lacks(void **state)
{
	struct fixture *x = *state;

	learn(x, TAMIS_WORKLOAD, TAMIS_ABI_I386, "read");
	sysset_add(&x->always[TAMIS_ABI_I386], 1);
	sysset_add(&x->always[TAMIS_ABI_I386], 13);
	engine_of(x, FILTER_ERRNO, EPERM);
	run(x);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "time", 0, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "read", 0, 0).action, FILTER_ALLOW);
	assert_int_equal(ask(x, TAMIS_ABI_I386, "exit", 0, 0).action, FILTER_ALLOW);
}

static void same_input_same_bytes(void **state)
{
	struct fixture *x = *state;
	struct filter *first;

	load_data(x);
	learn_narrowed(x);
	assert_int_equal(data_gate(NULL, x->gate), 0);
	run(x);
	first = x->out;
	x->out = NULL;
	run(x);
	assert_int_equal(first->rule_cnt, x->out->rule_cnt);
	assert_memory_equal(first->rule, x->out->rule, first->rule_cnt * sizeof(*first->rule));
	filter_free(first);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(engine_conditions_and_errnos_stay),
		TEST(refused_outright),
		TEST(nothing_in_common_is_refused),
		TEST(actions_that_pass_stay),
		TEST(a_deny_list_is_met_too),
		TEST(an_abi_the_engine_lacks),
		TEST(same_input_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
