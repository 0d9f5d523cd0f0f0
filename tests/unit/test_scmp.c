/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel answers under bpf_program must be what filter_verdict says: every ABI, every
 * number, by simulation. */
#include <errno.h>

#include "emit/scmp.h"
#include "sim/cbpf.h"
#include "unit/filters.h"

#define NUMBERS 600

struct program {
	struct sock_filter *insn;
	struct cbpf sim;
};

static void program_done(struct program *p)
{
	free(p->insn);
}
#define _program_ __attribute__((cleanup(program_done)))

static void program_make(const struct filter *f, struct program *p)
{
	size_t cnt = 0;

	assert_int_equal(bpf_program(f, &p->insn, &cnt), 0);
	p->sim = (struct cbpf){ .insn = p->insn, .cnt = cnt };
}

static uint32_t expected(const struct filter *f, enum tamis_abi abi, uint32_t nr,
			 const uint64_t args[FILTER_ARGS])
{
	struct filter_verdict v = filter_verdict(f, abi, nr, args);

	switch (v.action) {
	case FILTER_KILL_PROCESS:
		return SECCOMP_RET_KILL_PROCESS;
	case FILTER_KILL_THREAD:
		return SECCOMP_RET_KILL_THREAD;
	case FILTER_TRAP:
		return SECCOMP_RET_TRAP;
	case FILTER_ERRNO:
		return SECCOMP_RET_ERRNO | v.errno_ret;
	case FILTER_NOTIFY:
		return SECCOMP_RET_USER_NOTIF;
	case FILTER_TRACE:
		return SECCOMP_RET_TRACE | v.errno_ret;
	case FILTER_LOG:
		return SECCOMP_RET_LOG;
	default:
		return SECCOMP_RET_ALLOW;
	}
}

static uint32_t simulated(struct program *p, enum tamis_abi abi, uint32_t nr,
			  const uint64_t args[FILTER_ARGS])
{
	struct seccomp_data d = { .arch = abi_audit_arch(abi), .nr = scmp_number(abi, nr) };

	memcpy(d.args, args, sizeof(d.args));
	return cbpf_run(&p->sim, &d);
}

static void check_call(const struct filter *f, struct program *p, enum tamis_abi abi, uint32_t nr,
		       const uint64_t args[FILTER_ARGS])
{
	uint32_t want = expected(f, abi, nr, args), got = simulated(p, abi, nr, args);

	if (!(f->abis >> abi & 1))
		want = SECCOMP_RET_KILL_PROCESS; /* bpf kills the whole process */
	if (got != want)
		print_error("%s %u (%#llx %#llx %#llx): %#x, not %#x\n", abi_name(abi), nr,
			    (unsigned long long)args[0], (unsigned long long)args[1],
			    (unsigned long long)args[2], got, want);
	assert_int_equal(got, want);
}

static void check_all(const struct filter *f)
{
	static const uint64_t zero[FILTER_ARGS];
	_program_ struct program p = { 0 };

	program_make(f, &p);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (uint32_t nr = 0; nr < NUMBERS; nr++)
			check_call(f, &p, abi, nr, zero);
	}
}

static const uint32_t abi_masks[] = {
	X86_64,	      I386,	     X32,
	AARCH64,      ARM,	     X86_64 | I386,
	X86_64 | X32, AARCH64 | ARM, X86_64 | I386 | X32,
};

/* --- numbers ------------------------------------------------------------------------------ */

static void each_number_alone_in_its_abi(void **state)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (uint32_t nr = 0; nr < TAMIS_CALLS; nr += 7) {
			_cleanup_(filter_free) struct filter *f = filter_make(1u << abi);

			add(f, abi, nr, FILTER_ALLOW, 0);
			filter_sort(f);
			check_all(f);
		}
	}
}

