/* SPDX-License-Identifier: Apache-2.0 */
/* From trials to generations: a real store, real files of trials and of what is applied. */
#include "learn/settle.h"

#include <signal.h>
#include <time.h>

#include "applying_fixture.h"
#include "policy/denials.h"

static struct ways ways;
static struct settle_options options;
static char said[2048], mount[96], kubelet_dir[96];

static void on_said(void *arg, bool bad, const char *key, const char *line)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof(said) - at, "%s %s: %s;", bad ? "bad" : "fine", key, line);
}

static int setup(void **state)
{
	int r = open_store(state);

	snprintf(mount, sizeof(mount), "%s/mount", state_dir);
	snprintf(kubelet_dir, sizeof(kubelet_dir), "%s/kubelet", state_dir);
	ways = (struct ways){ .state = state_dir,
			      .kubelet_dir = kubelet_dir,
			      .unit_dir = state_dir,
			      .trial_s = 60,
			      .no_reload = true };
	options = (struct settle_options){
		.store = st, .ways = &ways, .mount = mount, .say = on_said
	};
	said[0] = '\0';
	return r < 0 || mkdir(mount, 0755) < 0 || mkdir(kubelet_dir, 0755) < 0 ? -1 : 0;
}

/* A workload whose generations, one for each call, are on trial, the newest one applied. */
static int64_t applied(const char *key, const char *engine, const int *nr, uint32_t good)
{
	int64_t id = learn_as(key, engine, SET(READ), 1);
	struct store_applied a = { .mode = MODE_ENFORCE, .good = good, .since = NOW };
	struct store_row row;
	_free_ char *why = NULL;

	IN_TRANSACTION
	{
		for (; *nr >= 0; nr++)
			a.generation = add_generation(id, (unsigned)*nr);
		if (good)
			assert_stored(store_generation_state(st, id, good, GENERATION_GOOD, NULL));
		assert_stored(store_applied_set(st, id, &a));
	}
	row = row_of(key);
	assert_int_equal(ways_put(&ways, st, &row, &why), 0);
	store_row_done(&row);
	return id;
}

#define APPLIED(key, engine, good, ...) applied(key, engine, (const int[]){ __VA_ARGS__, -1 }, good)

static void started(const char *key, uint32_t generation, const char *id)
{
	assert_int_equal(trial_add_start(state_dir, key, generation, id, "/gone"), 0);
}

static int64_t boottime_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ended_at(const char *key, const char *id, enum trial_end end, int code, int64_t at_ms)
{
	const struct observed_exit e = { .key = key,
					 .container = id,
					 .entrypoint = true,
					 .end = end,
					 .code = code,
					 .at_ms = at_ms };

	assert_int_equal(settle_exit(&options, &e), 0);
}

static void ended(const char *key, const char *id, enum trial_end end, int code)
{
	ended_at(key, id, end, code, boottime_ms());
}

static void settle(void)
{
	said[0] = '\0';
	assert_stored(settle_trials(&options, NOW));
}

static size_t open_trials(void)
{
	char **key = NULL;
	size_t cnt = 0;

	assert_int_equal(trial_list(state_dir, &key, &cnt), 0);
	free_texts(key, cnt);
	return cnt;
}

static void one_that_ends_well_is_good(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 0, READ);
	_applied_ struct applied a = { 0 };

	settle();
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	started("podman/web", 1, "c1");
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	assert_string_equal(said, "");
	ended("podman/web", "c1", TRIAL_EXITED, 0);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_GOOD);
	assert_non_null(strstr(said, "fine podman/web: generation 1 is good: "));
	a = file_of("podman/web");
	assert_int_equal(a.now.state, GENERATION_GOOD);
	settle();
	assert_string_equal(said, "");
	assert_int_equal(open_trials(), 0);
}

/* Whose death was noted, under that generation: that was it. */
static void the_call_is_named(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 1, READ, WRITE);
	struct store_denial d = { .workload = id,
				  .kind = DENIAL_SIGSYS,
				  .abi = TAMIS_ABI_I386,
				  .nr = 20,
				  .generation = 1,
				  .count = 1,
				  .last = NOW + 9 };
	_generation_ struct generation g = { 0 };

	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &d, NULL));
		d.generation = 2;
		d.abi = MACHINE;
		d.nr = TAMIS_CALLS;
		assert_stored(store_denial_add(st, &d, NULL));
		d.nr = MQ_OPEN;
		d.last = NOW;
		assert_stored(store_denial_add(st, &d, NULL));
	}
	started("podman/web", 2, "c1");
	ended("podman/web", "c1", TRIAL_KILLED, SIGSYS);
	settle();
	assert_stored(store_generation_get(st, id, 2, &g));
	assert_non_null(strstr(g.failed, "SIGSYS"));
	assert_non_null(strstr(g.failed, " (" MACHINE_NAME " mq_open)"));
}

