/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/may.h"
#include "base/cleanup.h"

struct heard {
	char text[1024]; /* each reason with a newline */
	unsigned cnt;
};

static void hear(void *ctx, const char *why)
{
	struct heard *h = ctx;

	assert_true(strlen(why) > 0 && why[strlen(why) - 1] != '.' && !strchr(why, '\n'));
	assert_true(strlen(h->text) + strlen(why) + 2 < sizeof(h->text));
	strcat(h->text, why);
	strcat(h->text, "\n");
	h->cnt++;
}

static const struct evidence whole = { .starts = 3, .units = 9 };

/* What differs from a container that was learned whole; "" for NULL. */
struct row {
	const char *engine, *name, *key;
	const struct evidence *evidence;
	const struct learned *learned;
	const char *why_not;
	bool no_calls, with_descendants, opted_out, probation;
	enum may_answer answer;
	unsigned cnt;
	const char *why; /* a part of what is said; NULL: nothing */
};

static const char *text_or(const char *text, const char *otherwise)
{
	if (!text)
		return otherwise;
	return *text ? text : NULL;
}

static enum may_answer ask(const struct row *row, struct heard *h)
{
	const struct may_in in = {
		.engine = text_or(row->engine, "podman"),
		.key = row->key ?: "some/kubelet.service",
		.name = text_or(row->name, "web"),
		.evidence = row->evidence ?: &whole,
		.calls = row->no_calls ? 0 : 80,
		.why_not = row->why_not,
		.with_descendants = row->with_descendants,
		.opted_out = row->opted_out,
		.probation = row->probation,
		.learned = row->learned,
	};

	return may_enforce(&in, hear, h);
}

static const struct evidence no_start = { .units = 9 };
static const struct evidence full = { .starts = 1, .lost_full = 2 };
static const struct evidence gaps = { .starts = 1, .lost_gaps = 1 };
static const struct evidence harmless = { .starts = 1, .lost_range = 5, .lost_ring = 6 };
static const struct evidence leaves = { .starts = 1, .leaves = 1 };
static const struct row rows[] = {
	{ .answer = MAY },
	{ .engine = "docker", .answer = MAY },
	{ .engine = "containerd", .answer = MAY },
	{ .engine = "kubernetes", .answer = MAY },
	{ .engine = "crio", .answer = MAY },
	{ .engine = "oci", .answer = MAY },
	{ .engine = "lxc", .answer = MAY_NOT, .cnt = 1, .why = "lxc" },
	{ .engine = "nspawn", .answer = MAY_NOT, .cnt = 1, .why = "exported only" },
	{ .engine = "cgroup",
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "nothing can be put in place for cgroup" },
	{ .engine = "", .answer = MAY_NOT, .cnt = 1, .why = "unknown engine" },
	{ .evidence = &harmless, .answer = MAY },
	{ .evidence = &no_start,
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "partial: no start was seen\n" },
	{ .evidence = &full,
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "partial: 2 calls were dropped" },
	{ .evidence = &gaps,
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "partial: 1 time it may have run unobserved" },
	{ .why_not = "its container has no name",
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "its container has no name\n" },
	{ .opted_out = true, .answer = MAY_FORCED, .cnt = 1, .why = "opted out" },
	{ .no_calls = true, .answer = MAY_NOT, .cnt = 1, .why = "no calls were learned" },
	{ .evidence = &leaves, .answer = MAY_FORCED, .cnt = 1, .why = "1 process left it" },
	{ .evidence = &leaves, .with_descendants = true, .answer = MAY },
	{ .evidence = &no_start,
	  .opted_out = true,
	  .why_not = "x",
	  .no_calls = true,
	  .answer = MAY_NOT,
	  .cnt = 4,
	  .why = "x\n" },
	/* A container may be called what it likes. */
	{ .name = "docker.service", .answer = MAY },
	{ .engine = "systemd", .name = "nginx.service", .answer = MAY },
	{ .engine = "systemd",
	  .name = "nginx.service",
	  .evidence = &leaves,
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "left it" },
	{ .engine = "systemd",
	  .name = "nginx.service",
	  .evidence = &leaves,
	  .with_descendants = true,
	  .answer = MAY },
	{ .engine = "systemd",
	  .name = "init.scope",
	  .with_descendants = true,
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "init.scope is never enforced" },
	{ .engine = "systemd",
	  .name = "docker.service",
	  .with_descendants = true,
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "containers run under" },
	{ .engine = "systemd",
	  .name = "tamis.service",
	  .with_descendants = true,
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "part of tamis" },
	{ .engine = "systemd",
	  .name = "ssh.service",
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "only be enforced with its descendants" },
	{ .engine = "systemd",
	  .name = "ssh.service",
	  .evidence = &leaves,
	  .answer = MAY_NOT,
	  .cnt = 2,
	  .why = "the way into this machine" },
	{ .engine = "systemd",
	  .name = "ssh.service",
	  .evidence = &leaves,
	  .with_descendants = true,
	  .answer = MAY },
	{ .engine = "systemd",
	  .name = "sshd.service",
	  .evidence = &no_start,
	  .with_descendants = true,
	  .answer = MAY_FORCED,
	  .cnt = 1,
	  .why = "partial" },
	{ .engine = "systemd", .name = "", .answer = MAY_NOT, .cnt = 1, .why = "kubelet.service" },
};

