/* SPDX-License-Identifier: Apache-2.0 */
/* What rules make of what was learned: a real store, real applied files. */
#include "learn/auto.h"

#include "applying_fixture.h"

static struct auto_rule rule;
static struct probation_pattern pattern = { (char *)"podman/*", PROBATION_ASK };
static const struct probation_rules probation = { &pattern, 1 };
static struct auto_wait wait;
static struct ways ways;
static char said[1024];

static void on_said(void *arg, const char *key, const char *line)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof(said) - at, "%s: %s;", key, line);
}

static int setup(void **state)
{
	int r = open_store(state);

	rule = (struct auto_rule){
		.pattern = (char *)"podman/*",
		.mode = MODE_ENFORCE,
		.observe_s = 100,
		.starts = 1,
		.quiet_s = 50,
	};
	ways = (struct ways){ .state = state_dir, .unit_dir = state_dir, .no_reload = true };
	said[0] = '\0';
	return r;
}

static int teardown(void **state)
{
	auto_wait_done(&wait);
	return drop_dir(state);
}

/* With the clock `later` seconds after the calls were learned. */
static void run_rules(int64_t later)
{
	const struct auto_rules rules = { &rule, 1 };
	const struct auto_options o = {
		.store = st,
		.ways = &ways,
		.rules = &rules,
		.wait = &wait,
		.probation = &probation,
		.probe_new_image = true,
		.say = on_said,
	};

	said[0] = '\0';
	assert_stored(auto_apply(&o, NOW + later));
}

static void learn_more(const char *instance, int64_t id, struct sysset calls, int64_t at)
{
	const struct store_instance i = {
		.instance = instance, .path = "/x", .workload = id, .starts = 1
	};
	int64_t row;

	IN_TRANSACTION
	{
		assert_stored(store_instance(st, &i, at, &row));
		add_calls(row, add_unit(at), TAMIS_WORKLOAD, calls, at);
	}
}

/* Never estimated, then too little at the least, then enough. */
static void a_rule_waits_for_coverage(void **state)
{
	struct store_coverage c = { .is_known = true, .coverage = .96, .low = .94, .high = .98 };
	int64_t id = learn(SET(READ, WRITE));

	rule.coverage = 95;
	run_rules(1000);
	assert_int_equal(count_generations(id), 0);
	IN_TRANSACTION
	assert_stored(store_coverage_set(st, id, &c));
	run_rules(1001);
	assert_int_equal(count_generations(id), 0);
	c.low = .951;
	IN_TRANSACTION
	assert_stored(store_coverage_set(st, id, &c));
	run_rules(1002);
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

static void what_is_due_is_applied_once(void **state)
{
	int64_t id = learn(SET(READ, WRITE));
	struct generation *g = NULL;
	size_t cnt = 0;

	run_rules(99);
	assert_int_equal(count_generations(id), 0);
	run_rules(100);
	assert_applied(id, 1, 0, MODE_ENFORCE);
	assert_non_null(strstr(said, "podman/web: generation 1: applied by [auto podman/*]"));
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	assert_stored(store_generations(st, id, &g, &cnt));
	assert_int_equal(cnt, 1);
	assert_string_equal(g[0].maker, "auto: podman/*");
	assert_int_equal(g[0].created, NOW + 100);
	generation_done(&g[0]);
	free(g);
	run_rules(1000);
	assert_int_equal(count_generations(id), 1);
	assert_string_equal(said, "");
}

static void quiet_begins_with_the_last_new_call(void **state)
{
	int64_t id = learn(SET(READ));

	learn_more("boot/more", id, SET(WRITE), NOW + 90);
	run_rules(139);
	assert_int_equal(count_generations(id), 0);
	learn_more("boot/again", id, SET(WRITE), NOW + 130); /* not new */
	run_rules(140);
	assert_int_equal(count_generations(id), 1);
}

static void others_are_left_alone(void **state)
{
	int64_t none = learn_as("docker/web", "docker", SET(READ), 1);
	int64_t partial = learn_as("podman/partial", "podman", SET(READ), 0);
	const struct store_workload labelled = { .key = "podman/label",
						 .engine = "podman",
						 .opted_out = true };
	const struct store_workload odd = { .key = "podman/odd",
					    .engine = "podman",
					    .why_not = "another kernel" };
	int64_t id[2];

	id[0] = learn_as("podman/label", "podman", SET(READ), 1);
	id[1] = learn_as("podman/odd", "podman", SET(READ), 1);
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &labelled, NOW, &id[0]));
		assert_stored(store_workload(st, &odd, NOW, &id[1]));
	}
	run_rules(1000);
	assert_int_equal(count_generations(none) + count_generations(partial) +
				 count_generations(id[0]) + count_generations(id[1]),
			 0);
	assert_string_equal(said, "");
}

