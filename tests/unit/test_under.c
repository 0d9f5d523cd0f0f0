/* SPDX-License-Identifier: Apache-2.0 */
/* What runs under what: a real store, real notes of starts, real processes. */
#include "under_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "learn/under_internal.h"

/* --- containers --------------------------------------------------------------------------- */

static void a_container_is_under_what_its_start_noted(void **state)
{
	int64_t w = workload("podman/web", "podman");

	/* what is applied meanwhile is another matter */
	apply(w, MODE_ENFORCE, 0, GENERATION_TRIAL);
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	noted("podman/web", "c2", 4, MODE_PROBATION);
	started("podman/web", "c1");
	started("podman/web", "c2");
	started("podman/web", "c3");
	assert_under("podman/web", "c1", MODE_ENFORCE, 3);
	assert_under("podman/web", "c2", MODE_PROBATION, 4);
	assert_under("podman/web", "c3", MODE_OBSERVE, 0);
	assert_unknown("podman/other", "c1");
	assert_unknown("podman/web", NULL);
}

/* Asked within the drain that hears of the start. */
static void a_start_that_is_not_told_yet_is_found(void **state)
{
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	assert_under("podman/web", "c1", MODE_ENFORCE, 3);
	assert_unknown("podman/web", "c2");
	assert_false(under_all_filtered(under));
}

/* ... also of a container that was under something else, or nothing, until then. */
static void a_restart_that_is_not_told_yet_is_found(void **state)
{
	(void)workload("podman/web", "podman");
	started("podman/web", "c1");
	assert_under("podman/web", "c1", MODE_OBSERVE, 0);
	(void)usleep(5000); /* notes know milliseconds */
	noted("podman/web", "c1", 1, MODE_ENFORCE);
	assert_under("podman/web", "c1", MODE_ENFORCE, 1);
	(void)usleep(5000);
	noted("podman/web", "c1", 2, MODE_ENFORCE);
	assert_under("podman/web", "c1", MODE_ENFORCE, 2);
}

static void a_start_that_was_left_alone_is_under_nothing(void **state)
{
	(void)workload("podman/web", "podman");
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	started("podman/web", "c1");
	ended("podman/web", "c1", note_now_ms());
	assert_int_equal(started_leave(state_dir, "podman/web", "c1"), 0);
	started("podman/web", "c1");
	assert_under("podman/web", "c1", MODE_OBSERVE, 0);
}

/* Who noted the first start crashed at the second. */
static void a_note_before_the_last_end_is_stale(void **state)
{
	(void)workload("podman/web", "podman");
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	started("podman/web", "c1");
	ended("podman/web", "c1", note_now_ms() + 1000);
	started("podman/web", "c1");
	assert_under("podman/web", "c1", MODE_OBSERVE, 0);
}

/* Starts are told before ends. */
static void an_end_of_an_earlier_life_ends_nothing(void **state)
{
	int64_t before = note_now_ms() - 5000;

	(void)workload("podman/web", "podman");
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	started("podman/web", "c1");
	ended("podman/web", "c1", before);
	assert_true(under_all_filtered(under));
	ended("podman/web", "c1", note_now_ms() + 10);
	assert_false(under_all_filtered(under));
	/* what it was refused before its end is told later */
	assert_under("podman/web", "c1", MODE_ENFORCE, 3);
}

static void a_merged_ones_keys_are_all_its(void **state)
{
	int64_t into = workload("podman/all", "podman"), from = workload("podman/web", "podman");

	noted("podman/web", "c1", 3, MODE_ENFORCE);
	started("podman/web", "c1");
	IN_TRANSACTION
	assert_stored(store_merge(st, into, &from, 1));
	runs(into, "c1", true);
	look();
	assert_under("podman/web", "c1", MODE_ENFORCE, 3);
	assert_under("podman/all", "c1", MODE_ENFORCE, 3);
	noted("podman/web", "c2", 4, MODE_PROBATION);
	started("podman/web", "c2");
	assert_under("podman/all", "c2", MODE_PROBATION, 4);
}

