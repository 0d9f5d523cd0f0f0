/* SPDX-License-Identifier: Apache-2.0 */
/* What workloads in probation learn is free at their next start: a real store, real applied files. */
#include "learn/probation.h"

#include "applying_fixture.h"
#include "learn/make.h"
#include "policy/denials.h"

enum { OPENAT2 = 437 };

static struct ways ways;
static struct probation *probation;
static char said[1024];

static void on_said(void *arg, const char *key, const char *line)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof(said) - at, "%s: %s;", key, line);
}

static int setup(void **state)
{
	int r = open_store(state);
	const struct probation_options o = { .store = st, .ways = &ways, .say = on_said };

	ways = (struct ways){ .state = state_dir, .unit_dir = state_dir, .no_reload = true };
	said[0] = '\0';
	return r ?: probation_new(&o, &probation);
}

static int teardown(void **state)
{
	probation_free(probation);
	return drop_dir(state);
}

static void follow(int64_t later)
{
	said[0] = '\0';
	assert_stored(probation_follow(probation, NOW + later));
}

/* In probation, by a person. */
static int64_t begin(struct sysset calls, struct store_applied is)
{
	int64_t id = learn(calls);

	IN_TRANSACTION
	{
		_generation_ struct generation g = { .created = NOW, .maker = strdup("root") };

		g.learned.set[TAMIS_WORKLOAD][MACHINE] = calls;
		assert_int_equal(generation_digest(&g), 0);
		assert_stored(store_generation_add(st, id, &g));
		is.mode = is.mode ?: MODE_PROBATION;
		is.generation = g.number;
		is.since = NOW;
		assert_stored(store_applied_set(st, id, &is));
	}
	return id;
}

static void learn_more(int64_t id, struct sysset calls)
{
	IN_TRANSACTION
	{
		assert_stored(store_learn(st, id, "keeper", MACHINE, &calls, NULL, NOW));
	}
}

static void verdict(int64_t id, uint32_t nr, enum store_verdict v)
{
	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, id, MACHINE, nr, v, NOW));
	}
}

static bool passes(const struct applied *a, unsigned nr)
{
	return sysset_has(&a->now.learned.set[TAMIS_WORKLOAD][MACHINE], nr);
}

static void what_was_learned_is_applied(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ .rule = PROBATION_LEARN });
	_applied_ struct applied a = { 0 };

	follow(0);
	assert_int_equal(count_generations(id), 1);
	assert_string_equal(said, "");
	learn_more(id, SET(FUTEX));
	follow(1);
	assert_applied(id, 2, 0, MODE_PROBATION);
	assert_non_null(strstr(said, "podman/web: generation 2 in probation"));
	a = file_of("podman/web");
	assert_true(passes(&a, READ) && passes(&a, FUTEX) && !passes(&a, GETTID));
	assert_string_equal(a.now.maker, "probation");
	assert_int_equal(a.now.created, NOW + 1);
}

/* Not one for each call of a start. */
static void at_most_so_often(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ 0 });

	learn_more(id, SET(FUTEX));
	follow(1);
	learn_more(id, SET(GETTID));
	follow(PROBATION_EVERY_S);
	assert_int_equal(count_generations(id), 2);
	follow(PROBATION_EVERY_S + 1);
	assert_applied(id, 3, 0, MODE_PROBATION);
	/* a clock that was set back makes nobody wait */
	learn_more(id, SET(WRITE));
	follow(-1000);
	assert_applied(id, 4, 0, MODE_PROBATION);
}

static void a_persons_word_counts(void **state)
{
	int64_t id = begin(SET(READ, FUTEX), (struct store_applied){ .rule = PROBATION_ASK });
	_applied_ struct applied a = { 0 };

	follow(0);
	verdict(id, GETTID, VERDICT_ALLOW);
	verdict(id, FUTEX, VERDICT_DENY);
	follow(PROBATION_EVERY_S);
	assert_applied(id, 2, 0, MODE_PROBATION);
	a = file_of("podman/web");
	assert_true(passes(&a, GETTID) && !passes(&a, FUTEX));
	assert_int_equal(a.rule, PROBATION_ASK);
}

/* A guarded call is learned and isn't in the generation: nothing new, so nothing is made. */
static void guarded_calls_wait(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ 0 });

	learn_more(id, SET(PTRACE));
	follow(1);
	assert_int_equal(count_generations(id), 1);
}

static void flags_stay(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ .replace = true,
							      .unconfined = true,
							      .probe_new_image = true,
							      .rule = PROBATION_DENY });
	struct store_applied is;

	learn_more(id, SET(FUTEX));
	follow(1);
	is = applied_to(id);
	assert_true(is.replace && is.unconfined && is.probe_new_image && !is.keep_new_image);
	assert_int_equal(is.rule, PROBATION_DENY);
	assert_int_equal(is.generation, 2);
	assert_int_equal(is.since, NOW + 1);
}

static void others_are_left_alone(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ .mode = MODE_ENFORCE });

	learn_more(id, SET(FUTEX));
	follow(1);
	assert_int_equal(count_generations(id), 1);
}

/* Who goes back to an older one doesn't want what was learned since. */
static void gone_back_stays(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ 0 });

	learn_more(id, SET(FUTEX));
	follow(1);
	IN_TRANSACTION
	{
		apply_generation(id, MODE_PROBATION, 1);
	}
	learn_more(id, SET(GETTID));
	follow(1000);
	assert_int_equal(count_generations(id), 2);
	assert_int_equal(applied_to(id).generation, 1);
}

