/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/oci_fixture.h"

static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
static const struct filter_cond plain_persona = { 0, FILTER_EQ, 0 };

static struct filter *golden_filter(void)
{
	struct filter *f = filter_make(X86_64);

	allow(f, TAMIS_ABI_X86_64, "read execve");
	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ALLOW, 0, 1, &no_namespaces);
	add(f, TAMIS_ABI_X86_64, 435, FILTER_ERRNO, 38);
	add(f, TAMIS_ABI_X86_64, 165, FILTER_ERRNO, 1);
	filter_sort(f);
	return f;
}

static char *written(const struct filter *f)
{
	struct policy p = { .filter = f };

	return emitted("oci", &p, NULL, NULL);
}

static void writes_what_engines_read(void **state)
{
	_cleanup_(filter_free) struct filter *f = golden_filter();
	_free_ char *text = written(f), *again = written(f);

	assert_string_equal(text, golden);
	assert_string_equal(text, again);
}

static void writes_an_empty_filter(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(AARCH64), *back = NULL;
	_free_ char *text = written(f);

	back = parse(text);
	assert_int_equal(back->abis, AARCH64);
	assert_int_equal(back->rule_cnt, 0);
}

static void lists_only_the_abis_of_the_filter(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	text = written(f);
	assert_non_null(strstr(text, "[\n\t\t\"SCMP_ARCH_X86_64\",\n\t\t\"SCMP_ARCH_X86\"\n\t]"));
	assert_null(strstr(text, "X32"));
	assert_null(strstr(text, "flags"));
}

static bool call_equal(const struct filter *a, const struct filter *b, unsigned abi, uint32_t nr,
		       const uint64_t args[FILTER_ARGS])
{
	struct filter_verdict x = filter_verdict(a, abi, nr, args);
	struct filter_verdict y = filter_verdict(b, abi, nr, args);

	if (x.action != y.action || x.errno_ret != y.errno_ret)
		print_error("%s %u: %d(%u), %d(%u)\n", abi_name(abi), nr, x.action, x.errno_ret,
			    y.action, y.errno_ret);
	return x.action == y.action && x.errno_ret == y.errno_ret;
}

static void check_same(const struct filter *a, const struct filter *b)
{
	static const uint64_t values[] = { 0, 1, 2, 16, 0x20000, 0x10000000, UINT64_MAX };

	assert_int_equal(a->abis, b->abis);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (uint32_t nr = 0; nr < TAMIS_CALLS; nr++) {
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				uint64_t args[FILTER_ARGS] = { values[v], values[(v + 3) % 7] };

				assert_true(call_equal(a, b, abi, nr, args));
			}
		}
	}
}

static void add_random(struct filter *f, enum tamis_abi abi, uint64_t *seed)
{
	static const uint64_t values[] = { 0, 1, 2, 16, 0x20000, UINT64_MAX };
	uint32_t nr = next_random(seed) % calls_end(abi);
	unsigned cnt = next_random(seed) % 3;
	struct filter_cond c[2];

	if (!calls_name(abi, nr))
		return;
	for (unsigned i = 0; i < cnt; i++) {
		c[i].index = i;
		c[i].op = next_random(seed) % FILTER_OP_MAX;
		c[i].value = values[next_random(seed) % 6];
		c[i].value_two = values[next_random(seed) % 6];
	}
	add_cond(f, abi, nr, next_random(seed) % 3 ? FILTER_ALLOW : FILTER_ERRNO,
		 next_random(seed) % 4, cnt, c);
}

static void one_abi_comes_back_as_it_was(void **state)
{
	uint64_t seed = 7;

	for (unsigned round = 0; round < 60; round++) {
		unsigned abi = round % TAMIS_ABI_MAX;
		_cleanup_(filter_free) struct filter *f = filter_make(1u << abi), *back = NULL;
		_free_ char *text = NULL;

		if (abi != abi_native() && abi_runs_on(abi, abi_native()))
			f->abis |= 1u << abi_native(); /* runtimes speak for it in any case */
		for (unsigned i = 0; i < 300; i++)
			add_random(f,
				   abi == abi_native() || f->abis == 1u << abi ? abi : abi_native(),
				   &seed);
		filter_sort(f);
		text = written(f);
		back = parse(text);
		/* i386's multiplexed calls have a test of their own */
		if (f->abis == 1u << abi && abi != TAMIS_ABI_I386)
			check_same(f, back);
	}
}

/* --- two ABIs, one list of names ---------------------------------------------------------- */

static struct filter *rewritten(const struct filter *f)
{
	_free_ char *text = written(f);

	return parse(text);
}

static enum filter_action action_of(const struct filter *f, enum tamis_abi abi, const char *name,
				    uint64_t arg0)
{
	uint64_t args[FILTER_ARGS] = { arg0 };

	return filter_verdict(f, abi, calls_number(abi, name), args).action;
}

static void a_name_learned_on_one_abi_is_allowed_on_all(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386), *back = NULL;
	struct policy p = { .filter = f };
	_free_ char *limits = NULL;

	allow(f, TAMIS_ABI_X86_64, "read write");
	allow(f, TAMIS_ABI_I386, "read mmap2");
	filter_sort(f);
	back = rewritten(f);
	assert_int_equal(action_of(back, TAMIS_ABI_I386, "write", 0), FILTER_ALLOW);
	assert_int_equal(action_of(back, TAMIS_ABI_I386, "mmap2", 0), FILTER_ALLOW);
	limits = limits_of("oci", &p);
	assert_string_equal(limits,
			    "oci: names are shared by all ABIs listed, so allowed more widely on "
			    "some: write\n");
}

