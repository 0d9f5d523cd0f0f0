/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/formats.h"
#include "unit/filters.h"

#define NOON 1767268800 /* 2026-01-01 12:00:00 UTC */

struct sample {
	struct filter *filter;
	struct learned learned;
	struct evidence evidence;
	struct policy_origin origin[2];
	struct policy policy;
};

static void add_why(struct filter *f, enum tamis_abi abi, const char *name, uint32_t why)
{
	struct filter_rule r = { .abi = abi, .nr = calls_number(abi, name), .why = why };

	r.action = FILTER_ALLOW;
	assert_int_equal(filter_add(f, &r), 0);
}

static void sample_make(struct sample *s)
{
	static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
	struct filter *f = filter_make(X86_64 | I386);

	*s = (struct sample){ .filter = f };
	add_why(f, TAMIS_ABI_X86_64, "openat", FILTER_WHY_WORKLOAD | FILTER_WHY_GATE_TABLE);
	add_why(f, TAMIS_ABI_X86_64, "exit_group", FILTER_WHY_ALWAYS);
	add_why(f, TAMIS_ABI_X86_64, "getpid", FILTER_WHY_SESSION);
	add_why(f, TAMIS_ABI_I386, "read", FILTER_WHY_WORKLOAD);
	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ALLOW, 0, 1, &no_namespaces);
	add(f, TAMIS_ABI_X86_64, 165, FILTER_ERRNO, 1);
	add(f, TAMIS_ABI_X86_64, 101, FILTER_ERRNO, 1);
	add(f, TAMIS_ABI_X86_64, 435, FILTER_ERRNO, 38);
	filter_sort(f);
	s->evidence =
		(struct evidence){ .starts = 3, .since = NOON, .last = NOON + 61, .units = 2 };
	s->origin[0] = (struct policy_origin){
		TAMIS_ABI_X86_64, TAMIS_WORKLOAD,	  257, NOON, NOON + 60, 12,
		"redis-server",	  "/usr/bin/redis-server"
	};
	s->origin[1] =
		(struct policy_origin){ TAMIS_ABI_I386, TAMIS_WORKLOAD, 3, NOON, NOON, 0, "", "" };
	s->policy = (struct policy){
		.workload = "podman/redis",
		.engine = "podman",
		.image = "localhost/redis:latest",
		.filter = f,
		.learned = &s->learned,
		.evidence = &s->evidence,
		.origin = s->origin,
		.origin_cnt = 2,
		.runtimes = "runc, crun@1.8",
	};
}

static void sample_done(struct sample *s)
{
	filter_free(s->filter);
}
#define _sample_ __attribute__((cleanup(sample_done)))

static char *text_of(const struct sample *s)
{
	return emitted("text", &s->policy, NULL, NULL);
}

static void check_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("lacks: %s\n%s\n", part, text);
	assert_non_null(strstr(text, part));
}

static void whole(void **state)
{
	_sample_ struct sample s;
	_free_ char *text = NULL;

	sample_make(&s);
	text = text_of(&s);
	check_has(text, "workload:  podman/redis\nengine:    podman\n"
			"image:     localhost/redis:latest\ngate of:   runc, crun@1.8\n"
			"observed:  since 2026-01-01 12:00:00Z, last news 2026-01-01 12:01:01Z; "
			"starts seen: 3, sampling units: 2\npartial:   no\nlost:      nothing\n");
	check_has(text, "\nx86_64: 4 calls allowed\n  file system\n"
			"    openat                  workload, gate (table)\n"
			"                            workload: first 2026-01-01 12:00:00Z, last "
			"2026-01-01 12:01:00Z, by redis-server (/usr/bin/redis-server)\n");
	check_has(text, "  process\n    clone                   from the policy file\n"
			"                            allowed if arg0 & 0x7e020000 == 0x0\n"
			"    exit_group              always\n"
			"    getpid                  session\n");
	check_has(text, "\ni386: 1 call allowed\n  io\n    read ");
	check_has(text, "\nrefused\n  x86_64, ENOSYS: clone3\n  x86_64, EPERM: mount, ptrace\n"
			"  every other call: ENOSYS\n  calls of other ABIs: killed\n");
	check_has(text, "\nnot said\n  oci: names are shared by all ABIs listed, so allowed more "
			"widely on some: clone, exit_group, getpid, openat, read\n");
}

static void twice_the_same(void **state)
{
	_sample_ struct sample s;
	_free_ char *once = NULL, *again = NULL;

	sample_make(&s);
	once = text_of(&s);
	again = text_of(&s);
	assert_string_equal(once, again);
}

static void setup_is_no_reason(void **state)
{
	_sample_ struct sample s;
	_free_ char *text = NULL;

	sample_make(&s);
	s.origin[0].stage = TAMIS_SETUP;
	text = text_of(&s);
	assert_null(strstr(text, "redis-server (/usr"));
}

static const struct {
	struct evidence e;
	const char *text;
} evidences[] = {
	{ { .starts = 0 }, "partial:   yes, no start of it was seen" },
	{ { .starts = 1, .lost_full = 7 },
	  "partial:   yes, a loss may have hidden a call\nlost:      7 calls dropped because" },
	{ { .starts = 1, .lost_gaps = 2 },
	  "partial:   yes, a loss may have hidden a call\nlost:      2 intervals in which nobody" },
	{ { .starts = 1, .lost_range = 9 },
	  "partial:   no\nlost:      9 calls with a number out of range" },
	{ { .starts = 1, .lost_ring = 5 }, "partial:   no\nlost:      5 events dropped" },
	{ { .starts = 1, .lost_task = 4 }, "lost:      4 tasks whose stage was lost" },
	{ { .starts = 1, .lost_full = 1, .lost_ring = 1 },
	  "lost:      1 calls dropped because the kernel map was full\n           1 events" },
	{ { .starts = 1, .since = -5, .last = INT64_MAX }, "since unknown, last news unknown;" },
};