/* --- all of it ---------------------------------------------------------------------------- */

static void all_is_filtered_or_not(void **state)
{
	int64_t w = workload("podman/web", "podman");

	assert_false(under_all_filtered(under)); /* nothing runs */
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	noted("podman/web", "c2", 3, MODE_PROBATION);
	started("podman/web", "c1");
	started("podman/web", "c2");
	assert_true(under_all_filtered(under));
	runs(w, "c1", true);
	runs(w, "c2", true);
	look();
	assert_true(under_all_filtered(under));
	started("podman/web", "c3");
	assert_false(under_all_filtered(under));
	/* its cgroup is gone */
	ended("podman/web", "c3", note_now_ms() + 10);
	assert_true(under_all_filtered(under));
	runs(w, "c4", true);
	look();
	assert_false(under_all_filtered(under));
	runs(w, "c4", false);
	look();
	assert_true(under_all_filtered(under));
}

static int count_free(const char *key, void *arg)
{
	unsigned *cnt = arg;

	assert_string_equal(key, "podman/web");
	return ++*cnt == 2 ? 7 : 0;
}

static void what_has_no_filter_is_told(void **state)
{
	unsigned cnt = 0;

	workload("podman/web", "podman");
	assert_int_equal(under_each_free(under, count_free, &cnt), 0);
	noted("podman/web", "c1", 3, MODE_ENFORCE);
	noted("podman/web", "c2", 3, MODE_SHADOW);
	started("podman/web", "c1");
	assert_int_equal(under_each_free(under, count_free, &cnt), 0);
	assert_int_equal(cnt, 0);
	started("podman/web", "c2");
	assert_int_equal(under_each_free(under, count_free, &cnt), 0);
	assert_int_equal(cnt, 1);
	cnt = 0;
	for (int i = 3; i < 6; i++) {
		_free_ char *id = text_format("c%d", i);

		started("podman/web", id);
	}
	assert_int_equal(under_each_free(under, count_free, &cnt), 7); /* the rest isn't asked */
	assert_int_equal(cnt, 2);
}

/* At a daemon's start, from the store alone; what is gone is kept for one look more. */
static void what_runs_is_looked_up(void **state)
{
	int64_t w = workload("podman/web", "podman");

	noted("podman/web", "c1", 3, MODE_ENFORCE);
	runs(w, "c1", true);
	runs(w, "c2", true);
	runs(w, "c0", false);
	look();
	assert_under("podman/web", "c1", MODE_ENFORCE, 3);
	assert_under("podman/web", "c2", MODE_OBSERVE, 0);
	assert_unknown("podman/web", "c0");
	runs(w, "c2", false);
	look();
	assert_under("podman/web", "c2", MODE_OBSERVE, 0);
	assert_true(under_all_filtered(under));
	look();
	assert_unknown("podman/web", "c2");
}

static void a_workload_nobody_knows_is_nobodys(void **state)
{
	started("podman/none", "c1");
	assert_unknown("podman/none", "c1");
	assert_false(under_all_filtered(under));
}

/* --- units -------------------------------------------------------------------------------- */