static void a_condition_that_both_have_is_kept(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386), *back = NULL;
	struct policy p = { .filter = f };
	_free_ char *limits = NULL;

	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ALLOW, 0, 1, &no_namespaces);
	add_cond(f, TAMIS_ABI_I386, 120, FILTER_ALLOW, 0, 1, &no_namespaces);
	filter_sort(f);
	back = rewritten(f);
	assert_int_equal(back->rule_cnt, 2);
	assert_int_equal(action_of(back, TAMIS_ABI_I386, "clone", 0x10000000), FILTER_ERRNO);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "clone", 0x11), FILTER_ALLOW);
	limits = limits_of("oci", &p);
	assert_string_equal(limits, "");
}

static void other_conditions_are_alternatives(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386), *back = NULL;
	static const struct filter_cond eight = { 0, FILTER_EQ, 8 };
	struct policy p = { .filter = f };
	_free_ char *limits = NULL;

	add_cond(f, TAMIS_ABI_X86_64, 135, FILTER_ALLOW, 0, 1, &plain_persona);
	add_cond(f, TAMIS_ABI_I386, 136, FILTER_ALLOW, 0, 1, &eight);
	filter_sort(f);
	back = rewritten(f);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "personality", 0), FILTER_ALLOW);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "personality", 8), FILTER_ALLOW);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "personality", 9), FILTER_ERRNO);
	limits = limits_of("oci", &p);
	assert_non_null(strstr(limits, "more widely on some: personality\n"));
}

/* An unconditional refusal would swallow the conditional permission in libseccomp. */
static void a_refusal_does_not_swallow_a_condition(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386), *back = NULL;
	struct policy p = { .filter = f };
	_free_ char *limits = NULL;

	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ALLOW, 0, 1, &no_namespaces);
	add(f, TAMIS_ABI_I386, 120, FILTER_ERRNO, 1);
	filter_sort(f);
	back = rewritten(f);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "clone", 0), FILTER_ALLOW);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "clone", 0x10000000), FILTER_ERRNO);
	limits = limits_of("oci", &p);
	assert_non_null(strstr(limits, "clone"));
}

/* A second answer to the same conditions would stop the container. */
static void one_answer_for_one_condition(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386), *back = NULL;

	add_cond(f, TAMIS_ABI_X86_64, 135, FILTER_ERRNO, 5, 1, &plain_persona);
	add_cond(f, TAMIS_ABI_I386, 136, FILTER_ALLOW, 0, 1, &plain_persona);
	filter_sort(f);
	back = rewritten(f);
	assert_int_equal(back->rule_cnt, 2);
	assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "personality", 0), FILTER_ALLOW);
}

/* Nor two that are the same as parts of i386's socketcall, where argument 0 is another one. */
static void one_answer_for_a_part_of_socketcall(void **state)
{
	static const struct filter_cond inet = { 0, FILTER_EQ, 2 }, vsock = { 0, FILTER_EQ, 40 },
					audit[] = { { 0, FILTER_EQ, 16 }, { 2, FILTER_EQ, 9 } };

	for (unsigned with_i386 = 0; with_i386 < 2; with_i386++) {
		_cleanup_(filter_free) struct filter *f =
			filter_make(X86_64 | (with_i386 ? I386 : 0));
		_cleanup_(filter_free) struct filter *back = NULL;

		add_cond(f, TAMIS_ABI_X86_64, 41, FILTER_NOTIFY, 0, 1, &inet);
		add_cond(f, TAMIS_ABI_X86_64, 41, FILTER_ERRNO, 97, 1, &vsock);
		add_cond(f, TAMIS_ABI_X86_64, 41, FILTER_ERRNO, 22, 2, audit);
		filter_sort(f);
		back = rewritten(f);
		assert_int_equal(back->rule_cnt, with_i386 ? 2 * 2 : 3);
		assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "socket", 2), FILTER_NOTIFY);
		assert_int_equal(action_of(back, TAMIS_ABI_X86_64, "socket", 40), FILTER_ERRNO);
	}
}

static void says_what_it_cannot_say(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | I386);
	struct policy p = { .filter = f };
	_free_ char *limits = NULL, *text = NULL;

	add(f, TAMIS_ABI_X86_64, 400, FILTER_ALLOW, 0); /* a gap in the table */
	allow(f, TAMIS_ABI_X86_64, "listns connect");
	allow(f, TAMIS_ABI_I386, "listns connect");
	filter_sort(f);
	limits = limits_of("oci", &p);
	assert_string_equal(
		limits,
		"oci: calls without a name can't be said and are refused: x86_64 #400\n"
		"oci: this host's libseccomp doesn't know these names, runtimes that use it will "
		"refuse them: listns\n"
		"oci: runtimes also allow the i386 socketcall or ipc form of: connect\n");
	text = written(f);
	assert_null(strstr(text, "400"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_engines_read),
		cmocka_unit_test(writes_an_empty_filter),
		cmocka_unit_test(lists_only_the_abis_of_the_filter),
		cmocka_unit_test(one_abi_comes_back_as_it_was),
		cmocka_unit_test(a_name_learned_on_one_abi_is_allowed_on_all),
		cmocka_unit_test(a_condition_that_both_have_is_kept),
		cmocka_unit_test(other_conditions_are_alternatives),
		cmocka_unit_test(a_refusal_does_not_swallow_a_condition),
		cmocka_unit_test(one_answer_for_one_condition),
		cmocka_unit_test(one_answer_for_a_part_of_socketcall),
		cmocka_unit_test(says_what_it_cannot_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