static void what_may_be_enforced(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct heard h = { 0 };
		enum may_answer a = ask(&rows[i], &h);

		if (a != rows[i].answer || h.cnt != rows[i].cnt ||
		    (rows[i].why && !strstr(h.text, rows[i].why)))
			fail_msg("row %zu: %d, %u reasons:\n%s", i, (int)a, h.cnt, h.text);
	}
}

/* Each reason of evidence is said by itself, and no other is partial. */
static void partial_is_what_evidence_says(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		const struct evidence e = { .starts = i & 1,
					    .lost_full = i & 2,
					    .lost_gaps = i & 4 };
		const struct row row = { .evidence = &e };
		struct heard h = { 0 };

		assert_int_equal(ask(&row, &h) == MAY_FORCED, evidence_is_partial(&e));
		assert_int_equal(h.cnt, !(i & 1) + !!(i & 2) + !!(i & 4));
	}
}

static const struct row probation_rows[] = {
	{ .answer = MAY },
	{ .evidence = &no_start, .answer = MAY },
	{ .evidence = &full, .no_calls = true, .answer = MAY },
	{ .engine = "systemd",
	  .name = "nginx.service",
	  .answer = MAY_NOT,
	  .cnt = 1,
	  .why = "no probation for units" },
	{ .key = "podman/~1000/web", .answer = MAY_NOT, .cnt = 1, .why = "without root" },
	{ .key = "podman/web/~1000", .answer = MAY },
	{ .engine = "lxc", .answer = MAY_NOT, .cnt = 1, .why = "exported only" },
	{ .opted_out = true, .answer = MAY_FORCED, .cnt = 1, .why = "opted out" },
	{ .why_not = "another kernel", .answer = MAY_FORCED, .cnt = 1, .why = "another kernel" },
	{ .evidence = &leaves, .answer = MAY_FORCED, .cnt = 1, .why = "1 process left it" },
};

static void what_may_be_in_probation(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(probation_rows); i++) {
		struct row row = probation_rows[i];
		struct heard h = { 0 };
		enum may_answer a;

		row.probation = true;
		a = ask(&row, &h);
		if (a != row.answer || h.cnt != row.cnt || (row.why && !strstr(h.text, row.why)))
			fail_msg("row %zu: %d, %u reasons:\n%s", i, (int)a, h.cnt, h.text);
	}
}

/* Its own listener can't be beside the keeper's, in whichever ABI it asks for one. */
static void who_calls_seccomp_is_forced(void **state)
{
	static const struct {
		enum tamis_stage stage;
		enum tamis_abi abi;
		uint32_t nr;
		bool probation;
		enum may_answer answer;
	} t[] = {
		{ TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 317, true, MAY_FORCED },
		{ TAMIS_SESSION, TAMIS_ABI_X86_64, 317, true, MAY_FORCED },
		{ TAMIS_WORKLOAD, TAMIS_ABI_I386, 354, true, MAY_FORCED },
		{ TAMIS_WORKLOAD, TAMIS_ABI_I386, 317, true, MAY },
		/* the runtime's */
		{ TAMIS_SETUP, TAMIS_ABI_X86_64, 317, true, MAY },
		{ TAMIS_GATE, TAMIS_ABI_X86_64, 317, true, MAY },
		{ TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 316, true, MAY },
		{ TAMIS_WORKLOAD, TAMIS_ABI_X86_64, 317, false, MAY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct learned learned = { 0 };
		const struct row row = { .learned = &learned, .probation = t[i].probation };
		struct heard h = { 0 };

		sysset_add(&learned.set[t[i].stage][t[i].abi], t[i].nr);
		if (ask(&row, &h) != t[i].answer || !strstr(h.text, h.cnt ? "EBUSY" : ""))
			fail_msg("row %zu: %s", i, h.text);
	}
}

static void a_long_name_is_cut(void **state)
{
	char name[2000];
	const struct may_in in = { .engine = name, .key = name, .evidence = &whole, .calls = 1 };
	struct heard h = { 0 };

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(may_enforce(&in, hear, &h), MAY_NOT);
	assert_true(strlen(h.text) < 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_enforced),
		cmocka_unit_test(partial_is_what_evidence_says),
		cmocka_unit_test(what_may_be_in_probation),
		cmocka_unit_test(who_calls_seccomp_is_forced),
		cmocka_unit_test(a_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
