/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/score.h"

#define X86   (1u << TAMIS_ABI_X86_64)
#define I386  (1u << TAMIS_ABI_I386)
#define ARM64 (1u << TAMIS_ABI_AARCH64)
#define ARM   (1u << TAMIS_ABI_ARM)
#define USER  UINT64_C(0x10000000)

static uint32_t number(enum tamis_abi abi, const char *name)
{
	int nr = calls_number(abi, name);

	if (nr < 0)
		fail_msg("%s: %s", abi_name(abi), name);
	return (uint32_t)nr;
}

static void add(struct filter *f, enum tamis_abi abi, const char *name, enum filter_action a)
{
	const struct filter_rule rule = { .abi = abi, .nr = number(abi, name), .action = a };

	assert_int_equal(filter_add(f, &rule), 0);
}

/* "name when argument 0 & mask is 0". */
static void add_masked(struct filter *f, enum filter_action a, const char *name, uint64_t mask,
		       uint64_t value)
{
	const struct filter_rule rule = {
		.abi = TAMIS_ABI_X86_64,
		.nr = number(TAMIS_ABI_X86_64, name),
		.action = a,
		.cond_cnt = 1,
		.cond = { { .op = FILTER_MASKED_EQ, .value = mask, .value_two = value } },
	};

	assert_int_equal(filter_add(f, &rule), 0);
}

/* Lets the calls of `names` (words) pass in each ABI of the mask that has them. */
static struct filter *allowing(uint32_t abis, const char *names)
{
	struct filter *f;
	char text[256], *save = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = abis;
	assert_true(strlen(names) < sizeof(text));
	strcpy(text, names);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			if (abis >> abi & 1 && calls_number(abi, w) >= 0)
				add(f, abi, w, FILTER_ALLOW);
	filter_sort(f);
	return f;
}

static struct score_cve hole(bool any, const char *names)
{
	struct score_cve c = { .id = "CVE-1", .any = any };
	char text[256], *save = NULL;

	strcpy(text, names);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			if (calls_number(abi, w) >= 0)
				sysset_add(&c.calls[abi], number(abi, w));
	return c;
}

