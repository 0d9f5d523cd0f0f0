/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/make.h"

#include <errno.h>

#include "generation_fixture.h"
#include "model/calls.h"

/* x86_64 */
enum { READ = 0, OPEN = 2, OPENAT = 257, MOUNT = 165, BPF = 321, FUTEX = 202, WAIT4 = 61 };

static int64_t learn(void)
{
	const struct store_workload w = {
		.key = "podman/web", .engine = "podman", .name = "web", .image_digest = "sha256:b"
	};
	int64_t id = 0, instance, unit;

	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
		instance = add_instance("boot/1", id, NOW);
		unit = add_unit(NOW);
		add_calls(instance, unit, TAMIS_SETUP, SET(MOUNT), NOW);
		add_calls(instance, unit, TAMIS_GATE, SET(WAIT4), NOW);
		add_calls(instance, unit, TAMIS_WORKLOAD, SET(READ, OPENAT, BPF), NOW);
		add_calls(instance, unit, TAMIS_SESSION, SET(FUTEX), NOW);
	}
	return id;
}

static void say(int64_t id, unsigned nr, enum store_verdict v)
{
	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, id, TAMIS_ABI_X86_64, nr, v, NOW));
	}
}

static struct generation made(const struct make_options *o)
{
	struct store_row row = row_of("web");
	struct generation g = { 0 };

	row.evidence.starts = 7;
	assert_stored(make_generation(st, &row, o, NOW + 5, &g));
	store_row_done(&row);
	return g;
}

static struct sysset stage_of(const struct generation *g, enum tamis_stage stage)
{
	return g->learned.set[stage][TAMIS_ABI_X86_64];
}

static void is_what_is_known(void **state)
{
	const struct make_options o = { .maker = "uid 1000" };
	_generation_ struct generation g = { 0 };

	learn();
	g = made(&o);
	assert_set(stage_of(&g, TAMIS_WORKLOAD), SET(READ, OPENAT));
	assert_set(stage_of(&g, TAMIS_SESSION), SET(FUTEX));
	assert_set(stage_of(&g, TAMIS_GATE), SET(WAIT4));
	assert_set(stage_of(&g, TAMIS_SETUP), SET(-1));
	assert_set(g.denied[TAMIS_ABI_X86_64], SET(-1));
	assert_string_equal(g.maker, "uid 1000");
	assert_int_equal(g.created, NOW + 5);
	assert_int_equal(g.state, GENERATION_TRIAL);
	assert_int_equal(g.evidence.starts, 7);
	assert_int_equal(g.image_cnt, 1);
	assert_string_equal(g.image[0], "sha256:b");
	assert_false(g.descendants);
	assert_false(make_was_widened(&g));
	assert_int_equal(strncmp(g.digest, "sha256:", 7), 0);
}

/* What was seen and is dangerous waits for a word; what was denied stays out; both in the digest. */
static void heeds_verdicts(void **state)
{
	const struct make_options o = { .maker = "root", .good = true, .descendants = true };
	_generation_ struct generation g = { 0 }, plain = { 0 };
	int64_t id = learn();

	plain = made(&o);
	say(id, BPF, VERDICT_ALLOW);
	say(id, READ, VERDICT_DENY);
	say(id, MOUNT, VERDICT_ALLOW);
	g = made(&o);
	assert_set(stage_of(&g, TAMIS_WORKLOAD), SET(OPENAT, BPF, MOUNT));
	assert_set(g.denied[TAMIS_ABI_X86_64], SET(READ));
	assert_int_equal(g.state, GENERATION_GOOD);
	assert_true(g.descendants);
	assert_string_not_equal(g.digest, plain.digest);
}

/* By groups, but nothing that is guarded or denied. */
static void widens(void **state)
{
	const struct make_options o = { .maker = "root", .widen = true };
	_generation_ struct generation g = { 0 }, again = { 0 };
	int64_t id = learn();

	g = made(&o);
	assert_true(sysset_has(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], OPEN));
	assert_false(sysset_has(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], BPF));
	assert_string_equal(g.maker, "root, widened");
	assert_true(make_was_widened(&g));
	say(id, OPEN, VERDICT_DENY);
	again = made(&o);
	assert_false(sysset_has(&again.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], OPEN));
}

static void of_nothing(void **state)
{
	const struct make_options o = { .maker = "root" };
	struct store_row row = { .id = 99, .key = (char[]){ "x" } };
	_generation_ struct generation g = { 0 };

	assert_stored(store_begin(st));
	assert_int_equal(make_generation(st, &row, &o, NOW, &g), 0);
	assert_set(stage_of(&g, TAMIS_WORKLOAD), SET(-1));
	assert_int_equal(g.image_cnt, 0);
	store_rollback(st);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_what_is_known),
		TEST(heeds_verdicts),
		TEST(widens),
		TEST(of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
