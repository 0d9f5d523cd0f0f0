/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's machine against a real store, with an engine that does what a test says. A daemon that is
 * killed is one whose machine is never asked again. */
#include <errno.h>

#include "generation_fixture.h"
#include "learn/oracle.h"

#define NOW_MS	 (INT64_C(1000) * NOW)
#define KEY	 "podman/web"
#define TWIN	 "podman/tamis-oracle-web"
#define ALWAYS	 (-1)
#define UNDERWAY 1

/* x86_64, none of them in a gate, a sanitizer's list or guarded but where it is said */
enum { GETEUID = 107, GETEGID = 108, AFFINITY = 204, PTRACE = 101, GETSID = 124 };

/* --- the engine -------------------------------------------------------------------------------- */

static struct fake {
	int fails[ORACLE_DO_UNTWIN + 1]; /* so often */
	bool hangs[ORACLE_DO_UNTWIN + 1];
	bool production, twin; /* they run */
	bool lives;	       /* the twin, until it is stopped */
	struct oracle_twin end;
	const char *log;
	struct sysset makes; /* what the twin calls */
	unsigned done[ORACLE_DO_UNTWIN + 1];
} fake;

static int64_t now_ms;

static void twin_makes(void)
{
	static unsigned instances;
	const struct store_workload w = { .key = TWIN, .engine = "podman", .name = "twin" };
	struct store_instance i = { .path = "/t" };
	char name[32];
	int64_t id = 0;

	snprintf(name, sizeof(name), "twin/%u", instances++);
	i.instance = name;
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &i.workload));
		assert_stored(store_instance(st, &i, NOW, &id));
		add_calls(id, add_unit(NOW), TAMIS_WORKLOAD, fake.makes, NOW);
	}
}

static void do_it(enum oracle_action a)
{
	fake.done[a]++;
	if (a == ORACLE_DO_STOP)
		fake.production = false;
	if (a == ORACLE_DO_START) {
		assert_false(fake.twin && fake.lives && fake.done[ORACLE_DO_UNTWIN] == 0 &&
			     fake.done[ORACLE_DO_STOP] == 0);
		fake.production = true;
		fake.twin = false;
	}
	if (a == ORACLE_DO_TWIN) {
		assert_false(fake.production);
		fake.twin = true;
		twin_makes();
	}
	if (a == ORACLE_DO_UNTWIN)
		fake.twin = false;
}

static int fake_go(struct oracle_run *run)
{
	enum oracle_action a = run->action;

	if (a == ORACLE_DO_WAIT_TWIN)
		return fake.lives ? UNDERWAY : 0;
	if (fake.hangs[a])
		return UNDERWAY;
	if (fake.fails[a] == ALWAYS || fake.fails[a]-- > 0)
		return -EIO;
	fake.fails[a] = 0;
	do_it(a);
	return 0;
}

static int fake_twin(const struct store_oracle *o, const char *dir, struct oracle_twin *ret)
{
	*ret = fake.end;
	if (fake.log) {
		ret->log = strdup(fake.log);
		ret->log_len = strlen(fake.log);
	}
	return 0;
}

static char *fake_key(const struct store_oracle *o)
{
	return strdup(TWIN);
}

/* In the place of learn/oracle_engine.c. */
const struct oracle_engine *oracle_engine_of(const char *production, const char **ret_name)
{
	static const struct oracle_engine engine = { "container:", fake_go, fake_twin, fake_key };

	if (ret_name)
		*ret_name = production + strlen("container:");
	return strncmp(production, "container:", 10) == 0 ? &engine : NULL;
}

/* --- one oracle -------------------------------------------------------------------------------- */

static struct oracles *all;
static struct ways ways;
static int64_t workload;
static unsigned alerts;

static void on_said(void *arg, bool bad, const char *key, const char *line)
{
	alerts += bad;
}

static void daemon_begins(void)
{
	const struct oracle_options o = { .store = st, .ways = &ways, .say = on_said };

	assert_stored(oracles_new(&o, &all));
}

static void daemon_dies(void)
{
	oracles_free(all);
	all = NULL;
}

static struct store_oracle row(void)
{
	struct store_oracle o = { 0 };

	assert_stored(store_oracle_get(st, workload, &o));
	return o;
}

static enum oracle_state state_now(void)
{
	_oracle_ struct store_oracle o = row();

	return o.state;
}

