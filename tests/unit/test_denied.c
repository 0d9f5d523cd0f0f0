/* SPDX-License-Identifier: Apache-2.0 */
/* From a kernel that counts what it is told to a real store, by way of a real observer. */
#include "observer_fixture.h"

#include <signal.h>

#include "apply/note.h"
#include "base/file.h"
#include "base/text.h"
#include "generation_fixture.h"
#include "learn/denied.h"
#include "model/calls.h"
#include "policy/data.h"

/* x86_64 */
enum {
	READ = 0,
	WRITE = 1,
	GETPGRP = 111,
	PTRACE = 101,
	FUTEX = 202,
	EXECVE = 59,
	CLONE = 56,
	MQ = 240
};

static struct under *under;
static struct denied *denied;
static char said[1024];

static void on_denied(void *arg, const char *key, const char *container,
		      const struct store_denial *d, uint64_t more)
{
	_free_ char *line = text_format("%s %s %s %u/%u of %u by %s;", key, container ?: "-",
					denial_kind_name(d->kind), d->nr, (unsigned)more,
					(unsigned)d->count, d->comm ?: "-");

	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s", line);
}

static void begin_denied(void)
{
	const struct denied_options o = {
		.store = st, .observer = watcher, .under = under, .denied = on_denied
	};

	assert_int_equal(denied_new(&o, &denied), 0);
}

static int64_t web;

/* "cgroup/w-web", which learned `read` as generation 1, and runs as container c1. */
static int begin_web(void **state)
{
	int r = begin(state);

	said[0] = '\0';
	if (r == 0)
		r = under_new(state_dir, &under);
	if (r < 0)
		return r;
	start();
	begin_denied();
	kernel_mkdir(100, "/w-web+c1");
	kernel_call(100, TAMIS_WORKLOAD, READ);
	drain();
	assert_stored(store_workload_id(st, "cgroup/w-web", &web));
	IN_TRANSACTION(void) add_generation(web, READ);
	return 0;
}

static int end_web(void **state)
{
	denied_free(denied);
	under_free(under);
	denied = NULL;
	under = NULL;
	return end(state);
}

static void begun(const char *container, enum policy_mode mode)
{
	const struct observed_start e = { .key = "cgroup/w-web", .container = container };

	if (mode != MODE_OBSERVE)
		assert_int_equal(started_add(state_dir, e.key, container, 1, mode), 0);
	assert_stored(under_started(under, st, &e));
}

static void drain_denied(void)
{
	said[0] = '\0';
	assert_stored(denied_drain(denied, NOW));
}

static uint64_t count_of(uint32_t nr)
{
	struct store_denial d = { .workload = web, .nr = nr };
	int r = store_denial_sum(st, &d);

	return r == 0 ? d.count : 0;
}

static size_t rows(void)
{
	return (size_t)ask_db("SELECT count(*) FROM denial");
}

/* --- counts ------------------------------------------------------------------------------- */

static void what_grew_is_added(void **state)
{
	struct store_denial *d = NULL;
	uint64_t now = (uint64_t)note_now_ms();
	size_t cnt = 0;

	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, now - 20000);
	drain_denied();
	assert_string_equal(said, "cgroup/w-web c1 errno 111/3 of 3 by httpd;");
	drain_denied();
	assert_string_equal(said, "");
	kernel_deny(100, GETPGRP, 2, now - 10000);
	kernel_deny(100, MQ, 1, now - 10000);
	drain_denied();
	assert_string_equal(said, "cgroup/w-web c1 errno 111/2 of 5 by httpd;"
				  "cgroup/w-web c1 errno 240/1 of 1 by httpd;");
	assert_stored(store_denials(st, web, &d, &cnt));
	assert_int_equal(cnt, 2);
	assert_int_equal(d[0].count, 5);
	assert_in_range(d[0].first, NOW - 22, NOW - 20);
	assert_in_range(d[0].last, NOW - 12, NOW - 10);
	assert_int_equal(d[0].generation, 1);
	assert_int_equal(d[0].pid, 4711);
	assert_string_equal(d[0].comm, "httpd");
	assert_null(d[0].exe);
	store_denials_free(d, cnt);
	assert_int_equal(kernel.denial_cnt, 2); /* denials stay, so that none is lost */
}

static void another_daemon_counts_none_twice(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, 1000);
	drain_denied();
	denied_free(denied);
	begin_denied();
	drain_denied();
	assert_string_equal(said, "");
	denied_free(denied);
	kernel_deny(100, GETPGRP, 4, 2000);
	begin_denied();
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 7);
}

/* What is not in the store is not counted as if it were. */
static void what_fails_is_added_later(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, 1000);
	spoil_db("CREATE TRIGGER no BEFORE INSERT ON counted BEGIN SELECT raise(ABORT, 'no'); END");
	assert_true(denied_drain(denied, NOW) < 0);
	assert_string_equal(said, "");
	assert_int_equal(rows(), 0);
	spoil_db("DROP TRIGGER no");
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 3);
}