static void every_third_number(void **state)
{
	for (size_t m = 0; m < ARRAY_SIZE(abi_masks); m++) {
		_cleanup_(filter_free) struct filter *f = filter_make(abi_masks[m]);

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			for (uint32_t nr = abi; nr < TAMIS_CALLS && (f->abis >> abi & 1); nr += 3)
				add(f, abi, nr, FILTER_ALLOW, 0);
		}
		filter_sort(f);
		check_all(f);
	}
}

static void all_numbers(void **state)
{
	for (size_t m = 0; m < ARRAY_SIZE(abi_masks); m++) {
		_cleanup_(filter_free) struct filter *f = filter_make(abi_masks[m]);

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			for (uint32_t nr = 0; nr < TAMIS_CALLS && (f->abis >> abi & 1); nr++)
				add(f, abi, nr, nr % 5 ? FILTER_ALLOW : FILTER_ERRNO,
				    nr % 5 ? 0 : 1);
		}
		filter_sort(f);
		check_all(f);
	}
}

static void no_rule_at_all(void **state)
{
	for (size_t m = 0; m < ARRAY_SIZE(abi_masks); m++) {
		_cleanup_(filter_free) struct filter *f = filter_make(abi_masks[m]);

		check_all(f);
	}
}

static void actions_beside_allow(void **state)
{
	static const struct {
		enum filter_action action;
		uint32_t err;
	} rows[] = {
		{ FILTER_KILL_PROCESS, 0 }, { FILTER_KILL_THREAD, 0 }, { FILTER_TRAP, 0 },
		{ FILTER_ERRNO, 1 },	    { FILTER_ERRNO, 4095 },    { FILTER_ERRNO, 38 },
		{ FILTER_NOTIFY, 0 },	    { FILTER_LOG, 0 },	       { FILTER_TRACE, 7 },
	};
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);

	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		add(f, TAMIS_ABI_X86_64, 10 + i, rows[i].action, rows[i].err);
		add(f, TAMIS_ABI_I386, 355 + i, rows[i].action, rows[i].err); /* socket and more */
	}
	filter_sort(f);
	check_all(f);
}

/* --- ABIs that share a register ----------------------------------------------------------- */

static void x32_numbers_dont_pass_as_x86_64(void **state)
{
	static const uint64_t zero[FILTER_ARGS];
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	_program_ struct program p = { 0 };

	for (uint32_t nr = 0; nr < TAMIS_CALLS; nr++)
		add(f, TAMIS_ABI_X86_64, nr, FILTER_ALLOW, 0);
	filter_sort(f);
	program_make(f, &p);
	for (uint32_t nr = 0; nr < NUMBERS; nr++)
		assert_int_equal(simulated(&p, TAMIS_ABI_X32, nr, zero), SECCOMP_RET_KILL_PROCESS);
}

static void foreign_machines_are_killed(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make((1u << TAMIS_ABI_MAX) - 1);
	_program_ struct program p = { 0 };
	struct seccomp_data d = { .arch = 0xc00000f3 /* riscv64 */, .nr = 1 };

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		add(f, abi, 1, FILTER_ALLOW, 0);
	filter_sort(f);
	program_make(f, &p);
	assert_int_equal(cbpf_run(&p.sim, &d), SECCOMP_RET_KILL_PROCESS);
}

/* i386's socket calls also exist behind socketcall, whose arguments no filter can see. */
static void a_socket_call_does_not_open_socketcall(void **state)
{
	static const uint64_t socket_form[FILTER_ARGS] = { 1 };
	_cleanup_(filter_free) struct filter *f = filter_make(I386);
	_program_ struct program p = { 0 };

	add(f, TAMIS_ABI_I386, calls_number(TAMIS_ABI_I386, "socket"), FILTER_ALLOW, 0);
	add(f, TAMIS_ABI_I386, calls_number(TAMIS_ABI_I386, "semget"), FILTER_ALLOW, 0);
	filter_sort(f);
	program_make(f, &p);
	check_call(f, &p, TAMIS_ABI_I386, 102, socket_form);
	assert_int_equal(simulated(&p, TAMIS_ABI_I386, 102, socket_form), SECCOMP_RET_ERRNO | 38);
	assert_int_equal(simulated(&p, TAMIS_ABI_I386, 117, socket_form), SECCOMP_RET_ERRNO | 38);
	assert_int_equal(simulated(&p, TAMIS_ABI_I386, 359, socket_form), SECCOMP_RET_ALLOW);
}