static void any_and_all(void **state)
{
	static const struct {
		bool any;
		const char *needs, *allowed;
		uint32_t abis;
		bool blocked;
	} rows[] = {
		{ true, "splice", "read splice", X86, false },
		{ true, "splice", "read", X86, true },
		{ true, "shmget semget", "semget", X86, false },
		{ true, "shmget semget", "read", X86, true },
		{ false, "ptrace clone", "clone", X86, true },
		{ false, "ptrace clone", "ptrace", X86, true },
		{ false, "ptrace clone", "ptrace clone", X86, false },
		/* An ABI that the filter doesn't speak for is killed. */
		{ true, "splice", "read", X86 | I386, true },
		{ true, "waitpid", "waitpid", X86, true },
		{ true, "waitpid", "waitpid", X86 | I386, false },
		/* The calls of one ABI and of another are no two halves of a way. */
		{ false, "waitpid pidfd_open", "waitpid", X86 | I386, true },
		/* One number for all of them. */
		{ true, "setsockopt", "socketcall", X86 | I386, false },
		{ true, "setsockopt", "socketcall", X86, true },
		{ true, "shmctl", "ipc", X86 | I386, false },
		{ true, "shmctl", "socketcall", X86 | I386, true },
		{ true, "keyctl", "ipc socketcall", X86 | I386, true },
		/* Of another machine. */
		{ true, "splice", "splice", ARM64, false },
		{ true, "splice", "read", ARM64, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *f = allowing(rows[i].abis, rows[i].allowed);
		struct score_cve c = hole(rows[i].any, rows[i].needs);

		if (score_blocks(f, &c) != rows[i].blocked)
			fail_msg("row %zu: %s by %s", i, rows[i].needs, rows[i].allowed);
	}
}

/* A machine's 32-bit ABI has calls that its own hasn't: without a filter they are ways, too. */
static void no_filter_blocks_nothing(void **state)
{
	static const char *const names[] = { "splice", "sigsuspend", "ptrace clone" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct score_cve any = hole(true, names[i]), all = hole(false, names[i]);

		assert_false(score_blocks(NULL, &any));
		assert_false(score_blocks(NULL, &all));
	}
}

static bool blocks_with(const struct filter *f, const char *name, uint64_t arg0)
{
	struct score_cve c = hole(true, name);

	c.arg0 = arg0;
	return score_blocks(f, &c);
}

static void a_first_argument(void **state)
{
	_cleanup_(filter_free) struct filter *f = allowing(X86, "read unshare");

	add_masked(f, FILTER_ALLOW, "clone", 0x7e020000, 0);
	add_masked(f, FILTER_ERRNO, "clone", USER, USER);
	filter_sort(f);
	assert_true(blocks_with(f, "clone", USER));
	assert_false(blocks_with(f, "clone", 0)); /* conditionally is passing */
	assert_false(blocks_with(f, "clone", 0x100));
	assert_false(blocks_with(f, "clone unshare", USER));
}

/* 64 bits are compared, 32 taken: what refuses 40 lets 2^32 + 40 pass. */
static void the_upper_half(void **state)
{
	_cleanup_(filter_free) struct filter *f = allowing(X86, "read");
	_cleanup_(filter_free) struct filter *masked = allowing(X86, "read");
	const struct filter_rule rule = {
		.nr = number(TAMIS_ABI_X86_64, "socket"),
		.action = FILTER_ALLOW,
		.cond_cnt = 1,
		.cond = { { .op = FILTER_NE, .value = 40 } },
	};

	assert_int_equal(filter_add(f, &rule), 0);
	filter_sort(f);
	assert_false(blocks_with(f, "socket", 40));
	add_masked(masked, FILTER_ALLOW, "socket", 0xffffffff, 16);
	filter_sort(masked);
	assert_true(blocks_with(masked, "socket", 40));
	assert_false(blocks_with(masked, "socket", 16));
}

/* A default that lets everything pass, and rules that take away. */
static void a_list_of_refusals(void **state)
{
	_cleanup_(filter_free) struct filter *f = allowing(X86, "");
	struct score_cve ptrace = hole(true, "ptrace"), splice = hole(true, "splice");

	f->default_action = FILTER_ALLOW;
	add(f, TAMIS_ABI_X86_64, "ptrace", FILTER_ERRNO);
	add_masked(f, FILTER_ERRNO, "clone", USER, USER);
	filter_sort(f);
	assert_true(score_blocks(f, &ptrace));
	assert_false(score_blocks(f, &splice));
	assert_true(blocks_with(f, "clone", USER));
	assert_false(blocks_with(f, "clone", 0x20000000));
}

static struct score_cve cves[4];
static struct score_risk risk = { .cve = cves, .cnt = ARRAY_SIZE(cves) };

static int make_risk(void **state)
{
	cves[0] = hole(true, "splice sendfile");
	cves[1] = hole(false, "ptrace clone");
	cves[2] = hole(true, "execve execveat");
	cves[2].execve = true;
	cves[3] = hole(true, "splice");
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		sysset_add(&risk.guard[abi], number(abi, "ptrace"));
		sysset_add(&risk.guard[abi], number(abi, "bpf"));
	}
	return 0;
}

static void figures(void **state)
{
	const bool x86 = abi_native() == TAMIS_ABI_X86_64;
	_cleanup_(filter_free) struct filter *f =
		allowing(x86 ? X86 | I386 : ARM64 | ARM, "read splice ptrace execve");
	struct score s, none;

	score_filter(f, &risk, &s);
	assert_int_equal(s.calls, 4);
	assert_int_equal(s.abis, 2);
	assert_int_equal(s.blocked, 1);
	assert_int_equal(s.cves, 3);
	assert_int_equal(s.blocked_execve, 0);
	assert_int_equal(s.cves_execve, 1);
	assert_int_equal(s.guarded, 1);
	score_filter(NULL, &risk, &none);
	assert_int_equal(none.calls, none.of);
	assert_int_equal(none.of, s.of);
	assert_int_equal(none.abis, x86 ? 3 : 2); /* x32 */
	assert_int_equal(none.blocked + none.blocked_execve, 0);
	assert_int_equal(none.guarded, 2);
}