static void one_that_ends_badly_gives_way(void **state)
{
	static const struct {
		enum trial_end end;
		int code;
		const char *why;
	} rows[] = {
		{ TRIAL_KILLED, SIGSYS, "(refused call not known)" },
		{ TRIAL_EXITED, 3, "3" },
		{ TRIAL_KILLED, SIGSEGV, "11" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *key = text_format("podman/w%zu", i);
		int64_t id = APPLIED(key, "podman", 1, READ, WRITE);
		_applied_ struct applied a = { 0 };
		_generation_ struct generation g = { 0 };

		started(key, 2, "c1");
		ended(key, "c1", rows[i].end, rows[i].code);
		settle();
		assert_stored(store_generation_get(st, id, 2, &g));
		assert_int_equal(g.state, GENERATION_FAILED);
		if (!strstr(g.failed, rows[i].why))
			fail_msg("%s", g.failed);
		assert_non_null(strstr(said, "bad podman/w"));
		assert_non_null(strstr(said, "generation 1 is in force at the next start"));
		a = file_of(key);
		assert_int_equal(a.now.state, GENERATION_FAILED);
		assert_true(a.has_good);
		assert_int_equal(a.good.number, 1);
		settle();
		assert_string_equal(said, "");
	}
	assert_int_equal(open_trials(), 0);
}

/* A drain tells of an end after the container has started again. */
static void an_end_told_late_is_the_start_befores(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 0, READ), before = boottime_ms() - 1;

	started("podman/web", 1, "c1");
	ended_at("podman/web", "c1", TRIAL_EXITED, 1, before);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	ended("podman/web", "c1", TRIAL_KILLED, SIGSYS);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
}

static void without_a_good_one_it_is_the_engines(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 0, READ);
	_applied_ struct applied a = { 0 };

	started("podman/web", 1, "c1");
	ended("podman/web", "c1", TRIAL_EXITED, 1);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
	assert_non_null(strstr(said, "under the engine's own profile"));
	a = file_of("podman/web");
	assert_int_equal(a.now.state, GENERATION_FAILED);
	assert_false(a.has_good);
}

/* What failed under a name that was merged into it counts, whatever went well under another. */
static void of_two_names_the_failure_counts(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 0, READ), other;

	other = learn_as("podman/web-2", "podman", SET(READ), 1);
	IN_TRANSACTION
	{
		assert_stored(store_merge(st, id, &other, 1));
	}
	started("podman/web", 1, "c1");
	started("podman/web-2", 1, "c2");
	ended("podman/web", "c1", TRIAL_EXITED, 0);
	ended("podman/web-2", "c2", TRIAL_EXITED, 9);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
	settle();
	assert_int_equal(open_trials(), 0);
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
}

static void trials_of_nobody_go(void **state)
{
	int64_t id = APPLIED("podman/web", "podman", 0, READ);

	started("podman/forgotten", 1, "c1");
	started("podman/web", 1, "c1");
	IN_TRANSACTION
	{
		assert_stored(
			store_applied_set(st, id, &(struct store_applied){ .mode = MODE_OBSERVE }));
	}
	settle();
	assert_int_equal(open_trials(), 0);
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
}

