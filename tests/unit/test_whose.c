/* SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "container_fixture.h"
#include "keeper/whose.h"

static char dir[] = "/tmp/tamis-whose-XXXXXX";
static struct whose *whose;
static char *key;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int setup(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (container_setup(state) < 0 || !mkdtemp(dir))
		return -1;
	key = text_format("oci/%s", container_id);
	return whose_new(dir, container_mount, &whose);
}

static int teardown(void **state)
{
	whose_free(whose);
	free(key);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return container_teardown(state);
}

static struct whose_answer ask(pid_t pid)
{
	struct whose_answer a = { 0 };

	assert_int_equal(whose_ask(whose, pid, &a), 0);
	return a;
}

/* Asks until the answer has that, for 20 s. */
static bool becomes(pid_t pid, bool (*is)(const struct whose_answer *a))
{
	for (int i = 0; i < 2000; i++) {
		struct whose_answer a = ask(pid);

		if (is(&a))
			return true;
		(void)usleep(10000);
	}
	return false;
}

static void apply(enum probation_rule rule)
{
	struct applied a = { .key = key,
			     .mode = MODE_PROBATION,
			     .rule = rule,
			     .now = { .number = 1, .created = 1 },
			     .trial_s = 60 };

	assert_int_equal(generation_digest(&a.now), 0);
	assert_int_equal(applied_write(dir, &a), 0);
}

/* --- who ------------------------------------------------------------------------------------ */

static void test_container_and_what_is_below(void **state)
{
	_free_ char *below = text_format("%s/a", container_dir), *deeper = NULL, *path = NULL;
	struct whose_answer a;
	uint64_t id;
	pid_t pid, inner;

	assert_int_equal(container_make_runtime(), 0);
	deeper = text_format("%s/b", below);
	path = text_format("/%s", container_id);
	assert_int_equal(mkdir(below, 0755), 0);
	assert_int_equal(mkdir(deeper, 0755), 0);
	assert_int_equal(cgroups_id(container_mount, path, &id), 0);
	inner = container_process(deeper);
	pid = container_process(container_dir);
	for (int i = 0; i < 4; i++) {
		a = ask(i % 2 ? pid : inner);
		assert_string_equal(a.key, key);
		assert_string_equal(a.cgroup, path);
		assert_true(a.cgroup_id == id);
		assert_null(a.applied);
	}
	container_end(inner);
	container_end(pid);
	assert_int_equal(container_remove_cgroup(deeper), 0);
	assert_int_equal(container_remove_cgroup(below), 0);
}

static bool is_known(const struct whose_answer *a)
{
	return *a->key;
}

/* Nobody's isn't for good: an engine's files may come later. */
static void test_known_later(void **state)
{
	pid_t pid = container_process(container_dir);
	struct whose_answer a = ask(pid);

	assert_string_equal(a.key, "");
	assert_string_equal(a.cgroup + 1, container_id);
	assert_null(a.applied);
	assert_int_equal(container_make_runtime(), 0);
	assert_true(becomes(pid, is_known));
	a = ask(pid);
	assert_string_equal(a.key, key);
	container_end(pid);
}

/* What is below a cgroup of nobody's may be somebody's. */
static void test_nobodys_says_nothing_of_what_is_below(void **state)
{
	_free_ char *below = text_format("%s/%s", container_dir, container_id);
	pid_t pid = container_process(container_dir), inner;

	assert_int_equal(mkdir(below, 0755), 0);
	inner = container_process(below);
	assert_string_equal(ask(pid).key, "");
	assert_string_equal(ask(inner).key, "");
	assert_string_equal(ask(inner).cgroup + 1 + strlen(container_id) + 1, container_id);
	container_end(inner);
	container_end(pid);
	assert_int_equal(container_remove_cgroup(below), 0);
}

/* Another one at the same place: another id. */
static void test_made_again(void **state)
{
	pid_t pid = container_process(container_dir);
	struct whose_answer a;
	uint64_t before;

	assert_int_equal(container_make_runtime(), 0);
	assert_true(becomes(pid, is_known));
	before = ask(pid).cgroup_id;
	container_end(pid);
	assert_int_equal(container_remove_cgroup(container_dir), 0);
	assert_int_equal(rmdir(container_runtime), 0);
	assert_int_equal(container_make_cgroup(), 0);
	pid = container_process(container_dir);
	a = ask(pid);
	assert_string_equal(a.key, "");
	assert_true(a.cgroup_id != before);
	container_end(pid);
}

static void test_gone(void **state)
{
	struct whose_answer a;
	pid_t pid = container_process(container_dir);

	container_end(pid);
	assert_int_equal(whose_ask(whose, pid, &a), -ESRCH);
	assert_int_equal(whose_ask_of(whose, 1, pid, &a), -ESRCH);
}

static void test_asked_just_now(void **state)
{
	pid_t pid = container_process(container_dir);
	struct whose_answer a = { 0 };
	int r = 1;

	/* nobody's is asked each time */
	assert_int_equal(whose_ask_of(whose, 1, pid, &a), 0);
	assert_int_equal(whose_ask_of(whose, 1, pid, &a), 0);
	assert_int_equal(container_make_runtime(), 0);
	assert_true(becomes(pid, is_known));
	assert_int_equal(whose_ask_of(whose, 1, pid, &a), 0);
	for (int i = 0; i < 1000 && r == 1; i++) {
		r = whose_ask_of(whose, 1, pid, &a);
		assert_string_equal(a.key, key);
		(void)usleep(10000);
	}
	assert_int_equal(r, 0);
	/* at most half a second old, and of that filter alone */
	assert_int_equal(whose_ask_of(whose, 2, pid, &a), 0);
	container_end(pid);
}

/* --- what is applied ------------------------------------------------------------------------ */

static bool is_ask(const struct whose_answer *a)
{
	return a->applied && a->applied->rule == PROBATION_ASK;
}

static bool is_deny(const struct whose_answer *a)
{
	return a->applied && a->applied->rule == PROBATION_DENY;
}

static bool is_bare(const struct whose_answer *a)
{
	return !a->applied;
}

static void test_applied(void **state)
{
	_free_ char *file = text_format("%s/applied/%s.json", dir, key);
	pid_t pid = container_process(container_dir);

	assert_int_equal(container_make_runtime(), 0);
	assert_true(becomes(pid, is_known));
	assert_null(ask(pid).applied);
	apply(PROBATION_ASK);
	assert_true(becomes(pid, is_ask));
	apply(PROBATION_DENY);
	assert_true(becomes(pid, is_deny));
	/* one that others may write to says nothing */
	assert_int_equal(chmod(file, 0666), 0);
	assert_true(becomes(pid, is_bare));
	apply(PROBATION_ASK);
	assert_true(becomes(pid, is_ask));
	assert_int_equal(applied_remove(dir, key), 0);
	assert_true(becomes(pid, is_bare));
	container_end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_CONTAINER(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		IN_CONTAINER(test_container_and_what_is_below),
		IN_CONTAINER(test_known_later),
		IN_CONTAINER(test_nobodys_says_nothing_of_what_is_below),
		IN_CONTAINER(test_made_again),
		IN_CONTAINER(test_gone),
		IN_CONTAINER(test_asked_just_now),
		IN_CONTAINER(test_applied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
