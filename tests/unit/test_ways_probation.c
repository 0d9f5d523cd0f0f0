/* SPDX-License-Identifier: Apache-2.0 */
/* What apply/ways.c puts in place for a workload in probation. */
#include "ways_fixture.h"

#include "policy/oracles.h"

static void say(int64_t id, uint32_t nr, enum store_verdict v)
{
	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, id, TAMIS_ABI_X86_64, nr, v, NOW));
	}
}

static void reject(int64_t id, uint32_t nr)
{
	const struct store_oracle_call c = {
		.abi = TAMIS_ABI_X86_64, .nr = nr, .rejected = true, .at = NOW, .report = "ASan"
	};

	IN_TRANSACTION
	{
		assert_stored(store_oracle_call(st, id, &c));
	}
}

static bool has(const struct sysset set[TAMIS_ABI_MAX], uint32_t nr)
{
	return sysset_has(&set[TAMIS_ABI_X86_64], nr);
}

/* What tamis-keeper answers by, as a person, or the oracle, says it. */
static void probation_has_its_answers(void **state)
{
	int64_t id = add("podman/web", "podman");
	uint32_t number = generation(id, 1);
	_applied_ struct applied a = { 0 }, b = { 0 };
	_free_ char *why = NULL;

	ways.listener = "/run/k.sock";
	set(id, (struct store_applied){
			.mode = MODE_PROBATION, .generation = number, .rule = PROBATION_ASK });
	say(id, 30, VERDICT_ALLOW);
	say(id, 31, VERDICT_DENY);
	reject(id, 32);
	assert_put("podman/web");
	assert_int_equal(applied_read(state_dir, "podman/web", &a, &why), 0);
	assert_int_equal(a.mode, MODE_PROBATION);
	assert_int_equal(a.rule, PROBATION_ASK);
	assert_string_equal(a.listener, "/run/k.sock");
	assert_true(has(a.allowed, 30) && has(a.refused, 31) && has(a.refused, 32));
	assert_int_equal(sysset_count(&a.allowed[TAMIS_ABI_X86_64]), 1);
	assert_int_equal(sysset_count(&a.refused[TAMIS_ABI_X86_64]), 2);
	say(id, 32, VERDICT_ALLOW);
	ways.listener = NULL;
	assert_put("podman/web");
	assert_int_equal(applied_read(state_dir, "podman/web", &b, &why), 0);
	assert_true(has(b.allowed, 32) && !has(b.refused, 32));
	assert_null(b.listener);
}

/* Elsewhere nobody asks: the file says nothing of it. */
static void answers_are_for_who_asks(void **state)
{
	static const struct {
		enum policy_mode mode;
		bool probe, answers;
	} t[] = {
		{ MODE_ENFORCE, false, false },
		{ MODE_ENFORCE, true, true },
		{ MODE_SHADOW, true, false },
		{ MODE_PROBATION, false, true },
	};
	int64_t id = add("podman/web", "podman");
	uint32_t number = generation(id, 1);

	say(id, 30, VERDICT_ALLOW);
	reject(id, 31);
	ways.listener = "/run/k.sock";
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_applied_ struct applied a = { 0 };
		_free_ char *why = NULL;

		set(id, (struct store_applied){ .mode = t[i].mode,
						.generation = number,
						.probe_new_image = t[i].probe,
						.rule = PROBATION_DENY });
		assert_put("podman/web");
		assert_int_equal(applied_read(state_dir, "podman/web", &a, &why), 0);
		assert_int_equal(a.probe_new_image, t[i].probe);
		assert_int_equal(a.rule == PROBATION_DENY, t[i].answers);
		assert_int_equal(has(a.allowed, 30) && has(a.refused, 31), t[i].answers);
		assert_int_equal(a.listener != NULL, t[i].answers);
	}
}

/* Nobody would listen there. What was applied before stays. */
static void no_probation_where_nobody_listens(void **state)
{
	static const char *const keys[] = { "systemd/web.service", "kubernetes/shop/web/main" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t id = add(keys[i], i ? "kubernetes" : "systemd");
		uint32_t first = generation(id, 1), second = generation(id, 2);
		_free_ char *why = NULL;

		set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = first });
		assert_put(keys[i]);
		set(id, (struct store_applied){ .mode = MODE_PROBATION, .generation = second });
		assert_int_equal(put(keys[i], &why), -EINVAL);
		assert_non_null(strstr(why, "probation"));
		assert_int_equal(found(keys[i]), first);
	}
	/* by a hook or a wrapper */
	ways.kubelet_dir = NULL;
	assert_put(keys[1]);
	assert_int_equal(found(keys[1]), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(probation_has_its_answers),
		TEST(answers_are_for_who_asks),
		TEST(no_probation_where_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
