/* SPDX-License-Identifier: Apache-2.0 */
/* On this machine's own cgroup2 tree: needs root. */
#include "identity/cgroups.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "unit/skip.h"

struct tree {
	char *mount;
	char *top; /* our own cgroup, below the mount */
};

static char *file_of(const struct tree *t, const char *path)
{
	char *file = text_format("%s%s%s", t->mount, t->top, path);

	assert_non_null(file);
	return file;
}

static void make(const struct tree *t, const char *path)
{
	_free_ char *file = file_of(t, path);

	assert_int_equal(mkdir(file, 0755), 0);
}

static void drop(const struct tree *t, const char *path)
{
	_free_ char *file = file_of(t, path);

	assert_int_equal(rmdir(file), 0);
}

static int setup(void **state)
{
	static struct tree t;

	if (cgroups_find(&t.mount) == CGROUPS_V1 || geteuid() != 0)
		return 0;
	t.top = text_format("/tamis-test-cgroups-%d", getpid());
	make(&t, "");
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;

	if (!t)
		return 0;
	drop(t, "");
	free(t->mount);
	free(t->top);
	return 0;
}

static struct tree *need(void **state)
{
	if (!*state)
		skip_because("needs root and a cgroup v2 hierarchy");
	return *state;
}

static char *path_of(const struct tree *t, const char *below)
{
	char *path = text_format("%s%s", t->top, below);

	assert_non_null(path);
	return path;
}

static void ids_and_paths_are_inverse(void **state)
{
	static const char *const names[] = { "/a", "/a/b", "/a b\\c", "/a/x (deleted)" };
	const struct tree *t = need(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = path_of(t, names[i]), *back = NULL;
		uint64_t id = 0;

		make(t, names[i]);
		assert_int_equal(cgroups_id(t->mount, path, &id), 0);
		assert_int_not_equal(id, 0);
		assert_int_equal(cgroups_path(t->mount, id, &back), 0);
		assert_string_equal(back, path);
	}
	while (i-- > 0)
		drop(t, names[i]);
}

static void root_has_a_path(void **state)
{
	const struct tree *t = need(state);
	_free_ char *path = NULL;
	uint64_t id;

	assert_int_equal(cgroups_id(t->mount, "/", &id), 0);
	assert_int_equal(cgroups_path(t->mount, id, &path), 0);
	assert_string_equal(path, "/");
}

static void removed_ones_have_none(void **state)
{
	const struct tree *t = need(state);
	_free_ char *path = path_of(t, "/gone"), *back = NULL;
	uint64_t id, kept = 42;
	int r;

	make(t, "/gone");
	assert_int_equal(cgroups_id(t->mount, path, &id), 0);
	drop(t, "/gone");
	r = cgroups_path(t->mount, id, &back);
	assert_true(r == -ENOENT || r == -ESTALE);
	assert_null(back);
	assert_int_equal(cgroups_id(t->mount, path, &kept), -ENOENT);
	assert_int_equal(cgroups_id(t->mount, "relative", &kept), -EINVAL);
	assert_int_equal(kept, 42);
	assert_true(cgroups_path(t->mount, UINT64_MAX, &back) < 0);
	assert_null(back);
}

struct seen {
	const struct tree *t;
	unsigned ours, stop_at;
	bool wrong;
};

static int look(const char *path, uint64_t id, void *arg)
{
	struct seen *s = arg;
	uint64_t again;

	if (strncmp(path, s->t->top, strlen(s->t->top)) != 0)
		return 0;
	s->wrong |= cgroups_id(s->t->mount, path, &again) != 0 || again != id;
	s->ours++;
	return s->ours == s->stop_at ? 7 : 0;
}

static void walks_over_all(void **state)
{
	static const char *const names[] = { "/a", "/a/b", "/a/b/c", "/d" };
	const struct tree *t = need(state);
	struct seen all = { .t = t }, some = { .t = t, .stop_at = 2 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		make(t, names[i]);
	assert_int_equal(cgroups_walk(t->mount, look, &all), 0);
	assert_int_equal(all.ours, ARRAY_SIZE(names) + 1);
	assert_false(all.wrong);
	assert_int_equal(cgroups_walk(t->mount, look, &some), 7);
	assert_int_equal(some.ours, 2);
	while (i-- > 0)
		drop(t, names[i]);
}

static void tells_a_process(void **state)
{
	const struct tree *t = need(state);
	_free_ char *path = path_of(t, "/p"), *procs = file_of(t, "/p/cgroup.procs");
	pid_t child, found = -1;
	FILE *f;

	make(t, "/p");
	assert_int_equal(cgroups_first_pid(t->mount, path, &found), -ESRCH);
	assert_int_equal(found, -1);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	f = fopen(procs, "we");
	assert_non_null(f);
	fprintf(f, "%d\n", child);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(cgroups_first_pid(t->mount, path, &found), 0);
	assert_int_equal(found, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	drop(t, "/p");
	assert_int_equal(cgroups_first_pid(t->mount, path, &found), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_and_paths_are_inverse), cmocka_unit_test(root_has_a_path),
		cmocka_unit_test(removed_ones_have_none),    cmocka_unit_test(walks_over_all),
		cmocka_unit_test(tells_a_process),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