/* --- conditions --------------------------------------------------------------------------- */

/* Arguments at, below and above each half of each value. */
static void check_around(const struct filter *f, const struct filter_rule *r)
{
	static const uint64_t steps[] = { 0,  1,	  -1ULL,	1ULL << 32, -(1ULL << 32),
					  80, 1ULL << 63, 0x7e020000ULL };
	_program_ struct program p = { 0 };

	program_make(f, &p);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			uint64_t args[FILTER_ARGS] = { 0 };

			for (unsigned c = 0; c < r->cond_cnt; c++) {
				uint64_t v = r->cond[c].op == FILTER_MASKED_EQ
						     ? r->cond[c].value_two
						     : r->cond[c].value;

				args[r->cond[c].index] = v + steps[c % 2 ? j : i];
			}
			/* A 32-bit kernel entry leaves nothing in the high halves. */
			for (unsigned a = 0; a < FILTER_ARGS; a++) {
				if (r->abi == TAMIS_ABI_I386 || r->abi == TAMIS_ABI_ARM)
					args[a] &= UINT32_MAX;
			}
			check_call(f, &p, r->abi, r->nr, args);
		}
	}
}

static void every_operator_in_every_abi(void **state)
{
	static const uint64_t values[] = {
		0, 5, UINT32_MAX, 1ULL << 32, 0x500000005ULL, UINT64_MAX
	};

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned op = 0; op < FILTER_OP_MAX; op++) {
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				_cleanup_(filter_free) struct filter *f = filter_make(1u << abi);
				struct filter_cond c = { 2, op, values[v], values[v] & 0xff };
				uint32_t nr = calls_number(abi, "socket");

				add_cond(f, abi, nr, FILTER_ALLOW, 0, 1, &c);
				filter_sort(f);
				check_around(f, f->rule);
			}
		}
	}
}

static void masked_value_outside_its_mask(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct filter_cond c = { 0, FILTER_MASKED_EQ, 0x0f, 0x1f };

	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ALLOW, 0, 1, &c);
	filter_sort(f);
	check_around(f, f->rule);
}

/* As podman's default has it: an errno for one form, several allowed ones. */
static void alternatives_with_different_actions(void **state)
{
	static const struct filter_cond audit[] = { { 0, FILTER_EQ, 16 }, { 2, FILTER_EQ, 9 } };
	static const struct filter_cond not_netlink = { 0, FILTER_NE, 16 };
	static const struct filter_cond not_audit = { 2, FILTER_NE, 9 };

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		_cleanup_(filter_free) struct filter *f = filter_make(1u << abi);
		uint32_t nr = calls_number(abi, "socket");

		add_cond(f, abi, nr, FILTER_ERRNO, 22, 2, audit);
		add_cond(f, abi, nr, FILTER_ALLOW, 0, 1, &not_netlink);
		add_cond(f, abi, nr, FILTER_ALLOW, 0, 1, &not_audit);
		filter_sort(f);
		for (size_t i = 0; i < f->rule_cnt; i++)
			check_around(f, &f->rule[i]);
	}
}

