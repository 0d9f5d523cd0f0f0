/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change what is there: whole or not at all, beside a daemon, on bad disks. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "store_fixture.h"
#include "unit/skip.h"

#define KILLS 25

/* Workloads "w0" to "w9", each with calls in units of two days; the odd ones run. */
static int show_ten(void)
{
	int64_t unit[40];

	if (store_open(state_dir, STORE_WRITE, &st) < 0)
		return -1;
	assert_stored(store_begin(st));
	for (int u = 0; u < 40; u++)
		unit[u] = add_unit(NOW + u * 4000);
	for (int n = 0; n < 10; n++) {
		char key[] = { 'w', (char)('0' + n), 0 };
		int64_t w = add_workload(key, NULL), i = add_instance(key, w, NOW);

		for (int u = 0; u < 40; u++)
			add_calls(i, unit[u], TAMIS_WORKLOAD, SET(n, 100 + n, 200 + u), NOW + u);
		if (n % 2 == 0)
			end_instance(key, w, NOW + 200000);
	}
	assert_stored(store_commit(st));
	store_close(st);
	st = NULL;
	return 0;
}

static int make_ten(void **state)
{
	int r = make_dir(state);

	return r < 0 ? r : show_ten();
}

static int64_t id_of(const char *key)
{
	struct store_row row = { 0 };
	int64_t id = store_find(st, key, &row, NULL) == 0 ? row.id : 0;

	store_row_done(&row);
	return id;
}

/* --- one transaction --------------------------------------------------------------------- */

static void nothing_there_is_nothing_to_edit(void **state)
{
	char deep[128];
	struct stat info;

	snprintf(deep, sizeof(deep), "%s/none", state_dir);
	assert_int_equal(store_open(deep, STORE_EDIT, &st), -ENOENT);
	assert_int_equal(stat(deep, &info), -1);
	assert_int_equal(mkdir(deep, 0700), 0);
	assert_int_equal(store_open(deep, STORE_EDIT, &st), -ENOENT);
	strcat(deep, "/tamis.db");
	assert_int_equal(stat(deep, &info), -1);
}

static void what_isnt_committed_is_taken_back(void **state)
{
	bool running;

	for (int commit = 0; commit < 2; commit++) {
		assert_int_equal(store_open(state_dir, STORE_EDIT, &st), 0);
		assert_stored(store_begin(st)); /* it was begun already */
		assert_stored(store_forget(st, id_of("w0"), &running));
		if (commit)
			assert_stored(store_commit(st));
		store_close(st);
		assert_int_equal(store_open(state_dir, STORE_READ, &st), 0);
		assert_int_equal(count_workloads(), commit ? 9 : 10);
		assert_int_equal(store_merge(st, 1, (int64_t[]){ 2 }, 1), -EINVAL);
		store_close(st);
	}
	st = NULL;
}

/* Who changes what, and whether the daemon then has to ask for its row ids again. */
static void a_daemon_sees_that_others_wrote(void **state)
{
	struct store *command = NULL, *reader = NULL;
	bool running;

	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	assert_false(store_changed(st));
	IN_TRANSACTION(void) add_workload("mine", NULL);
	assert_false(store_changed(st));
	assert_int_equal(store_open(state_dir, STORE_READ, &reader), 0);
	store_close(reader);
	assert_false(store_changed(st));
	assert_int_equal(store_open(state_dir, STORE_EDIT, &command), 0);
	assert_int_equal(store_forget(command, 1, &running), 0);
	assert_false(store_changed(st)); /* not yet */
	assert_int_equal(store_commit(command), 0);
	assert_true(store_changed(st));
	assert_false(store_changed(st));
	assert_int_equal(store_begin(command), 0);
	assert_int_equal(store_forget(command, 2, &running), 0);
	store_close(command); /* rolled back */
	assert_false(store_changed(st));
}

/* --- what commands do -------------------------------------------------------------------- */

static int do_merge(void)
{
	const int64_t from[] = { id_of("w1"), id_of("w2"), id_of("w3"), id_of("w4") };
	int64_t into = id_of("w0");
	int r = store_merge(st, into, from, ARRAY_SIZE(from));

	return r < 0 ? r : store_rename(st, into, "merged", "merged");
}

static int do_forget(void)
{
	bool running;
	int r = store_forget(st, id_of("w2"), &running);

	if (r == 0)
		r = store_forget(st, id_of("w3"), &running);
	return r < 0 ? r : store_forget_call(st, id_of("w5"), TAMIS_ABI_X86_64, 105);
}

static int do_prune(void)
{
	const struct store_prune what = { .gone_before = NOW + 300000,
					  .fold_before = NOW + 100000 };
	struct store_pruned pruned = { 0 };

	return store_prune(st, &what, NULL, NULL, &pruned);
}

/* With numbers that tell before from after. */
static const struct {
	const char *what;
	int (*fn)(void);
	const char *number;
} edits[] = {
	{ "merge", do_merge,
	  "SELECT (SELECT count(*) FROM workload) * 100 + (SELECT count(*) FROM alias) * 10000 +"
	  " (SELECT count(DISTINCT workload) FROM instance) + (SELECT count(*) FROM call) * "
	  "1000000" },
	{ "forget", do_forget,
	  "SELECT (SELECT count(*) FROM workload) * 100 + (SELECT count(*) FROM forgotten) * 10000 "
	  "+"
	  " (SELECT count(*) FROM observation) * 1000000 + (SELECT count(*) FROM call)" },
	{ "prune", do_prune,
	  "SELECT (SELECT count(*) FROM workload) * 100 + (SELECT count(*) FROM unit) * 10000 +"
	  " (SELECT count(*) FROM observation) * 1000000 + (SELECT sum(last_unit) FROM instance)" },
};