static void a_count_that_began_anew_is_another(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, 1000);
	drain_denied();
	kernel.denial_cnt = 0;
	kernel_deny(100, GETPGRP, 5, 2000);
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 8);
	kernel.denial[0].d.count = 2; /* a smaller one is new whatever it says */
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 10);
}

static void what_the_kernel_forgot_is_forgotten(void **state)
{
	uint64_t before;

	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, 1000);
	drain_denied();
	assert_int_equal(ask_db("SELECT count(*) FROM counted"), 1);
	kernel_rmdir(100);
	drain();
	assert_int_equal(kernel.denial_cnt, 0);
	drain_denied();
	assert_int_equal(ask_db("SELECT count(*) FROM counted"), 0);
	before = log_written();
	drain_denied();
	assert_int_equal(log_written(), before);
	assert_int_equal(count_of(GETPGRP), 3);
}

static void nothing_new_touches_no_disk(void **state)
{
	uint64_t before;

	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 3, 1000);
	kernel_deny(100, READ, 3, 1000);
	drain_denied();
	before = log_written();
	kernel_deny(100, READ, 3, 1000);
	drain_denied();
	assert_int_equal(log_written(), before);
}

/* Counts of another boot say nothing of this one's cgroups. */
static void another_boots_counts_go(void **state)
{
	begun("c1", MODE_ENFORCE);
	spoil_db("INSERT INTO counted VALUES ('another', 100, 0, 111, 1000, 3)");
	kernel_deny(100, GETPGRP, 3, 1000);
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 3);
	assert_int_equal(ask_db("SELECT count(*) FROM counted"), 1);
}

/* --- whether it is one --------------------------------------------------------------------- */

static void what_passes_is_none(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_deny(100, READ, 1, 1000); /* learned */
	if (abi_native() == TAMIS_ABI_X86_64)
		kernel_deny(100, FUTEX, 1, 1000); /* every runtime's gate */
	kernel_deny(100, EXECVE, 1, 1000);
	drain_denied();
	assert_int_equal(rows(), 0);
	assert_int_equal(kernel.denial_cnt, 0); /* room for others */
}

static void only_filters_of_ours_deny(void **state)
{
	begun("c1", MODE_OBSERVE);
	kernel_deny(100, GETPGRP, 3, 1000);
	drain_denied();
	assert_int_equal(rows(), 0);
	assert_int_equal(kernel.denial_cnt, 0);
}

static void a_cgroup_may_be_named_late(void **state)
{
	begun("c2", MODE_ENFORCE);
	kernel_deny(101, GETPGRP, 3, 1000);
	drain_denied();
	assert_int_equal(rows(), 0);
	assert_int_equal(kernel.denial_cnt, 1);
	kernel_mkdir(101, "/w-web+c2");
	kernel_call(101, TAMIS_WORKLOAD, READ);
	drain();
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 3);
	/* but not for ever */
	kernel_deny(102, GETPGRP, 3, 1000);
	for (int i = 0; i < 6; i++)
		drain_denied();
	assert_int_equal(kernel.denial_cnt, 1);
}

/* An exec session, or crun's cgroup inside: the container's. */
static void what_is_inside_is_the_containers(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_mkdir(101, "/w-web+c1/container");
	kernel_call(101, TAMIS_SESSION, READ);
	drain();
	kernel_deny(101, GETPGRP, 2, 1000);
	drain_denied();
	assert_string_equal(said, "cgroup/w-web c1 errno 111/2 of 2 by httpd;");
}

static void in_probation_the_journal_has_the_first_word(void **state)
{
	const struct sysset learned = SET(PTRACE);
	struct store_denial asked = {
		.kind = DENIAL_ASKED, .nr = MQ, .count = 1, .first = NOW, .last = NOW
	};

	begun("c1", MODE_PROBATION);
	kernel_deny(100, GETPGRP, 1, 1000); /* the engine's profile refuses it */
	kernel_deny(100, MQ, 1, 1000);	    /* the keeper does, */
	kernel_deny(100, PTRACE, 1, 1000);  /* and let that one go on, to the kernel's own EPERM */
	drain_denied();
	assert_int_equal(rows(), 0);
	asked.workload = web;
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &asked, NULL));
		assert_stored(store_learn(st, web, "keeper", 0, &learned, NULL, NOW));
	}
	drain_denied();
	drain_denied();
	assert_string_equal(said, "cgroup/w-web c1 errno 111/1 of 1 by httpd;");
	assert_int_equal(rows(), 2);
	assert_int_equal(kernel.denial_cnt, 1);
	kernel_deny(100, GETPGRP, 1, 1000);
	drain_denied();
	assert_int_equal(count_of(GETPGRP), 2);
}

/* A command took it away while its container runs on. */
static void a_workload_that_is_gone_is_nobodys(void **state)
{
	begun("c1", MODE_ENFORCE);
	kernel_deny(100, GETPGRP, 1, 1000);
	spoil_db("PRAGMA foreign_keys=ON; DELETE FROM workload");
	drain_denied();
	assert_string_equal(said, "");
	assert_int_equal(rows(), 0);
}

