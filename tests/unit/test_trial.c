/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dir_fixture.h"

#define KEY "podman/web"

static char *file_text(const char *name)
{
	_free_ char *path = in_dir(name);
	char *text = NULL;

	assert_int_equal(file_read(path, 1u << 20, &text, NULL), 0);
	return text;
}

static bool is_there(const char *name)
{
	_free_ char *path = in_dir(name);

	return access(path, F_OK) == 0;
}

#define _trial_ __attribute__((cleanup(trial_done)))

static void test_empty(void **state)
{
	_trial_ struct trial t = { .cnt = 7 };
	char **keys = NULL;
	size_t cnt = 7;

	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 0);
	assert_int_equal(trial_list(dir, &keys, &cnt), 0);
	assert_int_equal(cnt, 0);
	free(keys);
	assert_int_equal(trial_remove(dir, KEY), 0);
	assert_int_equal(trial_add_end(dir, KEY, "a", TRIAL_EXITED, 1), 0);
	assert_int_equal(trial_add_start(dir, KEY, 0, "a", "/a"), 0);
	assert_false(is_there("trial"));
}

static void test_starts_and_ends(void **state)
{
	_trial_ struct trial t = { 0 };
	const struct trial_start *s;

	assert_int_equal(trial_add_start(dir, KEY, 3, "a", "/x/a b%"), 0);
	assert_int_equal(trial_add_end(dir, KEY, "a", TRIAL_EXITED, 7), 0);
	assert_int_equal(trial_add_start(dir, KEY, 3, "b", NULL), 0);
	assert_int_equal(trial_add_end(dir, KEY, "b", TRIAL_KILLED, SIGSYS), 0);
	assert_int_equal(trial_add_start(dir, KEY, 4, "c", "/c"), 0);
	assert_int_equal(trial_read(dir, KEY, 3, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 2);
	s = t.start;
	assert_int_equal(s[0].generation, 3);
	assert_string_equal(s[0].id, "a");
	assert_string_equal(s[0].cgroup, "/x/a b%");
	assert_int_equal(s[0].end, TRIAL_EXITED);
	assert_int_equal(s[0].code, 7);
	assert_true(s[0].began_ms >= s[0].ended_ms && s[0].ended_ms >= s[1].began_ms);
	assert_null(s[1].cgroup);
	assert_int_equal(s[1].end, TRIAL_KILLED);
	assert_int_equal(s[1].code, SIGSYS);
	assert_true(s[1].ended_ms >= 0);
}

static void test_permissions(void **state)
{
	_free_ char *trials = in_dir("trial"), *file = in_dir("trial/podman!web");
	_trial_ struct trial t = { 0 };
	struct stat st;

	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), 0);
	assert_int_equal(stat(trials, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(trials, 0711), 0);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), -EPERM);
	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), -EPERM);
	assert_int_equal(chmod(trials, 0700), 0);
	assert_int_equal(chown(trials, 1000, 1000), 0);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), -EPERM);
	assert_int_equal(chown(trials, 0, 0), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), -EPERM);
	assert_int_equal(chmod(dir, 0711), 0);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 1);
}

/* Nothing is followed. */
static void test_links(void **state)
{
	_free_ char *trials = in_dir("trial"), *elsewhere = in_dir("elsewhere");
	_free_ char *file = in_dir("trial/podman!web"), *target = in_dir("target");
	_trial_ struct trial t = { 0 };

	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink(elsewhere, trials), 0);
	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), -EPERM);
	assert_int_equal(unlink(trials), 0);
	assert_int_equal(mkdir(trials, 0700), 0);
	assert_int_equal(symlink(target, file), 0);
	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), -EPERM);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), -EPERM);
	assert_false(is_there("target"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), -EPERM);
}

static void test_keys(void **state)
{
	static const char *const bad[] = { "", "/a", "../a", "a!b", ".x" };
	char longest[1000];
	char **keys = NULL;
	size_t cnt = 0, found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(trial_add_start(dir, bad[i], 1, "a", "/a"), -EINVAL);
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[10] = '/';
	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), 0);
	assert_int_equal(trial_add_start(dir, KEY "/sub", 1, "a", "/a"), 0);
	assert_int_equal(trial_add_start(dir, longest, 1, "a", "/a"), 0);
	longest[990] = 'x';
	assert_int_equal(trial_add_start(dir, longest, 1, "a", "/a"), 0);
	assert_int_equal(trial_list(dir, &keys, &cnt), 0);
	assert_int_equal(cnt, 4);
	for (size_t i = 0; i < cnt; i++) {
		found += strcmp(keys[i], KEY) == 0 || strcmp(keys[i], KEY "/sub") == 0 ||
			 strcmp(keys[i], longest) == 0;
		free(keys[i]);
	}
	free(keys);
	assert_int_equal(found, 3);
	assert_int_equal(trial_remove(dir, longest), 0);
	assert_int_equal(trial_list(dir, &keys, &cnt), 0);
	assert_int_equal(cnt, 3);
	while (cnt > 0)
		free(keys[--cnt]);
	free(keys);
}

