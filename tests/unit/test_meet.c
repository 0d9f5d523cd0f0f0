/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/meet.h"
#include "emit/emit.h"
#include "model/calls.h"
#include "policy/data.h"

#define NATIVE abi_native()
/* Beside it; wait4, read, write and getpid have the same numbers in both. */
#define OTHER  (NATIVE == TAMIS_ABI_AARCH64 ? TAMIS_ABI_ARM : TAMIS_ABI_I386)
/* Tests run in the top folder. */
#define DOCKER "tests/unit/docker-shaped.json"

struct fixture {
	struct generation g;
	struct filter *engine, *out;
	struct sysset gate[TAMIS_ABI_MAX];
};

static int setup(void **state)
{
	_free_ char *why = NULL;
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || oci_read(DOCKER, NULL, &x->engine, NULL, &why) < 0)
		return -1;
	*state = x;
	return data_gate("runc@1.1.5", x->gate);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	generation_done(&x->g);
	filter_free(x->engine);
	filter_free(x->out);
	free(x);
	return 0;
}

static uint32_t nr_of(const char *name)
{
	int nr = calls_number(NATIVE, name);

	assert_true(nr >= 0);
	return (uint32_t)nr;
}

static void learn(struct fixture *x, const char *name)
{
	sysset_add(&x->g.learned.set[TAMIS_WORKLOAD][NATIVE], nr_of(name));
}

static void meet(struct fixture *x, const struct filter *engine)
{
	filter_free(x->out);
	x->out = NULL;
	assert_int_equal(meet_generation(&x->g, engine, x->gate, &x->out), 0);
}

/* -1: allowed; else the errno. */
static int answer(const struct fixture *x, const char *name, uint64_t a0)
{
	const uint64_t args[FILTER_ARGS] = { a0 };
	struct filter_verdict v = filter_verdict(x->out, NATIVE, nr_of(name), args);

	if (v.action == FILTER_ALLOW)
		return -1;
	assert_int_equal(v.action, FILTER_ERRNO);
	return (int)v.errno_ret;
}

static void all_data_is_used(void **state)
{
	struct fixture *x = *state;

	learn(x, "read");
	learn(x, "clone3");
	meet(x, x->engine);
	assert_int_equal(answer(x, "read", 0), -1);
	assert_int_equal(answer(x, "execve", 0), -1);	  /* of the gate */
	assert_int_equal(answer(x, "exit_group", 0), -1); /* of always */
	assert_int_equal(answer(x, "umount2", 0), EPERM); /* of errno/ */
	assert_int_equal(answer(x, "clone3", 0), ENOSYS); /* of engine/ */
	assert_int_equal(answer(x, "clone", 17), -1);
	assert_int_equal(answer(x, "clone", 0x10000000), EPERM);
	assert_int_equal(answer(x, "sendfile", 0), ENOSYS);
}

/* Learned when the container had more: the profile of this start decides. */
static void never_more_than_the_engine(void **state)
{
	struct fixture *x = *state;

	learn(x, "mount");
	learn(x, "keyctl");
	learn(x, "socket");
	meet(x, x->engine);
	assert_int_equal(answer(x, "mount", 0), EPERM);
	assert_int_equal(answer(x, "keyctl", 0), ENOSYS);
	assert_int_equal(answer(x, "socket", 2), -1);
	assert_int_equal(answer(x, "socket", 40), EAFNOSUPPORT);
	meet(x, NULL);
	assert_int_equal(answer(x, "mount", 0), -1);
	assert_int_equal(answer(x, "keyctl", 0), -1);
}

static void denials_are_kept(void **state)
{
	struct fixture *x = *state;

	learn(x, "read");
	sysset_add(&x->g.denied[NATIVE], nr_of("read"));
	sysset_add(&x->g.denied[NATIVE], nr_of("capset"));
	sysset_add(&x->g.denied[NATIVE], nr_of("execve"));
	sysset_add(&x->g.denied[NATIVE], nr_of("uname"));
	sysset_add(&x->g.denied_eperm[NATIVE], nr_of("uname"));
	meet(x, x->engine);
	assert_int_equal(answer(x, "uname", 0), EPERM);
	assert_int_equal(answer(x, "read", 0), ENOSYS);
	assert_int_equal(answer(x, "capset", 0), ENOSYS);
	assert_int_equal(answer(x, "execve", 0), -1);
}

