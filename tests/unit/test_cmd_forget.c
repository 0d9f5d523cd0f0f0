/* SPDX-License-Identifier: Apache-2.0 */
/* forget as a command: what goes, what stays, what it says. */
#include "cmd_fixture.h"
#include "policy/oracles.h"

static int64_t gone, runs;

static void fill(void)
{
	const struct sysset i386 = SET(4, 162);

	IN_TRANSACTION
	{
		int64_t unit = add_unit(NOW), i;
		const struct store_instance over = { .instance = "i", .path = "/x" };
		struct store_instance was = over;

		gone = add_workload("podman/gone", "gone");
		runs = add_workload("podman/runs", "runs");
		was.workload = gone;
		assert_stored(store_instance(st, &was, NOW, &i));
		add_calls(i, unit, TAMIS_WORKLOAD, SET(0, 1, 35, 550), NOW);
		add_calls(i, unit, TAMIS_SESSION, SET(1), NOW);
		assert_stored(store_calls(st, i, unit, TAMIS_WORKLOAD, TAMIS_ABI_I386, &i386, NOW));
		add_calls(add_instance("j", runs, NOW), unit, TAMIS_WORKLOAD, SET(0, 1), NOW);
	}
}

static struct learned learned_of(int64_t workload)
{
	struct learned l;

	assert_stored(store_learned(st, workload, &l));
	return l;
}

static void a_name_means_every_abi(void **state)
{
	struct learned l;

	fill();
	assert_int_equal(RUN(cmd_forget, "gone", "write", "--state", "DIR"), EXIT_OK);
	check_said("forgot x86_64 write, i386 write of podman/gone\n");
	l = learned_of(gone);
	assert_false(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 1));
	assert_false(sysset_has(&l.set[TAMIS_SESSION][TAMIS_ABI_X86_64], 1));
	assert_false(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_I386], 4));
	assert_true(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 0));
	assert_true(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_I386], 162));
	l = learned_of(runs);
	assert_true(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 1));
}

static void one_abi(void **state)
{
	struct learned l;

	fill();
	assert_int_equal(RUN(cmd_forget, "gone", "i386:nanosleep", "--state", "DIR"), EXIT_OK);
	check_said("forgot i386 nanosleep of podman/gone\n");
	assert_int_equal(RUN(cmd_forget, "gone", "x86_64:#550", "--state", "DIR"), EXIT_OK);
	check_said("forgot x86_64 #550 of podman/gone\n");
	l = learned_of(gone);
	assert_false(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_I386], 162));
	assert_false(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 550));
	assert_true(sysset_has(&l.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 35)); /* nanosleep */
}

static void one_that_runs(void **state)
{
	fill();
	assert_int_equal(RUN(cmd_forget, "runs", "write", "--state", "DIR"), EXIT_OK);
	check_said("forgot x86_64 write of podman/runs; it still runs: learned again when it is "
		   "called from the next sampling unit on\n");
}

static void whole_workloads(void **state)
{
	struct store_row row;

	fill();
	assert_int_equal(RUN(cmd_forget, "gone", "--state", "DIR"), EXIT_OK);
	check_said("forgot podman/gone\n");
	assert_int_equal(count_workloads(), 1);
	assert_int_equal(RUN(cmd_forget, "runs", "--state", "DIR"), EXIT_OK);
	check_said(
		"forgot podman/runs; it still runs: learned again from now on, partial until its "
		"next start\n");
	row = row_of("podman/runs");
	assert_int_equal(row.calls, 0);
	assert_true(evidence_is_partial(&row.evidence));
	store_row_done(&row);
}

/* Somebody has to take its file away first. */
static void what_is_applied_is_released_first(void **state)
{
	static const struct failure refused[] = {
		{ &cmd_forget, { "gone", "--state", "DIR" }, 1, "'tamis release podman/gone'" },
		{ &cmd_forget, { "gone", "--state", "DIR" }, 1, "generation 1 is applied" },
	};
	_generation_ struct generation g = { .created = NOW };
	struct store_applied a = { .mode = MODE_SHADOW, .generation = 1 };

	fill();
	IN_TRANSACTION
	{
		assert_int_equal(store_generation_add(st, gone, &g), 0);
		assert_stored(store_applied_set(st, gone, &a));
	}
	check_failures(refused, ARRAY_SIZE(refused));
	assert_int_equal(RUN(cmd_forget, "gone", "write", "--state", "DIR"), EXIT_OK);
	a.mode = MODE_OBSERVE;
	IN_TRANSACTION
	assert_stored(store_applied_set(st, gone, &a));
	assert_int_equal(RUN(cmd_forget, "gone", "--state", "DIR"), EXIT_OK);
	assert_int_equal(count_workloads(), 1);
}

/* It may be about to bring production back. */
static void one_with_an_oracle_stays(void **state)
{
	static const struct failure refused[] = {
		{ &cmd_forget,
		  { "gone", "--state", "DIR" },
		  1,
		  "'tamis oracle podman/gone --stop'" },
	};
	struct store_oracle o = { .production = "container:gone", .hardened = "x" };

	fill();
	o.workload = gone;
	IN_TRANSACTION
	assert_stored(store_oracle_set(st, &o));
	check_failures(refused, ARRAY_SIZE(refused));
	assert_true(is_listed("podman/gone"));
}

static const struct failure failures[] = {
	{ &cmd_forget, { "gone", "frobnicate", "--state", "DIR" }, 1, "\"frobnicate\"" },
	{ &cmd_forget, { "gone", "z80:read", "--state", "DIR" }, 1, "unknown ABI in \"z80:read\"" },
	{ &cmd_forget, { "gone", ":read", "--state", "DIR" }, 1, "unknown ABI in \":read\"" },
	{ &cmd_forget, { "gone", "x86_64:#576", "--state", "DIR" }, 1, "\"x86_64:#576\"" },
	{ &cmd_forget, { "gone", "x86_64:", "--state", "DIR" }, 1, "\"x86_64:\"" },
	{ &cmd_forget, { "gone", "", "--state", "DIR" }, 1, "unknown call \"\"" },
	{ &cmd_forget, { "gone", "re\nad", "--state", "DIR" }, 1, "re\\x0aad" },
	{ &cmd_forget, { "gone", "reboot", "--state", "DIR" }, 1, "reboot was never seen" },
	{ &cmd_forget, { "gone", "x32:read", "--state", "DIR" }, 1, "x32:read was never seen" },
	{ &cmd_forget, { "nosuch", "--state", "DIR" }, 1, "\"nosuch\"" },
	{ &cmd_forget, { "podman", "--state", "DIR" }, 1, "podman/gone, podman/runs" },
	{ &cmd_forget, { "x", "--state", "/nonexistent" }, 1, "/nonexistent/tamis.db" },
	{ &cmd_forget, { "--state", "DIR" }, 2, "missing" },
	{ &cmd_forget, { "gone", "read", "write", "--state", "DIR" }, 2, "\"write\"" },
	{ &cmd_forget, { "gone", "--json" }, 2, "\"--json\"" },
};

static void failures_are_one_line(void **state)
{
	struct learned before, after;

	fill();
	before = learned_of(gone);
	check_failures(failures, ARRAY_SIZE(failures));
	after = learned_of(gone);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(count_workloads(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_means_every_abi),
		TEST(one_abi),
		TEST(one_that_runs),
		TEST(whole_workloads),
		TEST(failures_are_one_line),
		TEST(what_is_applied_is_released_first),
		TEST(one_with_an_oracle_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
