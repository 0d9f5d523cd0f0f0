/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon says of how complete a workload is: of a real store. */
#include <errno.h>

#include "learn/coverage.h"
#include "store_fixture.h"

#define HOUR	  3600
#define EPOCHS	  4 /* of an hour */
#define HOURS	  30
#define FIRST	  (NOW / HOUR * HOUR)
#define CORE	  40
#define UNLIMITED 100000

/* xorshift32 (Marsaglia 2003). */
static unsigned below(unsigned end)
{
	static unsigned x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % end;
}

/* Always the same forty, and some of others, the rarer the higher their number. */
static struct sysset hours_calls(void)
{
	struct sysset s = { 0 };

	for (unsigned nr = 0; nr < CORE; nr++)
		sysset_add(&s, nr);
	for (unsigned i = 1; i <= 60; i++) {
		if (below(2 * i) == 0)
			sysset_add(&s, CORE + i);
	}
	return s;
}

/* `replicas` instances live for so many hours and make in each epoch of one what that hour is about. */
static int64_t fill(const char *key, unsigned hours, unsigned replicas)
{
	int64_t w = add_workload(key, NULL), instance[8];
	char name[64];

	for (unsigned i = 0; i < replicas; i++) {
		snprintf(name, sizeof(name), "%s-%u", key, i);
		instance[i] = add_instance(name, w, FIRST);
	}
	for (unsigned h = 0; h < hours; h++) {
		struct sysset calls = hours_calls();

		for (unsigned e = 0; e < EPOCHS; e++) {
			int64_t now = FIRST + h * HOUR + e * (HOUR / EPOCHS);
			int64_t unit = add_unit(now);

			for (unsigned i = 0; i < replicas; i++)
				add_calls(instance[i], unit, TAMIS_WORKLOAD, calls, now);
		}
	}
	return w;
}

static void an_hour_is_one_sample(void **state)
{
	_matrix_ struct matrix epochs = { 0 };
	_incidence_ struct incidence in = { 0 };
	struct unseen hours, minutes;
	struct unseen_next next;
	int64_t w = 0;

	IN_TRANSACTION
	w = fill("podman/web", HOURS, 1);
	assert_stored(coverage_estimate(st, w, &hours, &next));
	assert_true(hours.is_known && next.is_known);
	assert_int_equal(hours.units, HOURS);
	assert_true(hours.once > 0);

	/* Every call of an hour was made in each of its epochs: nothing seems to be new any more. */
	assert_stored(store_matrix(st, w, 0, &epochs));
	assert_int_equal(incidence_of(&epochs, &in), 0);
	unseen_estimate(&in, &minutes);
	assert_int_equal(minutes.units, HOURS * EPOCHS);
	assert_int_equal(minutes.once, 0);
	assert_int_equal(minutes.seen, hours.seen);
	assert_true(minutes.coverage_low > hours.coverage);
	assert_true(next.expected > 0 && next.high >= 1);
}

/* Nine tenths of each hour slept: ten of them are one sample, and less is known of it. */
static void an_hour_is_one_that_was_watched(void **state)
{
	struct unseen all, watched;
	struct unseen_next next;
	int64_t w = 0;

	IN_TRANSACTION
	w = fill("podman/web", 200, 1);
	assert_stored(coverage_estimate(st, w, &all, &next));
	assert_int_equal(all.units, 200);
	IN_TRANSACTION
	for (unsigned h = 0; h < 200; h++) {
		const struct nap nap = { FIRST + h * HOUR, FIRST + (h + 1) * HOUR - 1,
					 (HOUR - 1) * 900 };

		assert_stored(store_nap_add(st, &nap));
	}
	assert_stored(coverage_estimate(st, w, &watched, &next));
	assert_in_range(watched.units, 20, 21);
	assert_int_equal(watched.seen, all.seen);
	assert_true(watched.coverage_low < all.coverage_low);
	assert_true(watched.coverage_high - watched.coverage_low >
		    all.coverage_high - all.coverage_low);
}