static void descendants_get_all_but_the_guarded(void **state)
{
	struct fixture *x = *state;

	x->g.descendants = true;
	learn(x, "keyctl");
	meet(x, NULL);
	assert_int_equal(answer(x, "sendfile", 0), -1);
	assert_int_equal(answer(x, "keyctl", 0), -1);
	assert_int_equal(answer(x, "bpf", 0), EPERM);
	assert_int_equal(answer(x, "add_key", 0), ENOSYS);
	meet(x, x->engine);
	assert_int_equal(answer(x, "keyctl", 0), ENOSYS);
	assert_int_equal(answer(x, "unshare", 0), EPERM);
	assert_int_equal(answer(x, "sendfile", 0), -1);
}

static void the_gate_may_be_missing(void **state)
{
	struct fixture *x = *state;

	learn(x, "read");
	assert_int_equal(meet_generation(&x->g, x->engine, NULL, &x->out), 0);
	assert_int_equal(answer(x, "execve", 0), ENOSYS);
	assert_int_equal(answer(x, "read", 0), -1);
}

/* --- probation ------------------------------------------------------------------------------ */

static void meet_asking(struct fixture *x, const struct filter *engine)
{
	const struct sysset refused[TAMIS_ABI_MAX] = { 0 };

	filter_free(x->out);
	x->out = NULL;
	assert_int_equal(meet_probation(&x->g, engine, x->gate, refused, &x->out), 0);
}

static enum filter_action action(const struct fixture *x, const char *name, uint64_t a0)
{
	const uint64_t args[FILTER_ARGS] = { a0 };

	return filter_verdict(x->out, NATIVE, nr_of(name), args).action;
}

static void what_nobody_learned_asks(void **state)
{
	struct fixture *x = *state;

	learn(x, "read");
	meet_asking(x, x->engine);
	assert_int_equal(answer(x, "read", 0), -1);
	assert_int_equal(answer(x, "execve", 0), -1);
	assert_int_equal(answer(x, "exit_group", 0), -1);
	assert_int_equal(action(x, "sendfile", 0), FILTER_NOTIFY);
	assert_int_equal(action(x, "chroot", 0), FILTER_ERRNO); /* the engine's */
	assert_int_equal(answer(x, "umount2", 0), EPERM);	/* the engine's, too */
	assert_int_equal(action(x, "socket", 2), FILTER_NOTIFY);
	assert_int_equal(answer(x, "socket", 40), EAFNOSUPPORT);
	memset(x->gate, 0, sizeof(x->gate)); /* runc calls clone */
	meet_asking(x, x->engine);
	assert_int_equal(action(x, "clone", 17), FILTER_NOTIFY);
	assert_int_equal(answer(x, "clone", 0x10000000), EPERM);
	assert_int_equal(action(x, "personality", 8), FILTER_NOTIFY);
	assert_int_equal(answer(x, "personality", 0x40000), ENOSYS);
	assert_int_equal(answer(x, "clone3", 0), ENOSYS);
	meet_asking(x, NULL);
	assert_int_equal(action(x, "chroot", 0), FILTER_NOTIFY);
	assert_int_equal(answer(x, "mount", 0), EPERM); /* guarded */
	assert_int_equal(answer(x, "bpf", 0), EPERM);
	learn(x, "bpf"); /* a person's word */
	meet_asking(x, NULL);
	assert_int_equal(answer(x, "bpf", 0), -1);
}

/* runc takes no filter that asks for write, so every gate has it; without a gate it passes too. */
static void write_never_asks(void **state)
{
	static const char *const specs[] = { NULL, "runc", "crun", "runc@1.0", "crun@0.17" };
	struct fixture *x = *state;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct sysset gate[TAMIS_ABI_MAX] = { 0 };

		assert_int_equal(data_gate(specs[i], gate), 0);
		assert_true(sysset_has(&gate[NATIVE], nr_of("write")));
	}
	sysset_del(&x->gate[NATIVE], nr_of("write"));
	meet_asking(x, x->engine);
	assert_int_equal(answer(x, "write", 0), -1);
	meet(x, x->engine);
	assert_int_equal(answer(x, "write", 0), ENOSYS);
}

