/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/filter.h"

#define READ	    0
#define PERSONALITY 135
#define SOCKET	    41

static struct filter *filter(void)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = 1u << TAMIS_ABI_X86_64;
	return f;
}

static void add(struct filter *f, uint32_t nr, enum filter_action action, uint32_t errno_ret,
		unsigned cond_cnt, const struct filter_cond *cond)
{
	struct filter_rule r = { .abi = TAMIS_ABI_X86_64,
				 .nr = nr,
				 .action = action,
				 .errno_ret = errno_ret,
				 .cond_cnt = cond_cnt };

	if (cond_cnt)
		memcpy(r.cond, cond, cond_cnt * sizeof(*cond));
	assert_int_equal(filter_add(f, &r), 0);
}

static void assert_verdict(const struct filter *f, uint32_t nr, uint64_t a0, uint64_t a2,
			   enum filter_action action, uint32_t errno_ret)
{
	const uint64_t args[FILTER_ARGS] = { a0, 0, a2 };
	struct filter_verdict v = filter_verdict(f, TAMIS_ABI_X86_64, nr, args);

	assert_int_equal(v.action, action);
	assert_int_equal(v.errno_ret, errno_ret);
}

static const struct filter_cond eq5 = { 0, FILTER_EQ, 5 }, ne5 = { 0, FILTER_NE, 5 };
static const struct filter_cond netlink_audit[] = { { 0, FILTER_EQ, 16 }, { 2, FILTER_EQ, 9 } };

static void bad_rules(void **state)
{
	const struct filter_rule bad[] = {
		{ .abi = TAMIS_ABI_MAX },
		{ .nr = TAMIS_CALLS },
		{ .action = FILTER_ACTION_MAX },
		{ .action = (enum filter_action) - 1 },
		{ .action = FILTER_ERRNO, .errno_ret = 4096 },
		{ .cond_cnt = FILTER_ARGS + 1 },
		{ .cond_cnt = 1, .cond = { { FILTER_ARGS, FILTER_EQ } } },
		{ .cond_cnt = 1, .cond = { { 0, FILTER_OP_MAX } } },
		{ .cond_cnt = 2, .cond = { { 1, FILTER_EQ, 1 }, { 1, FILTER_NE, 2 } } },
	};
	_cleanup_(filter_free) struct filter *f = filter();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(filter_add(f, &bad[i]), -EINVAL);
	assert_int_equal(f->rule_cnt, 0);
}

static void rules_are_stored_plainly(void **state)
{
	const struct filter_cond c[] = { { 5, FILTER_MASKED_EQ, 3, 7 }, { 1, FILTER_EQ, 4, 99 } };
	_cleanup_(filter_free) struct filter *f = filter();

	add(f, READ, FILTER_ALLOW, 13, 2, c);
	assert_int_equal(f->rule[0].errno_ret, 0);
	assert_int_equal(f->rule[0].cond[0].index, 1);
	assert_int_equal(f->rule[0].cond[0].value_two, 0);
	assert_int_equal(f->rule[0].cond[1].index, 5);
	assert_int_equal(f->rule[0].cond[1].value_two, 3);
}

static void default_speaks(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter();
	const uint64_t args[FILTER_ARGS] = { 0 };
	const struct filter_rule *rule = NULL;

	filter_sort(f);
	assert_verdict(f, READ, 0, 0, FILTER_ERRNO, ENOSYS);
	assert_int_equal(filter_find(f, TAMIS_ABI_X86_64, READ, &rule), 0);
	assert_null(rule);
	assert_int_equal(filter_verdict(f, TAMIS_ABI_I386, READ, args).action, FILTER_KILL_THREAD);
	assert_int_equal(filter_verdict(f, TAMIS_ABI_MAX, READ, args).action, FILTER_KILL_THREAD);
	f->default_action = FILTER_ALLOW;
	f->default_errno = 0;
	assert_verdict(f, READ, 0, 0, FILTER_ALLOW, 0);
}