static void a_unit_is_under_what_was_applied(void **state)
{
	static const struct {
		enum policy_mode mode;
		uint32_t good;
		enum generation_state state;
		enum policy_mode is;
		uint32_t generation;
	} rows[] = {
		{ MODE_ENFORCE, 0, GENERATION_TRIAL, MODE_ENFORCE, 1 },
		{ MODE_ENFORCE, 1, GENERATION_GOOD, MODE_ENFORCE, 2 },
		{ MODE_ENFORCE, 1, GENERATION_FAILED, MODE_ENFORCE, 1 },
		{ MODE_ENFORCE, 0, GENERATION_FAILED, MODE_OBSERVE, 0 },
		{ MODE_SHADOW, 0, GENERATION_GOOD, MODE_OBSERVE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *key = text_format("systemd/w%zu.service", i);
		int64_t w = workload(key, "systemd");

		apply(w, rows[i].mode, rows[i].good, rows[i].state);
		started(key, NULL);
		assert_under(key, NULL, rows[i].is, rows[i].generation);
		/* a fork that was the first process leaves others behind */
		ended(key, NULL, note_now_ms() + 10);
		assert_under(key, NULL, rows[i].is, rows[i].generation);
	}
	assert_false(under_all_filtered(under));
}

/* Nobody saw it start, and no process can be asked. */
static void a_unit_in_doubt_is_under_nothing(void **state)
{
	int64_t w = workload("systemd/web.service", "systemd");

	apply(w, MODE_ENFORCE, 0, GENERATION_GOOD);
	runs(w, "-1", true);
	look();
	assert_under("systemd/web.service", NULL, MODE_OBSERVE, 0);
}

/* --- processes ---------------------------------------------------------------------------- */

static pid_t child(bool filtered)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog prog = { .len = 1, .filter = &pass };
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (filtered && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
				 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0))
			_exit(1);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A cgroup's files, below the store's directory. */
static void write_procs(const char *name, const char *text)
{
	_free_ char *dir = text_format("%s/cg", state_dir);
	_free_ char *path = text_format("%s/cg/%s", state_dir, name);

	(void)mkdir(dir, 0755);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644), 0);
}

static void the_oldest_process_says_it(void **state)
{
	int64_t now = time(NULL);
	pid_t plain = child(false), filtered = child(true);
	_free_ char *both = text_format("%d\n%d\n", (int)filtered, (int)plain);
	_free_ char *one = text_format("0\n%d\n", (int)filtered);

	assert_int_equal(under_is_filtered(state_dir, "/cg", now), -ESRCH);
	write_procs("cgroup.procs", one);
	assert_int_equal(under_is_filtered(state_dir, "/cg", now - 1), 1);
	assert_int_equal(under_is_filtered(state_dir, "/cg", now + 3600), 0);
	assert_int_equal(under_is_filtered(NULL, "/cg", now), -ESRCH);
	/* `both` began in the same tick, or the plain one before */
	write_procs("cgroup.procs", both);
	usleep(50000);
	end_child(filtered);
	filtered = child(true);
	free(both);
	both = text_format("%d\n%d\n", (int)filtered, (int)plain);
	write_procs("cgroup.procs", both);
	assert_int_equal(under_is_filtered(state_dir, "/cg", now - 1), 0);
	end_child(plain);
	assert_int_equal(under_is_filtered(state_dir, "/cg", now - 1), 1);
	end_child(filtered);
	assert_int_equal(under_is_filtered(state_dir, "/cg", now - 1), -ESRCH);
}

static void populated_is_what_the_kernel_says(void **state)
{
	assert_false(under_is_populated(state_dir, "/cg"));
	write_procs("cgroup.events", "populated 1\nfrozen 0\n");
	assert_true(under_is_populated(state_dir, "/cg"));
	write_procs("cgroup.events", "populated 0\nfrozen 1\n");
	assert_false(under_is_populated(state_dir, "/cg"));
	assert_false(under_is_populated(NULL, "/cg"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_container_is_under_what_its_start_noted),
		TEST(a_start_that_is_not_told_yet_is_found),
		TEST(a_restart_that_is_not_told_yet_is_found),
		TEST(a_start_that_was_left_alone_is_under_nothing),
		TEST(a_note_before_the_last_end_is_stale),
		TEST(an_end_of_an_earlier_life_ends_nothing),
		TEST(a_merged_ones_keys_are_all_its),
		TEST(all_is_filtered_or_not),
		TEST(what_has_no_filter_is_told),
		TEST(what_runs_is_looked_up),
		TEST(a_workload_nobody_knows_is_nobodys),
		TEST(a_unit_is_under_what_was_applied),
		TEST(a_unit_in_doubt_is_under_nothing),
		TEST(the_oldest_process_says_it),
		TEST(populated_is_what_the_kernel_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