static int edit(size_t which)
{
	int r = store_open(state_dir, STORE_EDIT, &st);

	if (r == 0)
		r = edits[which].fn();
	if (r == 0)
		r = store_commit(st);
	return r;
}

static void edit_and_close(size_t which)
{
	assert_stored(edit(which));
	store_close(st);
	st = NULL;
}

static void edits_keep_the_rules(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(edits); n++) {
		int64_t before = ask_db(edits[n].number);

		edit_and_close(n);
		assert_int_not_equal(ask_db(edits[n].number), before);
		assert_int_equal(broken_rule(), 0);
		assert_int_equal(drop_dir(NULL), 0);
		assert_int_equal(make_ten(NULL), 0);
	}
}

/* --- killed ------------------------------------------------------------------------------ */

static void kill_edit(size_t which, long us, int64_t before, int64_t after, unsigned *ret_done)
{
	const struct timespec pause = { .tv_nsec = us * 1000 };
	int64_t is;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0 && us == 0) /* right before the end */
		_exit(store_open(state_dir, STORE_EDIT, &st) < 0 || edits[which].fn() < 0 ||
		      raise(SIGKILL));
	if (pid == 0)
		_exit(edit(which) < 0);
	nanosleep(&pause, NULL);
	if (us)
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(us || WIFSIGNALED(status));
	is = ask_db(edits[which].number);
	if (is != before && is != after)
		fail_msg("half of a %s: %ld", edits[which].what, (long)is);
	assert_int_equal(broken_rule(), 0);
	*ret_done += is == after;
}

static void kills_leave_all_or_nothing(void **state)
{
	unsigned done[ARRAY_SIZE(edits)] = { 0 };

	for (size_t n = 0; n < ARRAY_SIZE(edits); n++) {
		int64_t before = ask_db(edits[n].number), after;

		edit_and_close(n);
		after = ask_db(edits[n].number);
		for (int round = 0; round < KILLS; round++) {
			assert_int_equal(drop_dir(NULL), 0);
			assert_int_equal(make_ten(NULL), 0);
			kill_edit(n, round * 1500, before, after, &done[n]);
		}
		assert_int_equal(drop_dir(NULL), 0);
		assert_int_equal(make_ten(NULL), 0);
		print_message("%s: killed %d times, %u were through\n", edits[n].what, KILLS,
			      done[n]);
		assert_true(done[n] < KILLS); /* the first came before its end */
	}
}

/* --- bad disks --------------------------------------------------------------------------- */

/* Runs fn in a child: 0 passes, 77 skips (no right to mount), else the number of the check. */
static void in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		status = fn();
		store_close(st);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no file system of its own can be mounted here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int mount_tmpfs(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tamis-test", state_dir, "tmpfs", 0, "size=16m");
}

static int remount(unsigned long flags, const char *options)
{
	return mount("tamis-test", state_dir, "tmpfs", MS_REMOUNT | flags, options);
}

/* Takes what is left of the disk. */
static int fill_disk(void)
{
	static char junk[4096];
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/junk", state_dir);
	f = fopen(path, "w");
	if (!f)
		return -1;
	setbuf(f, NULL);
	while (fwrite(junk, sizeof(junk), 1, f) == 1)
		;
	fclose(f);
	return 0;
}

static int edit_on_full_disk(size_t which)
{
	int64_t before = ask_db(edits[which].number);

	if (edit(which) != -ENOSPC || !strstr(store_error(st), "tamis.db: "))
		return 10;
	store_close(st);
	st = NULL;
	if (ask_db(edits[which].number) != before || broken_rule())
		return 20;
	if (remount(0, "size=32m") < 0 || edit(which) < 0)
		return 30;
	store_close(st);
	st = NULL;
	return ask_db(edits[which].number) == before || broken_rule() ? 40 : 0;
}

/* The log is there while another one has it open: what fails is the edit itself. */
static int full_disk(void)
{
	for (size_t n = 0; n < ARRAY_SIZE(edits); n++) {
		struct store *daemon = NULL;
		int r;

		if (mount_tmpfs() < 0)
			return 77;
		if (show_ten() < 0 || store_open(state_dir, STORE_WRITE, &daemon) < 0 ||
		    store_begin(daemon) < 0 || store_meta_set(daemon, "k", "v") < 0 ||
		    store_commit(daemon) < 0 || fill_disk() < 0)
			return 2;
		r = edit_on_full_disk(n);
		store_close(daemon);
		if (r)
			return r + (int)n;
		if (umount2(state_dir, MNT_DETACH) < 0)
			return 3;
	}
	return 0;
}

static int read_only_medium(void)
{
	if (mount_tmpfs() < 0)
		return 77;
	if (show_ten() < 0)
		return 2;
	if (remount(MS_RDONLY, NULL) < 0)
		return 77;
	return store_open(state_dir, STORE_EDIT, &st) == -EROFS ? 0 : 3;
}

static int not_ours_to_write(void)
{
	if (chmod(state_dir, 0755) < 0 || chmod(db_path, 0644) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		return 77;
	return store_open(state_dir, STORE_EDIT, &st) == -EACCES ? 0 : 2;
}

static void full_disks_change_nothing(void **state)
{
	in_child(full_disk);
}

static void read_only_media_are_said(void **state)
{
	in_child(read_only_medium);
}

static void of_another_user_is_said(void **state)
{
	in_child(not_ours_to_write);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_ten, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_there_is_nothing_to_edit), TEST(what_isnt_committed_is_taken_back),
		TEST(a_daemon_sees_that_others_wrote),	TEST(edits_keep_the_rules),
		TEST(kills_leave_all_or_nothing),	TEST(full_disks_change_nothing),
		TEST(read_only_media_are_said),		TEST(of_another_user_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