static void a_rule_may_opt_out(void **state)
{
	int64_t id = learn(SET(READ));

	rule.mode = MODE_OBSERVE;
	run_rules(1000);
	assert_int_equal(count_generations(id), 0);
}

static void shadow_becomes_force_by_the_rule_alone(void **state)
{
	int64_t id = learn(SET(READ));

	rule.mode = MODE_SHADOW;
	run_rules(100);
	assert_applied(id, 1, 0, MODE_SHADOW);
	assert_non_null(strstr(said, "in shadow"));
	run_rules(200);
	assert_applied(id, 1, 0, MODE_SHADOW);
	rule.mode = MODE_ENFORCE;
	run_rules(300);
	assert_applied(id, 1, 0, MODE_ENFORCE);
	rule.mode = MODE_SHADOW; /* and never back */
	learn_more("boot/more", id, SET(WRITE), NOW + 300);
	run_rules(1000);
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

static void more_makes_another_and_keeps_the_good_one(void **state)
{
	int64_t id = learn(SET(READ));

	run_rules(100);
	set_state(id, 1, GENERATION_GOOD);
	learn_more("boot/more", id, SET(WRITE), NOW + 200);
	run_rules(249);
	assert_applied(id, 1, 0, MODE_ENFORCE);
	run_rules(250);
	assert_applied(id, 2, 1, MODE_ENFORCE);
}

static void what_failed_is_not_made_again(void **state)
{
	int64_t id = learn(SET(READ));

	run_rules(100);
	set_state(id, 1, GENERATION_FAILED);
	run_rules(1000);
	assert_int_equal(count_generations(id), 1);
	assert_string_equal(said, "");
	learn_more("boot/more", id, SET(WRITE), NOW + 1000);
	run_rules(1100);
	assert_applied(id, 2, 0, MODE_ENFORCE);
}

static void a_persons_is_a_persons(void **state)
{
	int64_t id = learn(SET(READ));

	IN_TRANSACTION
	{
		apply_generation(id, MODE_ENFORCE, add_generation(id, FUTEX));
	}
	run_rules(1000);
	assert_int_equal(count_generations(id), 1);
	IN_TRANSACTION
	{
		assert_stored(
			store_applied_set(st, id, &(struct store_applied){ .mode = MODE_OBSERVE }));
	}
	run_rules(1000);
	assert_int_equal(count_generations(id), 1);
	assert_int_equal(applied_to(id).mode, MODE_OBSERVE);
}

/* What was released stays so until there is something new. */
static void release_stays(void **state)
{
	int64_t id = learn(SET(READ));

	run_rules(100);
	IN_TRANSACTION
	{
		assert_stored(
			store_applied_set(st, id, &(struct store_applied){ .mode = MODE_OBSERVE }));
	}
	run_rules(1000);
	assert_int_equal(applied_to(id).mode, MODE_OBSERVE);
}

static void a_trial_comes_to_its_end_first(void **state)
{
	int64_t id = learn(SET(READ));

	run_rules(100);
	assert_int_equal(trial_add_start(state_dir, "podman/web", 1, "c1", "/nowhere"), 0);
	learn_more("boot/more", id, SET(WRITE), NOW + 200);
	run_rules(1000);
	assert_int_equal(count_generations(id), 1);
	set_state(id, 1, GENERATION_GOOD);
	run_rules(1000);
	assert_int_equal(count_generations(id), 2);
}

static void a_new_image_is_observed_first(void **state)
{
	int64_t id = learn(SET(READ));
	struct store_workload w = { .key = "podman/web",
				    .engine = "podman",
				    .image_digest = "sha256:a" };
	_applied_ struct applied a = { 0 };

	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
	}
	run_rules(100);
	set_state(id, 1, GENERATION_GOOD);
	w.image_digest = "sha256:b";
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW + 500, &id));
	}
	run_rules(500);
	run_rules(599);
	assert_int_equal(count_generations(id), 1);
	run_rules(600);
	assert_applied(id, 2, 1, MODE_ENFORCE);
	a = file_of("podman/web");
	assert_true(generation_has_image(&a.now, "sha256:b"));
}