static void add_random(struct filter *f, uint64_t *seed)
{
	static const uint64_t values[] = { 0, 1, 2, 9, 16, 0x20000, UINT32_MAX, 0x100000001ULL };
	struct filter_cond c[FILTER_ARGS];
	unsigned abi = next_random(seed) % TAMIS_ABI_MAX, cnt = next_random(seed) % 4;
	bool allow = next_random(seed) % 3;

	f->abis |= 1u << abi;
	for (unsigned i = 0; i < cnt; i++) {
		c[i].index = i;
		c[i].op = next_random(seed) % FILTER_OP_MAX;
		c[i].value = values[next_random(seed) % ARRAY_SIZE(values)];
		c[i].value_two = values[next_random(seed) % ARRAY_SIZE(values)];
	}
	add_cond(f, abi, 355 + next_random(seed) % 8, allow ? FILTER_ALLOW : FILTER_ERRNO,
		 allow ? 0 : 1 + next_random(seed) % 3, cnt, c);
}

static void random_filters(void **state)
{
	uint64_t seed = 42;

	for (int round = 0; round < 1500; round++) {
		_cleanup_(filter_free) struct filter *f = filter_make(0);
		unsigned cnt = 1 + next_random(&seed) % 24;

		for (unsigned i = 0; i < cnt; i++)
			add_random(f, &seed);
		filter_sort(f);
		for (size_t i = 0; i < f->rule_cnt; i++)
			check_around(f, &f->rule[i]);
	}
}

/* --- size --------------------------------------------------------------------------------- */

static void a_search_tree_not_a_chain(void **state)
{
	static const uint64_t zero[FILTER_ARGS];
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	_program_ struct program p = { 0 };
	size_t most = 0;

	for (uint32_t nr = 0; nr < 300; nr++)
		add(f, TAMIS_ABI_X86_64, nr, FILTER_ALLOW, 0);
	filter_sort(f);
	program_make(f, &p);
	for (uint32_t nr = 0; nr < 300; nr++) {
		(void)simulated(&p, TAMIS_ABI_X86_64, nr, zero);
		most = p.sim.steps > most ? p.sim.steps : most;
	}
	assert_true(most < 40);
}

static void too_large_for_the_kernel(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X32);
	struct sock_filter *insn = NULL;
	size_t cnt = 0;

	for (uint64_t v = 0; v < 900; v++) {
		struct filter_cond c = { 0, FILTER_EQ, v };

		add_cond(f, TAMIS_ABI_X32, 1, FILTER_ALLOW, 0, 1, &c);
	}
	filter_sort(f);
	assert_int_equal(bpf_program(f, &insn, &cnt), -E2BIG);
	assert_null(insn);
}

/* libseccomp compares each with each. */
static void many_alternatives_are_refused_at_once(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct sock_filter *insn = NULL;
	size_t cnt = 0;

	for (uint64_t v = 0; v < 60000; v++) {
		struct filter_cond c = { 0, FILTER_EQ, v };

		add_cond(f, TAMIS_ABI_X86_64, 135, FILTER_ALLOW, 0, 1, &c);
	}
	filter_sort(f);
	assert_int_equal(bpf_program(f, &insn, &cnt), -E2BIG);
	assert_null(insn);
}

static void no_abi_is_refused(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(0);
	struct sock_filter *insn = NULL;
	size_t cnt = 0;

	assert_int_equal(bpf_program(f, &insn, &cnt), -EINVAL);
	assert_null(insn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_alone_in_its_abi),
		cmocka_unit_test(every_third_number),
		cmocka_unit_test(all_numbers),
		cmocka_unit_test(no_rule_at_all),
		cmocka_unit_test(actions_beside_allow),
		cmocka_unit_test(x32_numbers_dont_pass_as_x86_64),
		cmocka_unit_test(foreign_machines_are_killed),
		cmocka_unit_test(a_socket_call_does_not_open_socketcall),
		cmocka_unit_test(every_operator_in_every_abi),
		cmocka_unit_test(masked_value_outside_its_mask),
		cmocka_unit_test(alternatives_with_different_actions),
		cmocka_unit_test(random_filters),
		cmocka_unit_test(a_search_tree_not_a_chain),
		cmocka_unit_test(too_large_for_the_kernel),
		cmocka_unit_test(many_alternatives_are_refused_at_once),
		cmocka_unit_test(no_abi_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
