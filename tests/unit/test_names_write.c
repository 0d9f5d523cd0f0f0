/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/filters.h"

static void learn(struct learned *l, enum tamis_stage stage, enum tamis_abi abi, unsigned nr)
{
	sysset_add(&l->set[stage][abi], nr);
}

/* A call of each stage, two ABIs, one number without a name. */
static struct learned sample(void)
{
	struct learned l = { 0 };

	learn(&l, TAMIS_SETUP, TAMIS_ABI_X86_64, 165);	  /* mount */
	learn(&l, TAMIS_GATE, TAMIS_ABI_X86_64, 59);	  /* execve */
	learn(&l, TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 1);	  /* write */
	learn(&l, TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 0);	  /* read */
	learn(&l, TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 400); /* a gap */
	learn(&l, TAMIS_WORKLOAD, TAMIS_ABI_I386, 192);	  /* mmap2 */
	learn(&l, TAMIS_SESSION, TAMIS_ABI_X86_64, 39);	  /* getpid */
	learn(&l, TAMIS_SESSION, TAMIS_ABI_X86_64, 0);	  /* read */
	return l;
}

static const struct {
	uint32_t stages;
	const char *text;
} rows[] = {
	{ 0, "i386 mmap2\nx86_64 #400\nx86_64 read\nx86_64 write\n" },
	{ 1u << TAMIS_WORKLOAD, "i386 mmap2\nx86_64 #400\nx86_64 read\nx86_64 write\n" },
	{ 1u << TAMIS_SETUP, "x86_64 mount\n" },
	{ 1u << TAMIS_GATE, "x86_64 execve\n" },
	{ 1u << TAMIS_SESSION, "x86_64 getpid\nx86_64 read\n" },
	{ (1u << TAMIS_STAGE_MAX) - 1, "i386 mmap2\nx86_64 #400\nx86_64 execve\nx86_64 getpid\n"
				       "x86_64 mount\nx86_64 read\nx86_64 write\n" },
};

static void stages_as_asked(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct learned l = sample();
	struct policy p = { .filter = f, .learned = &l };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct emit_options o = { .stages = rows[i].stages };
		_free_ char *text = emitted("names", &p, &o, NULL);

		assert_string_equal(text, rows[i].text);
	}
}

/* What waits for a person's word is seen, and not in the policy. */
static void pending_calls_are_seen(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct learned l = sample(), seen = sample();
	struct policy p = { .filter = f, .learned = &l, .seen = &seen };
	struct emit_options o = { .stages = 1u << TAMIS_WORKLOAD };
	_free_ char *policy = NULL, *all = NULL;

	learn(&seen, TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 101); /* ptrace */
	policy = emitted("names", &p, NULL, NULL);
	all = emitted("names", &p, &o, NULL);
	assert_string_equal(policy, "i386 mmap2\nx86_64 #400\nx86_64 read\nx86_64 write\n");
	assert_string_equal(all, "i386 mmap2\nx86_64 #400\nx86_64 ptrace\nx86_64 read\n"
				 "x86_64 write\n");
}

static void nothing_learned_is_nothing_written(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct learned l = { 0 };
	struct policy p = { .filter = f, .learned = &l };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "exit"); /* of the policy, not of the workload */
	text = emitted("names", &p, NULL, NULL);
	assert_string_equal(text, "");
}

static void a_file_has_no_stages(void **state)
{
	static const struct filter_cond c = { 0, FILTER_EQ, 0 };
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64 | ARM);
	struct policy p = { .filter = f };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_X86_64, "write read");
	allow(f, TAMIS_ABI_ARM, "set_tls");
	add_cond(f, TAMIS_ABI_X86_64, 135, FILTER_ALLOW, 0, 1, &c);
	add(f, TAMIS_ABI_X86_64, 165, FILTER_ERRNO, 1);
	filter_sort(f);
	text = emitted("names", &p, NULL, NULL);
	assert_string_equal(text, "arm set_tls\nx86_64 personality\nx86_64 read\nx86_64 write\n");
}

/* The largest policy there can be, in the order of LC_ALL=C sort. */
static void every_call_of_every_abi(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct learned l;
	struct policy p = { .filter = f, .learned = &l };
	_free_ char *text = NULL;
	const char *before = "";
	unsigned cnt = 0;

	memset(&l, 0xff, sizeof(l));
	text = emitted("names", &p, NULL, NULL);
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		assert_true(strcmp(before, line) < 0);
		before = line;
		cnt++;
	}
	assert_int_equal(cnt, TAMIS_ABI_MAX * TAMIS_CALLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_as_asked),
		cmocka_unit_test(pending_calls_are_seen),
		cmocka_unit_test(nothing_learned_is_nothing_written),
		cmocka_unit_test(a_file_has_no_stages),
		cmocka_unit_test(every_call_of_every_abi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