static void begin_oracle(bool bootstrap)
{
	const struct oracle_wanted w = {
		.production = "container:web",
		.hardened = "web-asan",
		.is_image = true,
		.bootstrap = bootstrap,
		.window_s = 2,
		.per_hour = 10,
	};
	struct store_row r = { 0 };
	struct store_applied is = { 0 };
	char *why = NULL;

	IN_TRANSACTION
	{
		assert_stored(store_find(st, KEY, &r, NULL));
		assert_stored(oracle_begin(st, &r, &w, now_ms, &is));
		assert_stored(store_applied_set(st, workload, &is));
		assert_int_equal(ways_put(&ways, st, &r, &why), 0);
	}
	ways_settled(&ways, st, &r);
	store_row_done(&r);
}

static int setup(void **state)
{
	if (open_store(state) < 0)
		return -1;
	fake = (struct fake){ .production = true, .lives = true, .end = { .was_up = true } };
	fake.makes = SET(GETEUID);
	ways = (struct ways){ .state = state_dir, .no_reload = true };
	now_ms = NOW_MS;
	alerts = 0;
	IN_TRANSACTION
	{
		workload = add_workload(KEY, "web");
		add_calls(add_instance("prod", workload, NOW), add_unit(NOW), TAMIS_WORKLOAD,
			  SET(GETEGID), NOW);
	}
	return 0;
}

static int teardown(void **state)
{
	daemon_dies();
	return drop_dir(state);
}

/* So many looks, a second apart. */
static void look(unsigned seconds)
{
	for (; seconds; seconds--) {
		now_ms += 1000;
		assert_stored(oracles_look(all, now_ms));
	}
}

static void refuse(unsigned nr)
{
	struct store_denial d = {
		.workload = workload,
		.kind = DENIAL_ERRNO,
		.abi = TAMIS_ABI_X86_64,
		.nr = nr,
		.count = 1,
		.first = now_ms / 1000,
		.last = now_ms / 1000,
	};

	d.generation = applied_to(workload).generation;
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &d, NULL));
	}
	if (all)
		assert_stored(oracles_denied(all, KEY, &d));
}

static bool is_in_force(unsigned nr)
{
	_generation_ struct generation g = { 0 };

	assert_stored(store_generation_get(st, workload, applied_to(workload).generation, &g));
	return sysset_has(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], nr);
}

/* 0: none, 1: learned, 2: rejected */
static int verdict_on(unsigned nr)
{
	struct store_oracle_call *c = NULL;
	size_t cnt = 0;
	int said = 0;

	assert_stored(store_oracle_calls(st, workload, &c, &cnt));
	for (size_t i = 0; i < cnt; i++) {
		if (c[i].nr == nr)
			said = c[i].rejected ? 2 : 1;
		free(c[i].report);
	}
	free(c);
	return said;
}

static void assert_rejected_and_denied(unsigned nr)
{
	struct verdicts v;

	assert_int_equal(verdict_on(nr), 2);
	assert_stored(store_verdicts(st, workload, &v));
	assert_true(sysset_has(&v.denied[TAMIS_ABI_X86_64], nr));
	assert_false(is_in_force(nr));
}

static void from_nothing(void)
{
	begin_oracle(false);
	daemon_begins();
	look(2);
	assert_int_equal(state_now(), ORACLE_WATCH);
	assert_int_equal(fake.done[ORACLE_DO_START], 1);
}

/* --- tests ------------------------------------------------------------------------------------- */

static void a_call_is_learned(void **state)
{
	int64_t twin;

	from_nothing();
	(void)store_changed(st);
	assert_false(is_in_force(GETEGID)); /* it was observed, which doesn't count */
	refuse(GETEUID);
	look(1);
	assert_false(fake.production);
	look(8);
	assert_int_equal(state_now(), ORACLE_WATCH);
	assert_true(fake.production && !fake.twin);
	assert_true(is_in_force(GETEUID));
	assert_int_equal(verdict_on(GETEUID), 1);
	assert_int_equal(alerts, 0);
	/* the twin is nobody's workload, and who keeps ids of rows is told */
	assert_int_equal(store_workload_id(st, TWIN, &twin), -ENOENT);
	assert_true(store_changed(st));
	/* ... and doesn't begin another one */
	look(5);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 1);
}

static void a_bootstrap_begins_with_what_was_observed(void **state)
{
	_oracle_ struct store_oracle o = { 0 };

	begin_oracle(true);
	assert_true(is_in_force(GETEGID));
	o = row();
	assert_int_equal(o.saved, 1);
}

static void what_production_does_meanwhile_is_not_learned(void **state)
{
	from_nothing();
	IN_TRANSACTION
	{
		add_calls(add_instance("prod2", workload, NOW), add_unit(NOW), TAMIS_WORKLOAD,
			  SET(GETSID), NOW);
	}
	refuse(GETEUID);
	look(9);
	assert_true(is_in_force(GETEUID));
	assert_false(is_in_force(GETSID));
}