static void one_call_more_or_less(void **state)
{
	static const struct {
		const char *allowed, *call;
		size_t alone, opens, first;
	} rows[] = {
		{ "splice", "splice", 2, 0, 0 },
		{ "splice sendfile", "splice", 1, 0, 3 },
		{ "splice sendfile", "sendfile", 0, 0, 0 },
		{ "ptrace clone", "ptrace", 1, 0, 1 },
		{ "ptrace clone", "clone", 1, 0, 1 },
		{ "ptrace", "ptrace", 0, 0, 0 },
		{ "ptrace", "clone", 0, 1, 1 },
		{ "read", "splice", 0, 2, 0 },
		{ "sendfile", "splice", 0, 1, 3 },
		{ "read", "read", 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(filter_free) struct filter *f = allowing(X86, rows[i].allowed);
		uint32_t nr = number(TAMIS_ABI_X86_64, rows[i].call);
		size_t alone[4] = { 0 }, opens[4] = { 0 };

		if (score_alone(f, &risk, TAMIS_ABI_X86_64, nr, alone) != rows[i].alone ||
		    score_opens(f, &risk, TAMIS_ABI_X86_64, nr, opens) != rows[i].opens ||
		    alone[0] + opens[0] != rows[i].first)
			fail_msg("row %zu: %s of %s", i, rows[i].call, rows[i].allowed);
	}
}

/* A person takes a name away, not a number: that of the other ABI goes, too. */
static void a_name_is_of_all_abis(void **state)
{
	_cleanup_(filter_free) struct filter *f = allowing(X86 | I386, "splice");
	size_t ret[4];

	assert_int_equal(
		score_alone(f, &risk, TAMIS_ABI_I386, number(TAMIS_ABI_I386, "splice"), ret), 2);
	assert_int_equal(score_alone(f, &risk, TAMIS_ABI_X86_64, 570, ret), 0);
}

/* Sets give what the filter that allows them gives. */
static void sets_are_filters(void **state)
{
	static const char *const names[] = {
		"",
		"splice",
		"ptrace clone",
		"sendfile ptrace",
		"execve splice sendfile ptrace clone fork",
		"socketcall read",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(filter_free) struct filter *f = allowing(X86 | I386, names[i]);
		struct score_cve pass = hole(true, names[i]);
		unsigned blocked, cves_cnt;
		struct score s;

		score_filter(f, &risk, &s);
		score_sets(pass.calls, X86 | I386, &risk, &blocked, &cves_cnt);
		assert_int_equal(blocked, s.blocked);
		assert_int_equal(cves_cnt, s.cves);
	}
}

static void conditions_narrow(void **state)
{
	_cleanup_(filter_free) struct filter *f = allowing(X86, "");
	struct score_cve two[2] = { hole(true, "clone unshare"), hole(false, "clone mount") };
	struct score_risk r = { .cve = two, .cnt = 2 };
	struct score_cve pass = hole(true, "clone mount");
	unsigned blocked, cnt;

	two[0].arg0 = two[1].arg0 = USER;
	score_sets(pass.calls, X86, &r, &blocked, &cnt);
	assert_int_equal(blocked, 0);
	add_masked(f, FILTER_ALLOW, "clone", 0x7e020000, 0);
	filter_sort(f);
	score_narrow(&r, f);
	score_sets(pass.calls, X86, &r, &blocked, &cnt);
	assert_int_equal(blocked, 2);
	pass = hole(true, "clone unshare");
	score_sets(pass.calls, X86, &r, &blocked, &cnt);
	assert_int_equal(blocked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_and_all),		 cmocka_unit_test(no_filter_blocks_nothing),
		cmocka_unit_test(a_first_argument),	 cmocka_unit_test(the_upper_half),
		cmocka_unit_test(a_list_of_refusals),	 cmocka_unit_test(figures),
		cmocka_unit_test(one_call_more_or_less), cmocka_unit_test(sets_are_filters),
		cmocka_unit_test(conditions_narrow),	 cmocka_unit_test(a_name_is_of_all_abis),
	};

	return cmocka_run_group_tests(tests, make_risk, NULL);
}