static void replicas_of_an_hour_are_one_sample(void **state)
{
	struct store_coverage c;
	int64_t w = 0;

	IN_TRANSACTION
	w = fill("podman/web", 7, 5);
	assert_stored(coverage_of(st, w, &c));
	assert_int_equal(c.units, 7);
	assert_true(c.is_known);
	assert_true(c.low <= c.coverage && c.coverage <= c.high && c.high < 1);
	assert_true(c.next_hour >= 0);
}

static void too_few_hours_are_said(void **state)
{
	struct store_coverage c;
	int64_t w = 0, none = 0;

	IN_TRANSACTION
	{
		w = fill("podman/web", 4, 1);
		none = add_workload("podman/idle", NULL);
	}
	assert_stored(coverage_of(st, w, &c));
	assert_false(c.is_known);
	assert_int_equal(c.units, 4);
	assert_true(c.next_hour < 0);
	assert_stored(coverage_of(st, none, &c));
	assert_false(c.is_known);
	assert_int_equal(c.units, 0);
}

/* The calls of a start, made in one hour of all: one sample, not thirty. */
static void one_start_keeps_it_wide(void **state)
{
	struct unseen once, often;
	struct unseen_next next;
	int64_t w = 0, instance = 0;
	struct sysset start = { 0 };

	for (unsigned nr = 200; nr < 230; nr++)
		sysset_add(&start, nr);
	IN_TRANSACTION
	{
		w = fill("podman/web", HOURS, 1);
		instance = add_instance("i", w, FIRST);
		add_calls(instance, 1, TAMIS_WORKLOAD, start, FIRST);
	}
	assert_stored(coverage_estimate(st, w, &once, &next));
	IN_TRANSACTION
	{
		for (unsigned h = 1; h < HOURS; h += 2)
			add_calls(instance, h * EPOCHS + 1, TAMIS_WORKLOAD, start, FIRST);
	}
	assert_stored(coverage_estimate(st, w, &often, &next));
	assert_true(once.once >= often.once + 30);
	assert_true(often.coverage_low - once.coverage_low > .05);
}

static struct store_coverage stored(int64_t w)
{
	struct store_coverage c = { 0 };

	assert_stored(store_coverage_get(st, w, &c));
	return c;
}

static void all_that_changed_are_updated(void **state)
{
	_cleanup_(coverage_free) struct coverage *c = NULL;
	int64_t now = FIRST + 10 * HOUR, a = 0, b = 0, none = 0;
	struct store_coverage was;

	assert_int_equal(coverage_new(&c), 0);
	IN_TRANSACTION
	{
		a = fill("podman/a", 6, 1);
		b = fill("podman/b", 6, 1);
		none = add_workload("podman/none", NULL);
	}
	assert_stored(coverage_update(c, st, now, UNLIMITED));
	assert_int_equal(stored(a).at, now);
	assert_int_equal(stored(b).at, now);
	assert_true(stored(a).is_known);
	assert_int_equal(store_coverage_get(st, none, &was), -ENOENT);

	/* A new call of one of them: it alone, when it is time to look. */
	IN_TRANSACTION
	add_calls(add_instance("podman/b-0", b, now), add_unit(now), TAMIS_WORKLOAD, SET(300), now);
	assert_stored(coverage_update(c, st, now + 60, UNLIMITED));
	assert_int_equal(stored(b).at, now);
	assert_stored(coverage_update(c, st, now + 660, UNLIMITED));
	assert_int_equal(stored(a).at, now);
	assert_int_equal(stored(b).at, now + 660);
	assert_int_equal(stored(b).units, 7);

	/* A clock that was set back doesn't stop it. */
	IN_TRANSACTION
	add_calls(add_instance("podman/a-0", a, now), add_unit(now), TAMIS_WORKLOAD, SET(301), now);
	assert_stored(coverage_update(c, st, now - HOUR, UNLIMITED));
	assert_int_equal(stored(a).at, now - HOUR);
}