static void a_guarded_call_stops_nothing(void **state)
{
	from_nothing();
	refuse(PTRACE);
	look(3);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 0);
	assert_rejected_and_denied(PTRACE);
	assert_int_equal(alerts, 1);
	look(3);
	assert_int_equal(alerts, 1);
	/* a twin that makes it too changes nothing */
	sysset_add(&fake.makes, PTRACE);
	refuse(GETEUID);
	look(9);
	assert_true(is_in_force(GETEUID));
	assert_rejected_and_denied(PTRACE);
}

static void a_report_rejects_what_was_asked(void **state)
{
	from_nothing();
	fake.log = "==1==ERROR: AddressSanitizer: heap-buffer-overflow\n";
	refuse(GETSID);
	look(9);
	assert_rejected_and_denied(GETSID);
	assert_false(is_in_force(GETEUID)); /* what it made isn't believed */
	assert_int_equal(verdict_on(GETEUID), 0);
	assert_true(alerts > 0);
	assert_int_equal(state_now(), ORACLE_WATCH);
	assert_true(fake.production);
	/* it begins no loop any more, and no later twin can bring it in */
	fake.log = NULL;
	sysset_add(&fake.makes, GETSID);
	refuse(GETSID);
	look(5);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 1);
	refuse(GETEUID);
	look(9);
	assert_true(is_in_force(GETEUID));
	assert_rejected_and_denied(GETSID);
}

static void a_persons_word_lets_it_in_with_the_next_generation(void **state)
{
	from_nothing();
	refuse(PTRACE);
	look(2);
	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, workload, TAMIS_ABI_X86_64, PTRACE,
						VERDICT_ALLOW, NOW));
	}
	refuse(PTRACE);
	look(9);
	assert_true(is_in_force(PTRACE));
	assert_true(fake.production);
}

static void a_sanitizers_own_counts_only_when_it_was_asked(void **state)
{
	from_nothing();
	fake.makes = SET(GETEUID, AFFINITY);
	refuse(GETEUID);
	look(9);
	assert_true(is_in_force(GETEUID));
	assert_false(is_in_force(AFFINITY));
	refuse(AFFINITY);
	look(9);
	assert_true(is_in_force(AFFINITY));
}

static void what_is_refused_during_the_swap_is_asked_too(void **state)
{
	from_nothing();
	fake.makes = SET(GETEUID, AFFINITY);
	refuse(GETEUID);
	look(1);
	refuse(AFFINITY);
	look(9);
	assert_true(is_in_force(AFFINITY));
	assert_int_equal(fake.done[ORACLE_DO_STOP], 1);
}

static void a_twin_that_never_comes_up_backs_off(void **state)
{
	uint32_t loops[3];

	from_nothing();
	fake.lives = false;
	fake.end = (struct oracle_twin){ .ended = true, .code = 3 };
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		int64_t since = now_ms;

		refuse(GETEUID);
		while (fake.done[ORACLE_DO_STOP] <= i)
			look(1);
		loops[i] = (uint32_t)((now_ms - since) / 1000);
		look(4);
		assert_int_equal(state_now(), ORACLE_REST);
		assert_true(fake.production && !fake.twin);
	}
	assert_true(loops[0] <= 1 && loops[1] > loops[0] && loops[2] > loops[1]);
	assert_int_equal(verdict_on(GETEUID), 0);
	assert_true(alerts >= 3);
}

static void the_cap_holds(void **state)
{
	unsigned stops = 0;

	from_nothing();
	for (unsigned nr = 400; nr < 440; nr++) {
		fake.makes = SET((int)nr);
		refuse(nr);
		look(9);
		stops += fake.production;
	}
	assert_int_equal(stops, 40);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 10);
	/* in the next hour it goes on */
	now_ms += 3600 * 1000;
	refuse(450);
	look(9);
	assert_int_equal(fake.done[ORACLE_DO_STOP], 11);
}

static void whatever_fails_production_comes_back(void **state)
{
	static const enum oracle_action actions[] = { ORACLE_DO_STOP, ORACLE_DO_TWIN,
						      ORACLE_DO_UNTWIN };

	from_nothing();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(actions); i++) {
		enum oracle_action a = actions[i / 2];

		fake.fails[a] = i % 2 ? 0 : ALWAYS;
		fake.hangs[a] = i % 2;
		refuse(GETEUID);
		for (int n = 0; n < 1200 && state_now() == ORACLE_REST; n++)
			look(1);
		look(ORACLE_TRIES * (ORACLE_ACTION_S + 2) + 20);
		if (!fake.production)
			fail_msg("action %d: production is stopped", a);
		fake.fails[a] = 0;
		fake.hangs[a] = false;
	}
}

