/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/state.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "recorded.h"

#define DIR_AT "/var/lib/engine"

static void record(struct recorded *r)
{
	recorded_file(r, DIR_AT "/c/plain", "plain text");
	recorded_file(r, DIR_AT "/c/large", "%1000d", 1);
	recorded_file(r, "/secret", "secret");
	r->owner = USER;
	recorded_file(r, DIR_AT "/c/users", "the user's");
	recorded_file(r, "/home/u/f", "mine");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static void at(const struct recorded *r, const char *path, char ret[4096])
{
	snprintf(ret, 4096, "%s%s", r->dir, path);
}

static void make_link(const struct recorded *r, const char *to, const char *path)
{
	char full[4096];

	at(r, path, full);
	assert_int_equal(symlink(to, full), 0);
}

static void reads_what_is_sound(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	_free_ char *text = NULL;
	size_t len;

	assert_int_equal(state_open(r->dir, 0, DIR_AT, &s), 0);
	assert_int_equal(state_read(&s, "c/plain", 10, &text, &len), 0);
	assert_string_equal(text, "plain text");
	assert_int_equal(len, 10);
	assert_true(state_has_dir(&s, "c"));
	assert_false(state_has_dir(&s, "c/plain"));
	assert_false(state_has_dir(&s, "d"));
}

static void refuses_the_rest(void **state)
{
	struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	char *text = NULL, full[4096];

	at(r, DIR_AT "/c/fifo", full);
	assert_int_equal(mkfifo(full, 0644), 0);
	at(r, DIR_AT "/c/device", full);
	assert_int_equal(mknod(full, S_IFCHR | 0644, 1 << 8 | 3), 0);
	make_link(r, "plain", DIR_AT "/c/link");
	make_link(r, "../../../../secret", DIR_AT "/c/up");
	make_link(r, "/etc/passwd", DIR_AT "/c/away");
	make_link(r, "c", DIR_AT "/linked");
	assert_int_equal(state_open(r->dir, 0, DIR_AT, &s), 0);
	assert_int_equal(state_read(&s, "c/plain", 9, &text, NULL), -EFBIG);
	assert_int_equal(state_read(&s, "c/large", 999, &text, NULL), -EFBIG);
	assert_int_equal(state_read(&s, "c/users", 99, &text, NULL), -EPERM);
	assert_int_equal(state_read(&s, "c/fifo", 99, &text, NULL), -EINVAL);
	assert_int_equal(state_read(&s, "c/device", 99, &text, NULL), -EINVAL);
	assert_int_equal(state_read(&s, "c", 99, &text, NULL), -EINVAL);
	assert_int_equal(state_read(&s, "c/link", 99, &text, NULL), -ELOOP);
	assert_int_equal(state_read(&s, "c/up", 99, &text, NULL), -ELOOP);
	assert_int_equal(state_read(&s, "c/away", 99, &text, NULL), -ELOOP);
	assert_int_equal(state_read(&s, "linked/plain", 99, &text, NULL), -ELOOP);
	assert_int_equal(state_read(&s, "../../../secret", 99, &text, NULL), -EXDEV);
	assert_int_equal(state_read(&s, "/secret", 99, &text, NULL), -EXDEV);
	assert_int_equal(state_read(&s, "c/none", 99, &text, NULL), -ENOENT);
	assert_null(text);
}

/* A child of this test holds a write lease: an open() would wait 45 s for it. */
static pid_t hold_lease(const char *file)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(file, O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGIO, SIG_IGN);
		byte = fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
		(void)!write(ready[1], &byte, 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(byte);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void waits_for_nobody(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	struct timespec from, to;
	char *text = NULL, full[4096];
	pid_t holder;

	at(r, DIR_AT "/c/plain", full);
	holder = hold_lease(full);
	assert_int_equal(state_open(r->dir, 0, DIR_AT, &s), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(state_read(&s, "c/plain", 99, &text, NULL), -EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_in_range(to.tv_sec - from.tv_sec, 0, 30);
	assert_null(text);
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	assert_int_equal(state_read(&s, "c/plain", 99, &text, NULL), 0);
	free(text);
}

/* A hard link to root's file in a user's place, or to another user's in root's. */
static void links_have_no_other_owner(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state users = STATE_INIT, roots = STATE_INIT;
	char *text = NULL, from[4096], to[4096];

	at(r, "/secret", from);
	at(r, "/home/u/secret", to);
	assert_int_equal(link(from, to), 0);
	at(r, "/home/u/f", from);
	at(r, DIR_AT "/c/linked", to);
	assert_int_equal(link(from, to), 0);
	assert_int_equal(state_open(r->dir, USER, "/home/u", &users), 0);
	assert_int_equal(state_open(r->dir, 0, DIR_AT, &roots), 0);
	assert_int_equal(state_read(&users, "secret", 999, &text, NULL), -EPERM);
	assert_int_equal(state_read(&roots, "c/linked", 999, &text, NULL), -EPERM);
}

/* A sparse file of 64 GiB takes no time. */
static void huge_files_cost_nothing(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	char *text = NULL, full[4096];

	at(r, DIR_AT "/c/huge", full);
	assert_int_equal(mknod(full, S_IFREG | 0644, 0), 0);
	assert_int_equal(truncate(full, 1LL << 36), 0);
	assert_int_equal(state_open(r->dir, 0, DIR_AT, &s), 0);
	assert_int_equal(state_read(&s, "c/huge", STATE_STORAGE_MAX, &text, NULL), -EFBIG);
	assert_null(text);
}

static void never_leaves_the_root(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	_free_ char *text = NULL, *mine = NULL;

	/* An absolute link is the root's own path, one that climbs stays below it. */
	make_link(r, DIR_AT, "/moved");
	make_link(r, "../../../../../../../../etc", "/climbs");
	assert_int_equal(state_open(r->dir, 0, "/moved", &s), 0);
	assert_int_equal(state_read(&s, "c/plain", 99, &text, NULL), 0);
	free(TAKE_PTR(text));
	state_done(&s);
	assert_int_equal(state_open(r->dir, 0, "/climbs", &s), -ENOENT);
	assert_int_equal(state_open(r->dir, 0, "/../../../../../../etc", &s), -ENOENT);
	assert_int_equal(state_open(r->dir, 0, "/secret", &s), -ENOTDIR);
	assert_int_equal(state_open(r->dir, 0, "/home/u", &s), -EPERM);
	assert_int_equal(state_open(r->dir, USER, DIR_AT, &s), -EPERM);
	assert_int_equal(s.dir, -1);
	assert_int_equal(state_open(r->dir, USER, "/home/u", &s), 0);
	assert_int_equal(state_read(&s, "f", 4 * STATE_USERS_SHARE, &mine, NULL), 0);
	assert_int_equal(state_read(&s, "f", 4 * STATE_USERS_SHARE - 1, &text, NULL), -EFBIG);
}

static void lists_without_moving(void **state)
{
	const struct recorded *r = recorded_need(state);
	_state_ struct state s = STATE_INIT;
	const struct dirent *e;
	DIR *dir;
	bool seen = false;
	int i;

	assert_int_equal(state_open(r->dir, 0, DIR_AT, &s), 0);
	for (i = 0; i < 2; i++, seen = false) {
		dir = state_list(&s);
		assert_non_null(dir);
		while ((e = readdir(dir)))
			seen |= strcmp(e->d_name, "c") == 0;
		closedir(dir);
		assert_true(seen);
	}
}

static void knows_homes(void **state)
{
	struct recorded *r = recorded_need(state);
	_free_ char *home = NULL, *own = NULL, *none = NULL;

	r->owner = 0;
	assert_int_equal(state_home(r->dir, USER, &none), -ENOENT);
	recorded_file(r, "/etc/passwd",
		      "root:x:0:0:root:/root:/bin/sh\nrubbish\nu:x:1000:1000::/home/u:/bin/sh\n"
		      "rel:x:1001:1001::home:/bin/sh\n");
	assert_int_equal(state_home(r->dir, USER, &home), 0);
	assert_string_equal(home, "/home/u");
	assert_int_equal(state_home(r->dir, 1001, &none), -EINVAL);
	assert_int_equal(state_home(r->dir, 1002, &none), -ENOENT);
	assert_null(none);
	assert_int_equal(state_home(NULL, 0, &own), 0);
	assert_string_equal(own, "/root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_sound),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(waits_for_nobody),
		cmocka_unit_test(links_have_no_other_owner),
		cmocka_unit_test(huge_files_cost_nothing),
		cmocka_unit_test(never_leaves_the_root),
		cmocka_unit_test(lists_without_moving),
		cmocka_unit_test(knows_homes),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