static void a_budget_ends_a_turn(void **state)
{
	_cleanup_(coverage_free) struct coverage *c = NULL;
	int64_t id[40];
	unsigned done = 0, turns = 0;

	assert_int_equal(coverage_new(&c), 0);
	IN_TRANSACTION
	{
		for (unsigned i = 0; i < ARRAY_SIZE(id); i++) {
			char key[32];

			snprintf(key, sizeof(key), "podman/%u", i);
			id[i] = fill(key, 5, 1);
		}
	}
	for (; done < ARRAY_SIZE(id) && turns < 2 * ARRAY_SIZE(id); turns++) {
		assert_stored(coverage_update(c, st, FIRST + turns, 0));
		done = (unsigned)ask_db("SELECT count(*) FROM coverage");
	}
	assert_int_equal(done, ARRAY_SIZE(id));
	assert_int_equal(turns, ARRAY_SIZE(id));
}

/* What the daemon before computed within the hour isn't computed again. */
static void a_new_daemon_goes_on(void **state)
{
	int64_t now = FIRST + 10 * HOUR, w = 0;

	IN_TRANSACTION
	w = fill("podman/a", 6, 1);
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_(coverage_free) struct coverage *c = NULL;

		assert_int_equal(coverage_new(&c), 0);
		assert_stored(coverage_update(c, st, now + i * (HOUR / 2), UNLIMITED));
		assert_int_equal(stored(w).at, now + i / 2 * HOUR);
	}
}

/* What the tests of a mining run said stays until there are hours enough. */
static void too_few_hours_take_nothing_away(void **state)
{
	_cleanup_(coverage_free) struct coverage *c = NULL;
	const struct store_coverage mined = {
		.at = NOW, .units = 12, .is_known = true, .coverage = .97, .low = .9, .high = .99
	};
	int64_t now = FIRST + 10 * HOUR, few = 0, many = 0;

	assert_int_equal(coverage_new(&c), 0);
	IN_TRANSACTION
	{
		few = fill("podman/few", 3, 1);
		many = fill("podman/many", 6, 1);
		assert_stored(store_coverage_set(st, few, &mined));
		assert_stored(store_coverage_set(st, many, &mined));
	}
	assert_stored(coverage_update(c, st, now, UNLIMITED));
	assert_int_equal(stored(few).units, 12);
	assert_int_equal(stored(few).at, NOW);
	assert_int_equal(stored(many).units, 6);
}

static void a_store_that_cant_be_written_is_tried_again(void **state)
{
	_cleanup_(coverage_free) struct coverage *c = NULL;
	int64_t now = FIRST + 10 * HOUR, w = 0;

	assert_int_equal(coverage_new(&c), 0);
	IN_TRANSACTION
	w = fill("podman/a", 6, 1);
	spoil_db("CREATE TRIGGER full BEFORE INSERT ON coverage BEGIN SELECT raise(ABORT, 'no'); "
		 "END");
	assert_true(coverage_update(c, st, now, UNLIMITED) < 0);
	spoil_db("DROP TRIGGER full");
	assert_stored(coverage_update(c, st, now + 660, UNLIMITED));
	assert_int_equal(stored(w).at, now + 660);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_hour_is_one_sample, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(an_hour_is_one_that_was_watched, open_store,
						drop_dir),
		cmocka_unit_test_setup_teardown(replicas_of_an_hour_are_one_sample, open_store,
						drop_dir),
		cmocka_unit_test_setup_teardown(too_few_hours_are_said, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(one_start_keeps_it_wide, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(all_that_changed_are_updated, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(a_budget_ends_a_turn, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(a_new_daemon_goes_on, open_store, drop_dir),
		cmocka_unit_test_setup_teardown(too_few_hours_take_nothing_away, open_store,
						drop_dir),
		cmocka_unit_test_setup_teardown(a_store_that_cant_be_written_is_tried_again,
						open_store, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