static void losses_in_plain_words(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(evidences); i++) {
		_sample_ struct sample s;
		_free_ char *text = NULL;

		sample_make(&s);
		s.evidence = evidences[i].e;
		text = text_of(&s);
		check_has(text, evidences[i].text);
	}
}

static void caveats_are_said(void **state)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	_sample_ struct sample s;
	_free_ char *none = NULL, *text = NULL;

	sample_make(&s);
	s.policy.gate_unknown = gate;
	none = text_of(&s);
	assert_null(strstr(none, "beware"));
	sysset_add(&gate[TAMIS_ABI_X86_64], 437);
	sysset_add(&gate[TAMIS_ABI_I386], 575);
	s.evidence.leaves = 2;
	s.policy.why_not = "its cgroup is\nanybody's";
	text = text_of(&s);
	check_has(text,
		  "\nbeware\n"
		  "  can't be enforced: its cgroup is\\x0aanybody's\n"
		  "  2 processes left for other cgroups: what they do there was not learned, "
		  "and is refused when a filter follows them\n"
		  "  gate calls that are in no runtime's table, from a newer runtime or a hook, "
		  "allowed because they were seen: x86_64 openat2, i386 #575\n"
		  "\nnot said\n");
}

/* Nothing that a container chose can forge a line or reach the terminal. */
static void hostile_strings_are_escaped(void **state)
{
	static const char hostile[] = "a\nengine: docker\x1b[2J\xff\x7f";
	_sample_ struct sample s;
	_free_ char *text = NULL;

	sample_make(&s);
	s.policy.workload = s.policy.engine = s.policy.image = s.policy.runtimes = hostile;
	s.origin[0].comm = s.origin[0].exe = hostile;
	text = text_of(&s);
	assert_null(strstr(text, "\nengine: docker"));
	check_has(text, "workload:  a\\x0aengine: docker\\x1b[2J\\xff\\x7f\n");
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
}

static void long_strings_are_cut(void **state)
{
	_sample_ struct sample s;
	_free_ char *text = NULL;
	char exe[5000];

	memset(exe, 'x', sizeof(exe));
	exe[sizeof(exe) - 1] = '\0';
	sample_make(&s);
	s.origin[0].exe = exe;
	text = text_of(&s);
	check_has(text, "xxx...)\n");
	assert_true(strlen(text) < 4000);
}

static void a_policy_from_a_file(void **state)
{
	static const char start[] =
		"# tamis policy\n\nx86_64: 2 calls allowed\n  io\n"
		"    read                    from the policy file\n  other\n"
		"    #400                    from the policy file, logged\n\nrefused\n"
		"  every other call: kills the process\n"
		"  calls of other ABIs: killed\n\nnot said\n"
		"  oci: calls without a name can't be said and are refused: "
		"x86_64 #400\n"
		"  systemd: it allows these by itself: arch_prctl, brk,";
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	struct policy p = { .filter = f };
	_free_ char *text = NULL;

	f->default_action = FILTER_KILL_PROCESS;
	allow(f, TAMIS_ABI_X86_64, "read");
	add(f, TAMIS_ABI_X86_64, 400, FILTER_LOG, 0);
	filter_sort(f);
	text = emitted("text", &p, NULL, NULL);
	assert_int_equal(strncmp(text, start, strlen(start)), 0);
}

static void every_named_call_has_a_group(void **state)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; nr < calls_end(abi); nr++) {
			const char *name = calls_name(abi, nr);
			bool found = false;

			if (!name)
				continue;
			for (size_t g = 0; group_names[g]; g++)
				found |= group_of(name) == group_names[g];
			assert_true(found);
		}
	}
	assert_string_equal(group_of("openat"), "file system");
	assert_string_equal(group_of("open"), "file system");
	assert_string_equal(group_of("_llseek"), "file system"); /* first of a line */
	assert_string_equal(group_of("socket"), "network");
	assert_string_equal(group_of("futex"), "process");
	assert_string_equal(group_of("reboot"), "other");
	assert_string_equal(group_of("no_such_call"), "other");
	assert_string_equal(group_of("system"), "other"); /* of "file system:" */
}

/* Calls that nobody learned, for processes that leave. */
static void what_leaves_is_named(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	const struct policy p = { .workload = "systemd/ssh.service", .filter = f };
	_free_ char *text = NULL;

	add_why(f, TAMIS_ABI_X86_64, "sendfile", FILTER_WHY_DESCENDANTS);
	filter_sort(f);
	text = emitted("text", &p, NULL, NULL);
	check_has(text, "not guarded, for what leaves the unit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(twice_the_same),
		cmocka_unit_test(setup_is_no_reason),
		cmocka_unit_test(losses_in_plain_words),
		cmocka_unit_test(caveats_are_said),
		cmocka_unit_test(hostile_strings_are_escaped),
		cmocka_unit_test(long_strings_are_cut),
		cmocka_unit_test(a_policy_from_a_file),
		cmocka_unit_test(every_named_call_has_a_group),
		cmocka_unit_test(what_leaves_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