/* What libseccomp 2.5.4 makes of two rules of one call, added in this order. */
static void unconditional_wins(void **state)
{
	static const struct {
		struct {
			enum filter_action action;
			bool conditional;
		} first, second;
		enum filter_action at5, elsewhere;
	} rows[] = {
		{ { FILTER_ALLOW, true }, { FILTER_ALLOW, false }, FILTER_ALLOW, FILTER_ALLOW },
		{ { FILTER_ALLOW, false }, { FILTER_ERRNO, true }, FILTER_ALLOW, FILTER_ALLOW },
		{ { FILTER_ERRNO, true }, { FILTER_ALLOW, false }, FILTER_ALLOW, FILTER_ALLOW },
		{ { FILTER_ERRNO, false }, { FILTER_ALLOW, true }, FILTER_ERRNO, FILTER_ERRNO },
		{ { FILTER_ALLOW, true }, { FILTER_ERRNO, false }, FILTER_ERRNO, FILTER_ERRNO },
		{ { FILTER_ERRNO, false }, { FILTER_ALLOW, false }, FILTER_ERRNO, FILTER_ERRNO },
		{ { FILTER_ALLOW, false }, { FILTER_ERRNO, false }, FILTER_ALLOW, FILTER_ALLOW },
		{ { FILTER_ERRNO, true }, { FILTER_ALLOW, true }, FILTER_ERRNO, FILTER_ERRNO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *f = filter();

		add(f, READ, rows[i].first.action, 1, rows[i].first.conditional, &eq5);
		add(f, READ, rows[i].second.action, 1, rows[i].second.conditional, &eq5);
		filter_sort(f);
		assert_int_equal(f->rule_cnt, 1);
		assert_verdict(f, READ, 5, 0, rows[i].at5, rows[i].at5 == FILTER_ERRNO);
		if (f->rule[0].cond_cnt == 0)
			assert_verdict(f, READ, 6, 0, rows[i].elsewhere,
				       rows[i].elsewhere == FILTER_ERRNO);
		else
			assert_verdict(f, READ, 6, 0, FILTER_ERRNO, ENOSYS);
	}
}

/* runc and crun skip such rules before libseccomp sees them. */
static void rules_of_the_default_are_skipped(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter();

	add(f, READ, FILTER_ERRNO, ENOSYS, 0, NULL);
	add(f, READ, FILTER_ALLOW, 0, 1, &eq5);
	add(f, PERSONALITY, FILTER_ERRNO, ENOSYS, 0, NULL);
	add(f, SOCKET, FILTER_ERRNO, EPERM, 0, NULL);
	filter_sort(f);
	assert_int_equal(f->rule_cnt, 3);
	assert_verdict(f, READ, 5, 0, FILTER_ALLOW, 0);
	assert_verdict(f, READ, 6, 0, FILTER_ERRNO, ENOSYS);
	assert_verdict(f, PERSONALITY, 0, 0, FILTER_ERRNO, ENOSYS);
	assert_verdict(f, SOCKET, 0, 0, FILTER_ERRNO, EPERM);
}

/* podman's default, without CAP_AUDIT_WRITE. */
static void podman_socket(void **state)
{
	const struct filter_cond proto = { 2, FILTER_NE, 9 }, family = { 0, FILTER_NE, 16 };
	_cleanup_(filter_free) struct filter *f = filter();

	add(f, SOCKET, FILTER_ERRNO, EINVAL, 2, netlink_audit);
	add(f, SOCKET, FILTER_ALLOW, 0, 1, &proto);
	add(f, SOCKET, FILTER_ALLOW, 0, 1, &family);
	add(f, SOCKET, FILTER_ALLOW, 0, 1, &proto);
	filter_sort(f);
	assert_int_equal(f->rule_cnt, 3);
	assert_verdict(f, SOCKET, 2, 0, FILTER_ALLOW, 0);
	assert_verdict(f, SOCKET, 2, 9, FILTER_ALLOW, 0);
	assert_verdict(f, SOCKET, 16, 0, FILTER_ALLOW, 0);
	assert_verdict(f, SOCKET, 16, 9, FILTER_ERRNO, EINVAL);
}

static void overlap_answers_the_strictest(void **state)
{
	const struct filter_cond le9 = { 0, FILTER_LE, 9 };
	_cleanup_(filter_free) struct filter *f = filter();

	add(f, READ, FILTER_LOG, 0, 1, &le9);
	add(f, READ, FILTER_ALLOW, 0, 1, &eq5);
	add(f, READ, FILTER_ERRNO, EPERM, 1, &ne5);
	filter_sort(f);
	assert_verdict(f, READ, 5, 0, FILTER_LOG, 0);
	assert_verdict(f, READ, 6, 0, FILTER_ERRNO, EPERM);
}

static void sorted_whatever_the_order(void **state)
{
	_cleanup_(filter_free) struct filter *a = filter(), *b = filter();

	for (uint32_t i = 0; i < 100; i++) {
		add(a, i % 20, FILTER_ALLOW, 0, i % 2, &eq5);
		add(b, (99 - i) % 20, FILTER_ALLOW, 0, (99 - i) % 2, &eq5);
	}
	filter_sort(a);
	filter_sort(b);
	assert_int_equal(a->rule_cnt, 20);
	assert_int_equal(b->rule_cnt, 20);
	assert_memory_equal(a->rule, b->rule, 20 * sizeof(*a->rule));
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(a->rule[i].nr, i);
	filter_sort(a);
	assert_memory_equal(a->rule, b->rule, 20 * sizeof(*a->rule));
}

static void why_of_duplicates_is_merged(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter();
	struct filter_rule r = { .action = FILTER_ALLOW, .why = FILTER_WHY_WORKLOAD };

	assert_int_equal(filter_add(f, &r), 0);
	r.why = FILTER_WHY_ALWAYS;
	assert_int_equal(filter_add(f, &r), 0);
	r.action = FILTER_LOG;
	r.why = FILTER_WHY_GATE_TABLE;
	assert_int_equal(filter_add(f, &r), 0);
	filter_sort(f);
	assert_int_equal(f->rule_cnt, 1);
	assert_int_equal(f->rule[0].action, FILTER_ALLOW);
	assert_int_equal(f->rule[0].why, FILTER_WHY_WORKLOAD | FILTER_WHY_ALWAYS);
}

static void find_every_call(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter();
	const struct filter_rule *rule;

	for (uint32_t nr = 1; nr < TAMIS_CALLS; nr += 2) {
		add(f, nr, FILTER_ALLOW, 0, 1, &eq5);
		add(f, nr, FILTER_ALLOW, 0, 2, netlink_audit);
	}
	filter_sort(f);
	for (uint32_t nr = 0; nr < TAMIS_CALLS; nr++) {
		size_t cnt = filter_find(f, TAMIS_ABI_X86_64, nr, &rule);

		assert_int_equal(cnt, nr % 2 ? 2 : 0);
		if (cnt)
			assert_int_equal(rule->nr, nr);
		assert_int_equal(filter_find(f, TAMIS_ABI_I386, nr, &rule), 0);
	}
}

static void oci_names(void **state)
{
	enum filter_action action = FILTER_ACTION_MAX;
	enum filter_op op = FILTER_OP_MAX;

	for (unsigned i = 0; i < FILTER_ACTION_MAX; i++) {
		const char *name = filter_action_oci((enum filter_action)i);

		assert_int_equal(strncmp(name, "SCMP_ACT_", 9), 0);
		assert_int_equal(filter_action_from_oci(name, &action), 0);
		assert_int_equal(action, i);
	}
	for (unsigned i = 0; i < FILTER_OP_MAX; i++) {
		const char *name = filter_op_oci((enum filter_op)i);

		assert_int_equal(strncmp(name, "SCMP_CMP_", 9), 0);
		assert_int_equal(filter_op_from_oci(name, &op), 0);
		assert_int_equal(op, i);
	}
	assert_int_equal(filter_action_from_oci("SCMP_ACT_KILL", &action), 0);
	assert_int_equal(action, FILTER_KILL_THREAD);
	assert_int_equal(filter_action_from_oci("SCMP_ACT_", &action), -ENOENT);
	assert_int_equal(filter_op_from_oci("EQ", &op), -ENOENT);
	assert_string_equal(filter_action_oci(FILTER_ACTION_MAX), "?");
	assert_string_equal(filter_op_oci(FILTER_OP_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_rules),
		cmocka_unit_test(rules_are_stored_plainly),
		cmocka_unit_test(default_speaks),
		cmocka_unit_test(unconditional_wins),
		cmocka_unit_test(rules_of_the_default_are_skipped),
		cmocka_unit_test(podman_socket),
		cmocka_unit_test(overlap_answers_the_strictest),
		cmocka_unit_test(sorted_whatever_the_order),
		cmocka_unit_test(why_of_duplicates_is_merged),
		cmocka_unit_test(find_every_call),
		cmocka_unit_test(oci_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