/* Ends of what isn't waited for, and starts under other policies, aren't kept. */
static void test_waits(void **state)
{
	_free_ char *before = NULL, *after = NULL;
	_trial_ struct trial t = { 0 };

	assert_int_equal(trial_add_start(dir, KEY, 2, "a", "/a"), 0);
	before = file_text("trial/podman!web");
	assert_int_equal(trial_add_end(dir, KEY, "b", TRIAL_EXITED, 1), 0);
	assert_int_equal(trial_add_end(dir, KEY, "", TRIAL_EXITED, 1), 0);
	assert_int_equal(trial_add_end(dir, KEY, NULL, TRIAL_EXITED, 1), 0);
	assert_int_equal(trial_add_start(dir, KEY, 0, "b", "/b"), 0);
	after = file_text("trial/podman!web");
	assert_string_equal(before, after);
	assert_int_equal(trial_add_end(dir, KEY, "a", TRIAL_RUNS, 0), -EINVAL);
	/* The same container goes on without it, and ends. */
	assert_int_equal(trial_add_start(dir, KEY, 0, "a", "/a"), 0);
	assert_int_equal(trial_add_end(dir, KEY, "a", TRIAL_EXITED, 1), 0);
	assert_int_equal(trial_read(dir, KEY, 2, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 1);
	assert_int_equal(t.start[0].end, TRIAL_UNKNOWN);
	free(TAKE_PTR(before));
	before = file_text("trial/podman!web");
	assert_int_equal(trial_add_start(dir, KEY, 0, "a", "/a"), 0);
	assert_int_equal(trial_add_end(dir, KEY, "a", TRIAL_EXITED, 1), 0);
	free(TAKE_PTR(after));
	after = file_text("trial/podman!web");
	assert_string_equal(before, after);
}

static void put_file(const char *name, const char *text)
{
	_free_ char *path = in_dir(name);

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600), 0);
}

/* A line that was torn says nothing, and the next one is whole. */
static void test_torn(void **state)
{
	_free_ char *text = NULL, *torn = NULL, *path = in_dir("trial/podman!web");
	_trial_ struct trial t = { 0 };

	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a/long/path"), 0);
	text = file_text("trial/podman!web");
	for (size_t len = strlen(text) - 2; len > 0; len--) {
		torn = strndup(text, len);
		assert_non_null(torn);
		put_file("trial/podman!web", torn);
		assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
		assert_int_equal(t.cnt, 0);
		assert_int_equal(trial_add_start(dir, KEY, 1, "b", "/b"), 0);
		assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
		assert_int_equal(t.cnt, 1);
		assert_string_equal(t.start[0].id, "b");
		trial_done(&t);
		free(TAKE_PTR(torn));
	}
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(trial_add_start(dir, KEY, 1, "b", "/b"), 0);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 1);
}

/* A full disk: a file may not grow, for a child. */
static void test_full(void **state)
{
	_trial_ struct trial t = { 0 };
	int status;
	pid_t pid;

	assert_int_equal(trial_add_start(dir, KEY, 1, "a", "/a"), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit l = { 100, 100 };

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &l) < 0)
			_exit(1);
		_exit(trial_add_start(dir, KEY, 1, "b", "/b") < 0 ? 7 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, 1);
}

/* However often it starts. */
static void test_bounded(void **state)
{
	_free_ char *path = in_dir("trial/podman!web"), *group = NULL, *text = NULL;
	_trial_ struct trial t = { 0 };
	char id[32];
	struct stat st;

	group = malloc(1000);
	assert_non_null(group);
	memset(group, 'g', 999);
	group[0] = '/';
	group[999] = '\0';
	for (unsigned i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		assert_int_equal(trial_add_start(dir, KEY, 1, id, group), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_in_range(st.st_size, 1, TRIAL_MAX + 4096);
	}
	assert_int_equal(trial_read(dir, KEY, 1, "/nowhere", &t), 0);
	assert_in_range(t.cnt, 20, TRIAL_STARTS_MAX);
	assert_string_equal(t.start[t.cnt - 1].id, "id399");
	text = file_text("trial/podman!web");
	assert_true(strncmp(text, "key " KEY " .\n", strlen("key " KEY " .\n")) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_empty),	  IN_DIR(test_starts_and_ends),
		IN_DIR(test_permissions), IN_DIR(test_links),
		IN_DIR(test_keys),	  IN_DIR(test_waits),
		IN_DIR(test_torn),	  IN_DIR(test_full),
		IN_DIR(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
