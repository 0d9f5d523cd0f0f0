/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that go through: what is learned, what is rejected, what is asked. */
#include "oracle_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
