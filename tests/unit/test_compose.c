/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/compose.h"
#include "policy/data.h"

#define NATIVE abi_native()

static uint32_t nr_of(const char *name)
{
	int nr = calls_number(NATIVE, name);

	assert_true(nr >= 0);
	return (uint32_t)nr;
}

/* Everything compose() takes, empty. */
struct fixture {
	struct learned learned;
	struct sysset gate[TAMIS_ABI_MAX], always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX];
	struct filter *fallback, *engine, *out;
	bool without_sessions;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || filter_new(&x->fallback) < 0)
		return -1;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	filter_free(x->fallback);
	filter_free(x->engine);
	filter_free(x->out);
	free(x);
	return 0;
}

static void learn(struct fixture *x, enum tamis_stage stage, enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	assert_true(nr >= 0);
	sysset_add(&x->learned.set[stage][abi], (unsigned)nr);
}

static void run(struct fixture *x)
{
	const struct compose_in in = { &x->learned, x->engine, x->fallback,	   x->gate,
				       x->always,   x->eperm,  x->without_sessions };

	filter_free(x->out);
	x->out = NULL;
	assert_int_equal(compose(&in, &x->out), 0);
	assert_int_equal(x->out->default_action, FILTER_ERRNO);
	assert_int_equal(x->out->default_errno, ENOSYS);
}

static struct filter *engine_of(struct fixture *x, enum filter_action action, uint32_t errno_ret)
{
	filter_free(x->engine);
	x->engine = NULL;
	assert_int_equal(filter_new(&x->engine), 0);
	x->engine->abis = 1u << NATIVE;
	x->engine->default_action = action;
	x->engine->default_errno = errno_ret;
	return x->engine;
}

static void add(struct filter *f, const char *name, enum filter_action action, uint32_t errno_ret,
		unsigned cond_cnt, const struct filter_cond *cond)
{
	struct filter_rule r = { .abi = NATIVE,
				 .nr = nr_of(name),
				 .action = action,
				 .errno_ret = errno_ret,
				 .cond_cnt = cond_cnt };

	if (cond_cnt)
		memcpy(r.cond, cond, cond_cnt * sizeof(*cond));
	assert_int_equal(filter_add(f, &r), 0);
	filter_sort(f);
}

static struct filter_verdict ask(const struct fixture *x, enum tamis_abi abi, const char *name,
				 uint64_t a0, uint64_t a2)
{
	const uint64_t args[FILTER_ARGS] = { a0, 0, a2 };

	return filter_verdict(x->out, abi, (uint32_t)calls_number(abi, name), args);
}

static void assert_allowed(const struct fixture *x, const char *name, uint32_t why)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(x->out, NATIVE, nr_of(name), &rule);

	assert_int_equal(ask(x, NATIVE, name, 0, 0).action, FILTER_ALLOW);
	while (cnt > 1 && rule->action != FILTER_ALLOW) {
		cnt--;
		rule++;
	}
	assert_int_equal(rule->why, why);
}

static void assert_refused(const struct fixture *x, const char *name, uint32_t errno_ret)
{
	struct filter_verdict v = ask(x, NATIVE, name, 0, 0);

	assert_int_equal(v.action, FILTER_ERRNO);
	assert_int_equal(v.errno_ret, errno_ret);
}

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

static void load_data(struct fixture *x)
{
	filter_free(x->fallback);
	x->fallback = NULL;
	assert_int_equal(data_fallback(&x->fallback), 0);
	assert_int_equal(data_always(x->always), 0);
	assert_int_equal(data_eperm(x->eperm), 0);
}

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

static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
static const struct filter_cond not_vsock = { 0, FILTER_NE, 40 };
static const struct filter_cond netlink_audit[] = { { 0, FILTER_EQ, 16 }, { 2, FILTER_EQ, 9 } };
static const struct filter_cond not_audit = { 2, FILTER_NE, 9 }, not_netlink = { 0, FILTER_NE, 16 };

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

static void learn_narrowed(struct fixture *x)
{
	static const char *const names[] = { "clone", "clone3", "socket", "personality", "read" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		learn(x, TAMIS_WORKLOAD, NATIVE, names[i]);
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

/* --- met with an engine's profile ------------------------------------------------------- */

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
		TEST(the_union_of_stages_but_setup),
		TEST(abis_that_were_used),
		TEST(eperm_unless_allowed),
		TEST(nothing_is_missing),
		TEST(clone3_falls_back_to_clone),
		TEST(arguments_are_narrowed_without_an_engine),
		TEST(dockers_default),
		TEST(podmans_default),
		TEST(podman_with_audit),
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
