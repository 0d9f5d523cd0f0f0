/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/shadow.h"

#include "generation_fixture.h"
#include "learn/make.h"

/* x86_64; restart_syscall is in policies/always, bpf and ptrace in policies/guard. */
enum {
	READ = 0,
	CLONE = 56,
	PTRACE = 101,
	GETTID = 186,
	FUTEX = 202,
	RESTART = 219,
	BPF = 321,
	CLONE3 = 435,
};

struct row {
	const char *what;
	int learned[6], session[4], gate[4]; /* of the generation; a -1 ends each */
	bool descendants;
	int made[6]; /* since, in the workload stage */
	int denied_by_it[4], denied[4], allowed[4];
	int refused[6], pending[6];
};

#define NONE       \
	{          \
		-1 \
	}

static const struct row rows[] = {
	{ "the same", { READ, -1 }, NONE, NONE, false, { READ, -1 }, NONE, NONE, NONE, NONE, NONE },
	{ "more",
	  { READ, -1 },
	  NONE,
	  NONE,
	  false,
	  { READ, FUTEX, -1 },
	  NONE,
	  NONE,
	  NONE,
	  { FUTEX, -1 },
	  NONE },
	{ "what sessions and the gate need passes",
	  { READ, -1 },
	  { FUTEX, -1 },
	  { GETTID, -1 },
	  false,
	  { FUTEX, GETTID, -1 },
	  NONE,
	  NONE,
	  NONE,
	  NONE,
	  NONE },
	{ "always",
	  { READ, -1 },
	  NONE,
	  NONE,
	  false,
	  { RESTART, -1 },
	  NONE,
	  NONE,
	  NONE,
	  NONE,
	  NONE },
	{ "clone for clone3",
	  { CLONE3, -1 },
	  NONE,
	  NONE,
	  false,
	  { CLONE, -1 },
	  NONE,
	  NONE,
	  NONE,
	  NONE,
	  NONE },
	{ "guarded",
	  { READ, -1 },
	  NONE,
	  NONE,
	  false,
	  { BPF, FUTEX, -1 },
	  NONE,
	  NONE,
	  NONE,
	  { FUTEX, -1 },
	  { BPF, -1 } },
	{ "guarded, allowed since",
	  { READ, -1 },
	  NONE,
	  NONE,
	  false,
	  { BPF, -1 },
	  NONE,
	  NONE,
	  { BPF, -1 },
	  { BPF, -1 },
	  NONE },
	{ "guarded, in it",
	  { BPF, -1 },
	  NONE,
	  NONE,
	  false,
	  { BPF, -1 },
	  NONE,
	  NONE,
	  { BPF, -1 },
	  NONE,
	  NONE },
	{ "denied by it and now",
	  { READ, FUTEX, -1 },
	  NONE,
	  NONE,
	  false,
	  { FUTEX, -1 },
	  { FUTEX, -1 },
	  { FUTEX, -1 },
	  NONE,
	  NONE,
	  { FUTEX, -1 } },
	{ "denied by it, not now",
	  { READ, FUTEX, -1 },
	  NONE,
	  NONE,
	  false,
	  { FUTEX, -1 },
	  { FUTEX, -1 },
	  NONE,
	  NONE,
	  { FUTEX, -1 },
	  NONE },
	{ "denied since",
	  { READ, FUTEX, -1 },
	  NONE,
	  NONE,
	  false,
	  { FUTEX, -1 },
	  NONE,
	  { FUTEX, -1 },
	  NONE,
	  NONE,
	  NONE },
	{ "descendants",
	  { READ, -1 },
	  NONE,
	  NONE,
	  true,
	  { FUTEX, BPF, -1 },
	  NONE,
	  NONE,
	  NONE,
	  NONE,
	  { BPF, -1 } },
	{ "descendants, denied",
	  { READ, -1 },
	  NONE,
	  NONE,
	  true,
	  { FUTEX, -1 },
	  { FUTEX, -1 },
	  { FUTEX, -1 },
	  NONE,
	  NONE,
	  { FUTEX, -1 } },
};