static void a_start_that_fails_is_tried_without_a_filter(void **state)
{
	from_nothing();
	refuse(GETEUID);
	look(1);
	fake.fails[ORACLE_DO_START] = ORACLE_TRIES;
	look(30);
	assert_true(fake.production);
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
	assert_true(alerts > 0);
}

/* The daemon dies as soon as each state was entered, and before each look. */
static void killed_at_every_state(void **state)
{
	from_nothing();
	refuse(PTRACE);
	look(2);
	for (int s = ORACLE_STOP; s <= ORACLE_START; s++) {
		unsigned nr = 400 + (unsigned)s;
		bool killed = false;

		fake.makes = SET((int)nr);
		refuse(nr);
		for (int n = 0; n < 60; n++) {
			if (!killed && (int)state_now() >= s && state_now() != ORACLE_REST) {
				daemon_dies();
				killed = true;
				daemon_begins();
			}
			now_ms += 300;
			assert_stored(n % 3 ? oracles_hurry(all, now_ms)
					    : oracles_look(all, now_ms));
		}
		look(15);
		if (!fake.production || fake.twin || !is_in_force(nr))
			fail_msg("state %d: production %d, twin %d, learned %d", s, fake.production,
				 fake.twin, is_in_force(nr));
	}
	for (unsigned s = ORACLE_STOP; s <= ORACLE_START; s++)
		assert_true(is_in_force(400 + s));
	assert_rejected_and_denied(PTRACE);
}

static void killed_before_it_heard_of_a_denial(void **state)
{
	from_nothing();
	daemon_dies();
	refuse(GETEUID);
	daemon_begins();
	look(9);
	assert_true(is_in_force(GETEUID));
}

static void its_end_waits_for_production(void **state)
{
	_oracle_ struct store_oracle o = { 0 }, gone = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	assert_false(fake.production);
	o = row();
	o.per_hour = 0;
	IN_TRANSACTION
	{
		assert_stored(store_oracle_set(st, &o));
	}
	look(9);
	assert_true(fake.production);
	assert_int_equal(store_oracle_get(st, workload, &gone), -ENOENT);
	assert_false(oracles_any(all));
	assert_true(is_in_force(GETEUID));
}

static void a_row_that_goes_in_the_middle(void **state)
{
	_oracle_ struct store_oracle gone = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	IN_TRANSACTION
	{
		assert_stored(store_oracle_remove(st, workload));
	}
	look(9);
	assert_true(fake.production && !fake.twin);
	assert_int_equal(store_oracle_get(st, workload, &gone), -ENOENT);
	assert_false(oracles_any(all));
}

static void a_daemon_that_stops_brings_production_back(void **state)
{
	_oracle_ struct store_oracle o = { 0 };

	from_nothing();
	refuse(GETEUID);
	look(1);
	assert_false(fake.production);
	oracles_end(all, 5);
	assert_true(fake.production && !fake.twin);
	o = row();
	assert_int_equal(o.state, ORACLE_REST);
	assert_string_equal(o.why, "the daemon was stopped");
}

static void who_released_it_has_the_last_word(void **state)
{
	const struct store_applied none = { .mode = MODE_OBSERVE };

	from_nothing();
	refuse(GETEUID);
	look(1);
	IN_TRANSACTION
	{
		assert_stored(store_applied_set(st, workload, &none));
	}
	look(9);
	assert_true(fake.production);
	assert_int_equal(applied_to(workload).mode, MODE_OBSERVE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_learned),
		TEST(a_bootstrap_begins_with_what_was_observed),
		TEST(what_production_does_meanwhile_is_not_learned),
		TEST(a_guarded_call_stops_nothing),
		TEST(a_report_rejects_what_was_asked),
		TEST(a_persons_word_lets_it_in_with_the_next_generation),
		TEST(a_sanitizers_own_counts_only_when_it_was_asked),
		TEST(what_is_refused_during_the_swap_is_asked_too),
		TEST(a_twin_that_never_comes_up_backs_off),
		TEST(the_cap_holds),
		TEST(whatever_fails_production_comes_back),
		TEST(a_start_that_fails_is_tried_without_a_filter),
		TEST(killed_at_every_state),
		TEST(killed_before_it_heard_of_a_denial),
		TEST(its_end_waits_for_production),
		TEST(a_row_that_goes_in_the_middle),
		TEST(a_daemon_that_stops_brings_production_back),
		TEST(who_released_it_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