/* Nothing is in the store that no start can find. */
static void a_file_that_cant_be_written_takes_it_back(void **state)
{
	int64_t id = learn(SET(READ));
	const struct auto_rules rules = { &rule, 1 };
	const struct auto_options o = {
		.store = st, .ways = &ways, .rules = &rules, .wait = &wait, .say = on_said
	};
	_free_ char *path = text_format("%s/applied", state_dir);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fclose(f);
	assert_true(auto_apply(&o, NOW + 100) < 0);
	assert_int_equal(count_generations(id), 0);
	assert_int_equal(applied_to(id).mode, MODE_OBSERVE);
	assert_int_equal(remove(path), 0);
	run_rules(100);
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

/* What is missing asks, so a start that nobody saw doesn't stand against it. */
static void probation_begins_partial(void **state)
{
	int64_t id = learn_as("podman/web", "podman", SET(READ), 0);
	int64_t unit = learn_as("systemd/web.service", "systemd", SET(READ), 1);
	_applied_ struct applied a = { 0 };

	rule.mode = MODE_PROBATION;
	rule.pattern = (char *)"*";
	rule.starts = 0;
	run_rules(100);
	assert_applied(id, 1, 0, MODE_PROBATION);
	assert_non_null(strstr(said, "in probation by [auto *], what is new asks"));
	a = file_of("podman/web");
	assert_int_equal(a.rule, PROBATION_ASK);
	assert_true(a.probe_new_image);
	assert_int_equal(count_generations(unit), 0);
	rule.pattern = (char *)"podman/*";
}

/* Observe, shadow, probation, enforce, and never back. */
static void probation_is_between_shadow_and_force(void **state)
{
	int64_t id = learn(SET(READ));

	rule.mode = MODE_SHADOW;
	run_rules(100);
	assert_applied(id, 1, 0, MODE_SHADOW);
	rule.mode = MODE_PROBATION;
	run_rules(200);
	assert_applied(id, 1, 0, MODE_PROBATION);
	rule.mode = MODE_SHADOW;
	learn_more("boot/more", id, SET(WRITE), NOW + 200);
	run_rules(300);
	assert_applied(id, 1, 0, MODE_PROBATION);
	rule.mode = MODE_ENFORCE;
	run_rules(400);
	assert_applied(id, 2, 0, MODE_ENFORCE);
	rule.mode = MODE_PROBATION;
	learn_more("boot/evenmore", id, SET(FUTEX), NOW + 400);
	run_rules(500);
	assert_applied(id, 2, 0, MODE_ENFORCE);
}

static void probation_becomes_force_by_the_rule_alone(void **state)
{
	int64_t id = learn(SET(READ));

	rule.mode = MODE_PROBATION;
	run_rules(100);
	rule.mode = MODE_ENFORCE;
	run_rules(200);
	assert_applied(id, 1, 0, MODE_ENFORCE);
	assert_int_equal(count_generations(id), 1);
}

#define AUTO_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUTO_TEST(a_rule_waits_for_coverage),
		AUTO_TEST(what_is_due_is_applied_once),
		AUTO_TEST(quiet_begins_with_the_last_new_call),
		AUTO_TEST(others_are_left_alone),
		AUTO_TEST(a_rule_may_opt_out),
		AUTO_TEST(shadow_becomes_force_by_the_rule_alone),
		AUTO_TEST(more_makes_another_and_keeps_the_good_one),
		AUTO_TEST(what_failed_is_not_made_again),
		AUTO_TEST(a_persons_is_a_persons),
		AUTO_TEST(release_stays),
		AUTO_TEST(a_trial_comes_to_its_end_first),
		AUTO_TEST(a_new_image_is_observed_first),
		AUTO_TEST(probation_begins_partial),
		AUTO_TEST(probation_is_between_shadow_and_force),
		AUTO_TEST(probation_becomes_force_by_the_rule_alone),
		AUTO_TEST(a_file_that_cant_be_written_takes_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