static struct generation generation_of(const struct row *t)
{
	struct generation g = { .number = 1, .descendants = t->descendants };

	g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64] = set_of(t->learned);
	g.learned.set[TAMIS_SESSION][TAMIS_ABI_X86_64] = set_of(t->session);
	g.learned.set[TAMIS_GATE][TAMIS_ABI_X86_64] = set_of(t->gate);
	g.denied[TAMIS_ABI_X86_64] = set_of(t->denied_by_it);
	return g;
}

static void say(int64_t id, const int *nr, enum store_verdict v)
{
	for (; *nr >= 0; nr++)
		assert_stored(store_verdict_set(st, id, TAMIS_ABI_X86_64, (unsigned)*nr, v, NOW));
}

static int64_t learn(const struct row *t, size_t i)
{
	char key[32];
	int64_t id, instance;

	snprintf(key, sizeof(key), "podman/w%zu", i);
	assert_stored(store_begin(st));
	id = add_workload(key, key);
	instance = add_instance(key, id, NOW);
	add_calls(instance, add_unit(NOW), i % 2 ? TAMIS_SESSION : TAMIS_WORKLOAD, set_of(t->made),
		  NOW);
	say(id, t->denied, VERDICT_DENY);
	say(id, t->allowed, VERDICT_ALLOW);
	assert_stored(store_commit(st));
	return id;
}

static void says_what_it_would_refuse(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *t = &rows[i];
		struct sysset refused[TAMIS_ABI_MAX], pending[TAMIS_ABI_MAX];
		const struct sysset want_refused = set_of(t->refused),
				    want_pending = set_of(t->pending);
		_generation_ struct generation g = generation_of(t);
		int64_t id = learn(t, i);

		assert_stored(shadow_refused(st, id, &g, refused, pending));
		if (!sysset_equal(&refused[TAMIS_ABI_X86_64], &want_refused) ||
		    !sysset_equal(&pending[TAMIS_ABI_X86_64], &want_pending))
			fail_msg("%s", t->what);
		for (unsigned abi = 1; abi < TAMIS_ABI_MAX; abi++)
			assert_true(sysset_is_empty(&refused[abi]) &&
				    sysset_is_empty(&pending[abi]));
	}
}

/* Setup and gate calls are no business of a policy's workload. */
static void leaves_the_start_alone(void **state)
{
	struct sysset refused[TAMIS_ABI_MAX], pending[TAMIS_ABI_MAX];
	_generation_ struct generation g = { .number = 1 };
	int64_t id = 0, instance, unit;

	IN_TRANSACTION
	{
		id = add_workload("podman/x", "x");
		instance = add_instance("i", id, NOW);
		unit = add_unit(NOW);
		add_calls(instance, unit, TAMIS_SETUP, SET(FUTEX), NOW);
		add_calls(instance, unit, TAMIS_GATE, SET(GETTID), NOW);
	}
	assert_stored(shadow_refused(st, id, &g, refused, pending));
	assert_set(refused[TAMIS_ABI_X86_64], SET(-1));
	assert_set(pending[TAMIS_ABI_X86_64], SET(-1));
}

/* Each ABI speaks for itself. */
static void tells_abis_apart(void **state)
{
	struct sysset refused[TAMIS_ABI_MAX], pending[TAMIS_ABI_MAX], calls = SET(READ);
	_generation_ struct generation g = { .number = 1 };
	int64_t id = 0;

	sysset_add(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], READ);
	IN_TRANSACTION
	{
		id = add_workload("podman/x", "x");
		assert_stored(store_calls(st, add_instance("i", id, NOW), add_unit(NOW),
					  TAMIS_WORKLOAD, TAMIS_ABI_AARCH64, &calls, NOW));
	}
	assert_stored(shadow_refused(st, id, &g, refused, pending));
	assert_true(sysset_has(&refused[TAMIS_ABI_AARCH64], READ));
	assert_set(refused[TAMIS_ABI_X86_64], SET(-1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_it_would_refuse),
		TEST(leaves_the_start_alone),
		TEST(tells_abis_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