static void what_is_refused_never_asks(void **state)
{
	struct sysset refused[TAMIS_ABI_MAX] = { 0 };
	struct fixture *x = *state;

	learn(x, "read");
	sysset_add(&refused[NATIVE], nr_of("sendfile"));
	sysset_add(&refused[NATIVE], nr_of("pread64"));
	learn(x, "pread64");
	sysset_add(&x->g.denied[NATIVE], nr_of("times"));
	sysset_add(&x->g.denied[NATIVE], nr_of("uname"));
	sysset_add(&x->g.denied_eperm[NATIVE], nr_of("uname"));
	assert_int_equal(meet_probation(&x->g, x->engine, x->gate, refused, &x->out), 0);
	assert_int_equal(answer(x, "sendfile", 0), ENOSYS);
	assert_int_equal(answer(x, "pread64", 0), ENOSYS);
	assert_int_equal(answer(x, "times", 0), ENOSYS);
	assert_int_equal(answer(x, "uname", 0), EPERM);
	assert_int_equal(action(x, "getpgid", 0), FILTER_NOTIFY);
}

/* Refused whichever way, its runtime's own calls are not, or nothing would start. */
static void every_container_starts(void **state)
{
	static const char *const its[] = { "read", "capset", "execve" };
	static const char *const handed[] = { "wait4", "kill", "munmap" };
	struct sysset refused[TAMIS_ABI_MAX] = { 0 };
	struct fixture *x = *state;

	for (size_t i = 0; i < 3; i++) {
		learn(x, handed[i]);
		sysset_add(i ? &x->g.denied[NATIVE] : &refused[NATIVE], nr_of(its[i]));
		sysset_add(i ? &refused[NATIVE] : &x->g.denied[NATIVE], nr_of(handed[i]));
		sysset_del(&x->gate[NATIVE], nr_of(handed[i]));
	}
	sysset_add(&refused[OTHER], 114);
	sysset_add(&x->g.learned.set[TAMIS_WORKLOAD][OTHER], 3);
	assert_int_equal(meet_probation(&x->g, x->engine, x->gate, refused, &x->out), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(answer(x, its[i], 0), -1);
		assert_int_equal(action(x, handed[i], 0), FILTER_NOTIFY);
	}
	assert_int_equal(filter_verdict(x->out, OTHER, 114, (uint64_t[6]){ 0 }).action,
			 FILTER_ERRNO);
	/* In force a trial takes such a start back. */
	meet(x, x->engine);
	assert_int_equal(answer(x, "capset", 0), ENOSYS);
	assert_int_equal(answer(x, "wait4", 0), ENOSYS);
}

/* An OCI rule has no ABI: a 32-bit one is listed only where somebody used it. */
static void other_abis_ask_when_they_were_used(void **state)
{
	const uint64_t args[FILTER_ARGS] = { 0 };
	struct fixture *x = *state;

	meet_asking(x, NULL);
	assert_int_equal(x->out->abis, 1u << NATIVE);
	sysset_add(&x->g.learned.set[TAMIS_WORKLOAD][OTHER], 3);
	meet_asking(x, NULL);
	assert_int_equal(x->out->abis, 1u << NATIVE | 1u << OTHER);
	assert_int_equal(filter_verdict(x->out, OTHER, 3, args).action, FILTER_ALLOW);
	assert_int_equal(filter_verdict(x->out, OTHER, 4, args).action, FILTER_ALLOW);
	assert_int_equal(filter_verdict(x->out, OTHER, 20, args).action, FILTER_NOTIFY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_data_is_used),	       TEST(never_more_than_the_engine),
		TEST(denials_are_kept),	       TEST(descendants_get_all_but_the_guarded),
		TEST(the_gate_may_be_missing), TEST(what_nobody_learned_asks),
		TEST(write_never_asks),	       TEST(what_is_refused_never_asks),
		TEST(every_container_starts),  TEST(other_abis_ask_when_they_were_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