/* One that can't be settled holds up no other, and is settled later. */
static void a_verdict_waits_for_room(void **state)
{
	int64_t bad = APPLIED("podman/a", "podman", 0, READ);
	int64_t fine = APPLIED("podman/b/c", "podman", 0, READ);
	_free_ char *dir = text_format("%s/applied/podman/a.json", state_dir);

	started("podman/a", 1, "c1");
	started("podman/b/c", 1, "c2");
	ended("podman/a", "c1", TRIAL_EXITED, 0);
	ended("podman/b/c", "c2", TRIAL_EXITED, 0);
	assert_int_equal(remove(dir), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_true(settle_trials(&options, NOW) < 0);
	assert_int_equal(state_of(bad, 1), GENERATION_TRIAL);
	assert_int_equal(state_of(fine, 1), GENERATION_GOOD);
	assert_non_null(strstr(said, "bad podman/a: generation 1: its verdict waits"));
	assert_int_equal(rmdir(dir), 0);
	settle();
	assert_int_equal(state_of(bad, 1), GENERATION_GOOD);
}

static void files_are_healed(void **state)
{
	_free_ char *path = text_format("%s/applied/podman/web.json", state_dir);
	_applied_ struct applied a = { 0 }, b = { 0 };
	FILE *f;

	APPLIED("podman/web", "podman", 0, READ);
	APPLIED("podman/db", "podman", 0, WRITE);
	assert_int_equal(remove(path), 0);
	f = fopen(path, "w");
	assert_true(f && fputs("{", f) >= 0);
	fclose(f);
	assert_int_equal(settle_files(&options), 0);
	a = file_of("podman/web");
	b = file_of("podman/db");
	assert_int_equal(a.now.number, 1);
	assert_int_equal(b.now.number, 1);
	assert_string_equal(said, "");
}

static void what_cant_be_healed_is_said(void **state)
{
	_free_ char *path = text_format("%s/applied/podman/web.json", state_dir);

	APPLIED("podman/web", "podman", 0, READ);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_true(settle_files(&options) < 0);
	assert_non_null(strstr(said, "bad podman/web: what is applied to it isn't in force"));
}

static size_t starts_of(const char *key, uint32_t generation)
{
	struct trial t = { 0 };
	size_t cnt;

	assert_int_equal(trial_read(state_dir, key, generation, mount, &t), 0);
	cnt = t.cnt;
	trial_done(&t);
	return cnt;
}

/* Nobody but the daemon sees what the kubelet starts. */
static void pods_starts_are_noted(void **state)
{
	static const struct {
		const char *key, *container;
		size_t starts;
	} rows[] = {
		{ "kubernetes/shop/web/app", "c1", 1 },
		{ "kubernetes/shop/web/app", "c1", 1 }, /* noted already */
		{ "kubernetes/shop/web/app", "c2", 2 },
		{ "kubernetes/shop/web/app", NULL, 2 },
		{ "kubernetes/shop/web/none", "c3", 0 },
		{ "podman/web", "c4", 0 }, /* its hook does that */
	};

	APPLIED("kubernetes/shop/web/app", "kubernetes", 0, READ);
	APPLIED("podman/web", "podman", 0, READ);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct observed_start s = { rows[i].key, rows[i].container, "/gone" };

		assert_int_equal(settle_start(&options, &s), 0);
		if (starts_of(rows[i].key, 1) != rows[i].starts)
			fail_msg("row %zu", i);
	}
	ended("kubernetes/shop/web/app", "c2", TRIAL_KILLED, SIGSYS);
	settle();
	assert_non_null(strstr(said, "bad kubernetes/shop/web/app: generation 1 failed"));
	ways.kubelet_dir = NULL;
	APPLIED("kubernetes/shop/web/db", "kubernetes", 0, READ);
	assert_int_equal(settle_start(&options, &(struct observed_start){ "kubernetes/shop/web/db",
									  "c9", "/gone" }),
			 0);
	assert_int_equal(starts_of("kubernetes/shop/web/db", 1), 0);
}

/* Each command of a unit is an entrypoint to the kernel half; a refused call isn't. */
static void units_ends_are_systemds_to_tell(void **state)
{
	struct observed_exit e = {
		.key = "systemd/x.service", .entrypoint = true, .end = TRIAL_EXITED, .code = 1
	};
	int64_t id = APPLIED("systemd/x.service", "systemd", 0, READ);

	started(e.key, 1, "i1");
	e.container = "i1";
	e.at_ms = boottime_ms();
	assert_int_equal(settle_exit(&options, &e), 0);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	e.entrypoint = false;
	e.end = TRIAL_KILLED;
	e.code = SIGSYS;
	assert_int_equal(settle_exit(&options, &e), 0);
	settle();
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
}

static void ends_without_a_trial_are_nobodys(void **state)
{
	ended("podman/nobody", "c1", TRIAL_EXITED, 1);
	ended("podman/nobody", NULL, TRIAL_KILLED, SIGSYS);
	assert_int_equal(open_trials(), 0);
}

#define SETTLE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SETTLE_TEST(one_that_ends_well_is_good),
		SETTLE_TEST(one_that_ends_badly_gives_way),
		SETTLE_TEST(the_call_is_named),
		SETTLE_TEST(an_end_told_late_is_the_start_befores),
		SETTLE_TEST(without_a_good_one_it_is_the_engines),
		SETTLE_TEST(of_two_names_the_failure_counts),
		SETTLE_TEST(trials_of_nobody_go),
		SETTLE_TEST(a_verdict_waits_for_room),
		SETTLE_TEST(files_are_healed),
		SETTLE_TEST(what_cant_be_healed_is_said),
		SETTLE_TEST(pods_starts_are_noted),
		SETTLE_TEST(units_ends_are_systemds_to_tell),
		SETTLE_TEST(ends_without_a_trial_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