static void generations_say_what_they_refuse(void **state)
{
	static const struct {
		const char *name;
		bool learned, gate, denied, descendants, clones, no_gates;
		bool refused;
	} table[] = {
		{ "getpgid", .refused = true },
		{ "getpgid", .learned = true },
		{ "getpgid", .gate = true },
		{ "getpgid", .denied = true, .refused = true },
		{ "getpgid", .denied = true, .descendants = true, .refused = true },
		{ "getpgid", .descendants = true },
		{ "bpf", .descendants = true, .refused = true },
		{ "bpf", .descendants = true, .learned = true },
		{ "futex", .refused = false },
		{ "futex", .denied = true, .refused = true },
		{ "exit_group", .denied = true },
		{ "execve", .denied = true },
		{ "rt_sigreturn", .refused = false },
		{ "clone3", .clones = true, .no_gates = true }, /* libc falls back */
		{ "clone3", .no_gates = true, .refused = true },
		{ "clone3", .clones = true, .denied = true, .refused = true },
	};
	static const struct sysset none[TAMIS_ABI_MAX];
	struct sysset always[TAMIS_ABI_MAX] = { 0 }, gates[TAMIS_ABI_MAX] = { 0 };
	const enum tamis_abi abi = abi_native(); /* a gate is the machine's own */

	assert_int_equal(data_always(always), 0);
	assert_int_equal(data_gate(NULL, gates), 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct generation g = { .descendants = table[i].descendants };
		uint32_t nr = (uint32_t)calls_number(abi, table[i].name);

		if (table[i].learned)
			sysset_add(&g.learned.set[TAMIS_SESSION][abi], nr);
		if (table[i].gate)
			sysset_add(&g.learned.set[TAMIS_GATE][abi], nr);
		if (table[i].clones)
			sysset_add(&g.learned.set[TAMIS_WORKLOAD][abi], calls_number(abi, "clone"));
		if (table[i].denied)
			sysset_add(&g.denied[abi], nr);
		if (denied_by(&g, always, table[i].no_gates ? none : gates, abi, nr) !=
		    table[i].refused)
			fail_msg("row %zu: %s", i, table[i].name);
	}
}

/* --- deaths -------------------------------------------------------------------------------- */

static int die(const char *container, int sig, uint32_t nr)
{
	const struct observed_exit e = { .key = "cgroup/w-web",
					 .container = container,
					 .end = TRIAL_KILLED,
					 .code = sig,
					 .at_ms = note_now_ms() - 7000,
					 .comm = "sh\n",
					 .pid = 12,
					 .nr = nr };

	said[0] = '\0';
	return denied_exit(denied, &e, NOW);
}

static void deaths_by_sigsys_are_denials(void **state)
{
	struct store_denial *d = NULL;
	size_t cnt = 0;

	begun("c1", MODE_ENFORCE);
	begun("c2", MODE_OBSERVE);
	begun("c3", MODE_PROBATION);
	assert_stored(die("c1", SIGSYS, GETPGRP));
	assert_string_equal(said, "cgroup/w-web c1 sigsys 111/1 of 1 by sh\n;");
	assert_stored(die("c3", SIGSYS, GETPGRP));
	assert_string_equal(said, "cgroup/w-web c3 sigsys 111/1 of 2 by sh\n;");
	assert_stored(die("c1", SIGSYS, TAMIS_CALLS));
	assert_stored(die("c1", SIGSYS, UINT32_MAX));
	assert_string_equal(said, "cgroup/w-web c1 sigsys 576/1 of 2 by sh\n;");
	assert_stored(die("c1", SIGSYS, READ)); /* sent by somebody: it passes */
	assert_string_equal(said, "cgroup/w-web c1 sigsys 576/1 of 3 by sh\n;");
	assert_stored(die("c2", SIGSYS, GETPGRP));
	assert_stored(die("c1", SIGKILL, GETPGRP));
	assert_stored(die("c9", SIGSYS, GETPGRP));
	assert_string_equal(said, "");
	assert_stored(store_denials(st, web, &d, &cnt));
	assert_int_equal(cnt, 2);
	for (size_t i = 0; i < cnt; i++) {
		assert_int_equal(d[i].kind, DENIAL_SIGSYS);
		assert_int_equal(d[i].count, d[i].nr == GETPGRP ? 2 : 3);
		assert_int_equal(d[i].generation, 1);
		assert_in_range(d[i].last, NOW - 8, NOW - 6);
	}
	store_denials_free(d, cnt);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_web, end_web)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_grew_is_added),
		TEST(another_daemon_counts_none_twice),
		TEST(what_fails_is_added_later),
		TEST(a_count_that_began_anew_is_another),
		TEST(what_the_kernel_forgot_is_forgotten),
		TEST(nothing_new_touches_no_disk),
		TEST(another_boots_counts_go),
		TEST(what_passes_is_none),
		TEST(only_filters_of_ours_deny),
		TEST(a_cgroup_may_be_named_late),
		TEST(what_is_inside_is_the_containers),
		TEST(in_probation_the_journal_has_the_first_word),
		TEST(a_workload_that_is_gone_is_nobodys),
		TEST(generations_say_what_they_refuse),
		TEST(deaths_by_sigsys_are_denials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