static void a_rules_stays_a_rules(void **state)
{
	int64_t id = learn(SET(READ, FUTEX));
	_generation_ struct generation g = { .created = NOW, .maker = strdup("auto: podman/*") };
	_generation_ struct generation next = { 0 };

	IN_TRANSACTION
	{
		assert_stored(store_generation_add(st, id, &g));
		apply_generation(id, MODE_PROBATION, g.number);
	}
	follow(1);
	assert_stored(store_generation_get(st, id, 2, &next));
	assert_string_equal(next.maker, "auto: podman/*");
}

/* Made with --widen, what follows it has the groups of what it learned since, too. */
static void stays_as_wide(void **state)
{
	const struct make_options mo = { .maker = "root", .widen = true };
	struct store_row row = { .id = learn(SET(READ)), .key = (char[]){ "podman/web" } };
	_generation_ struct generation g = { 0 }, next = { 0 };
	_applied_ struct applied a = { 0 };

	IN_TRANSACTION
	{
		assert_stored(make_generation(st, &row, &mo, NOW, &g));
		assert_stored(store_generation_add(st, row.id, &g));
		apply_generation(row.id, MODE_PROBATION, g.number);
	}
	for (int i = 1; i <= 2; i++) {
		learn_more(row.id, i == 1 ? SET(OPENAT) : SET(FUTEX));
		follow(1000 * i);
		assert_int_equal(applied_to(row.id).generation, 1 + i);
	}
	a = file_of("podman/web");
	assert_true(passes(&a, OPENAT2) && passes(&a, FUTEX));
	assert_stored(store_generation_get(st, row.id, 3, &next));
	assert_string_equal(next.maker, "probation, widened");
}

/* [apply] on-new-image speaks for those. */
static void new_images_are_not_learned_by_the_way(void **state)
{
	static const bool probes[] = { false, true };
	const struct store_workload w = { .key = "podman/web",
					  .engine = "podman",
					  .image_digest = "sha256:new" };

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int64_t id = learn(SET(READ)), same;
		_generation_ struct generation g = { .created = NOW };
		_generation_ struct generation next = { 0 };

		assert_int_equal(generation_add_image(&g, "sha256:old"), 0);
		sysset_add(&g.learned.set[TAMIS_WORKLOAD][MACHINE], 300 + (unsigned)i);
		IN_TRANSACTION
		{
			const struct store_applied is = { .mode = MODE_PROBATION,
							  .probe_new_image = probes[i] };
			struct store_applied now = is;

			assert_stored(store_generation_add(st, id, &g));
			now.generation = g.number;
			assert_stored(store_applied_set(st, id, &now));
			assert_stored(store_workload(st, &w, NOW, &same));
		}
		assert_int_equal(same, id);
		follow(1000 * (int64_t)(i + 1));
		assert_stored(store_generation_get(st, id, g.number + 1, &next));
		assert_int_equal(generation_has_image(&next, "sha256:new"), probes[i]);
	}
}

/* Nothing is in the store that no start can find. */
static void a_file_that_cant_be_written_takes_it_back(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ 0 });
	_free_ char *path = text_format("%s/applied", state_dir);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fclose(f);
	learn_more(id, SET(FUTEX));
	assert_true(probation_follow(probation, NOW + 1) < 0);
	assert_non_null(strstr(said, "podman/web: generation 2 can't be put in place"));
	assert_int_equal(count_generations(id), 1);
	assert_int_equal(applied_to(id).generation, 1);
	assert_int_equal(remove(path), 0);
	follow(2);
	assert_applied(id, 2, 0, MODE_PROBATION);
}

/* It is tried again each second, and said once a minute. */
static void what_keeps_failing_is_said_now_and_then(void **state)
{
	int64_t id = begin(SET(READ), (struct store_applied){ 0 });
	_free_ char *path = text_format("%s/applied", state_dir);
	FILE *f = fopen(path, "w");
	size_t once;

	assert_non_null(f);
	fclose(f);
	learn_more(id, SET(FUTEX));
	assert_true(probation_follow(probation, NOW + 1) < 0);
	once = strlen(said);
	assert_true(once > 0);
	for (int64_t later = 2; later <= 60; later++)
		assert_true(probation_follow(probation, NOW + later) < 0);
	assert_int_equal(strlen(said), once);
	assert_true(probation_follow(probation, NOW + 61) < 0);
	assert_int_equal(strlen(said), 2 * once);
}

#define PROBATION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBATION_TEST(what_was_learned_is_applied),
		PROBATION_TEST(at_most_so_often),
		PROBATION_TEST(a_persons_word_counts),
		PROBATION_TEST(guarded_calls_wait),
		PROBATION_TEST(flags_stay),
		PROBATION_TEST(others_are_left_alone),
		PROBATION_TEST(gone_back_stays),
		PROBATION_TEST(a_rules_stays_a_rules),
		PROBATION_TEST(stays_as_wide),
		PROBATION_TEST(new_images_are_not_learned_by_the_way),
		PROBATION_TEST(a_file_that_cant_be_written_takes_it_back),
		PROBATION_TEST(what_keeps_failing_is_said_now_and_then),
	};

	return cmocka_run_group_tests_name("probation", tests, NULL, NULL);
}
