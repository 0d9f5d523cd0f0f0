/* SPDX-License-Identifier: Apache-2.0 */
#include "ways_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "apply/kubelet.h"
#include "apply/unit.h"

/* Everything the store says is in the file. */
static void writes_the_stores_word(void **state)
{
	int64_t id = add("podman/web", "podman");
	uint32_t first = generation(id, 1), second = generation(id, 2);
	_applied_ struct applied a = { 0 };
	_free_ char *why = NULL;

	set(id, (struct store_applied){ .mode = MODE_ENFORCE,
					.generation = second,
					.good = first,
					.replace = true,
					.keep_new_image = true });
	assert_put("podman/web");
	assert_int_equal(applied_read(state_dir, "podman/web", &a, &why), 0);
	assert_true(a.mode == MODE_ENFORCE && a.replace && !a.unconfined && a.keep_new_image &&
		    a.has_good);
	assert_int_equal(a.now.number, second);
	assert_int_equal(a.good.number, first);
	assert_int_equal(a.trial_s, 30);
	assert_true(sysset_has(&a.now.learned.set[TAMIS_WORKLOAD][MACHINE], 2));
	assert_false(is_file("web.json", kubelet_dir));
}

static void shadow_and_release(void **state)
{
	int64_t id = add("podman/web", "podman");
	_applied_ struct applied a = { 0 };
	_free_ char *why = NULL;

	assert_put("podman/web");
	assert_int_equal(found("podman/web"), 0);
	set(id, (struct store_applied){
			.mode = MODE_SHADOW, .generation = generation(id, 1), .unconfined = true });
	assert_put("podman/web");
	assert_int_equal(applied_read(state_dir, "podman/web", &a, &why), 0);
	assert_true(a.mode == MODE_SHADOW && a.unconfined && !a.has_good);
	set(id, (struct store_applied){ .mode = MODE_OBSERVE });
	assert_put("podman/web");
	assert_int_equal(found("podman/web"), 0);
	assert_false(is_file("applied", state_dir));
}

/* What was merged into a workload starts by its own key. */
static void every_key_has_its_file(void **state)
{
	int64_t web = add("podman/web", "podman"), old = add("podman/old", "podman");
	uint32_t number;

	IN_TRANSACTION
	{
		assert_stored(store_merge(st, web, &old, 1));
	}
	number = generation(web, 1);
	set(web, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_put("podman/web");
	assert_int_equal(found("podman/web"), number);
	assert_int_equal(found("podman/old"), number);
	set(web, (struct store_applied){ .mode = MODE_OBSERVE });
	assert_put("podman/web");
	assert_int_equal(found("podman/old"), 0);
}

/* A name that a person chose and that no file can have needs none. */
static void skips_keys_without_a_file(void **state)
{
	int64_t web = add("podman/web", "podman");
	uint32_t number = generation(web, 1);

	IN_TRANSACTION
	{
		assert_stored(store_rename(st, web, "team/the web", "the web"));
	}
	set(web, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_put("team/the web");
	assert_int_equal(found("podman/web"), number);
}

static void follows_units(void **state)
{
	int64_t id = add("systemd/web.service", "systemd");
	uint32_t number = generation(id, 1);
	_free_ char *text = NULL;

	set(id, (struct store_applied){ .mode = MODE_SHADOW, .generation = number });
	assert_put("systemd/web.service");
	assert_false(is_file("web.service.d/" UNIT_DROP_IN, unit_dir));
	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_put("systemd/web.service");
	assert_int_equal(found("systemd/web.service"), number);
	text = text_of(unit_dir, "web.service.d/" UNIT_DROP_IN);
	assert_non_null(strstr(text, "SystemCallFilter="));
	assert_non_null(strstr(text, "/usr/libexec/tamis-start"));
	set(id, (struct store_applied){ .mode = MODE_OBSERVE });
	assert_put("systemd/web.service");
	assert_false(is_file("web.service.d", unit_dir));
	assert_int_equal(found("systemd/web.service"), 0);
}

/* Nothing can be put in place there, so nothing is said to be applied. */
static void refuses_users_units(void **state)
{
	int64_t id = add("systemd/~1000/web.service", "systemd");
	uint32_t number = generation(id, 1);
	_free_ char *why = NULL;

	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_true(put("systemd/~1000/web.service", &why) < 0);
	assert_non_null(why);
	assert_int_equal(found("systemd/~1000/web.service"), 0);
	set(id, (struct store_applied){ .mode = MODE_SHADOW, .generation = number });
	assert_put("systemd/~1000/web.service");
	set(id, (struct store_applied){ .mode = MODE_OBSERVE });
	assert_put("systemd/~1000/web.service");
}

static void follows_pods(void **state)
{
	int64_t id = add("kubernetes/shop/web/main", "kubernetes");
	uint32_t bad = generation(id, 1), good = generation(id, 2), number;
	_free_ char *first = NULL, *second = NULL, *third = NULL, *fourth = NULL;

	assert_put("kubernetes/shop/web/main");
	first = text_of(kubelet_dir, "shop/web/main.json");
	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = bad, .good = good });
	assert_put("kubernetes/shop/web/main");
	second = text_of(kubelet_dir, "shop/web/main.json");
	assert_string_not_equal(first, second);
	/* one that failed is not in force, the good one is */
	IN_TRANSACTION
	{
		assert_stored(store_generation_state(st, id, bad, GENERATION_FAILED, "x"));
	}
	assert_put("kubernetes/shop/web/main");
	third = text_of(kubelet_dir, "shop/web/main.json");
	assert_string_not_equal(second, third);
	/* and pods that name the file still find it */
	set(id, (struct store_applied){ .mode = MODE_OBSERVE });
	assert_put("kubernetes/shop/web/main");
	fourth = text_of(kubelet_dir, "shop/web/main.json");
	assert_string_equal(first, fourth);
	number = generation(id, 3);
	ways.kubelet_dir = NULL;
	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_put("kubernetes/shop/web/main");
	free(fourth);
	fourth = text_of(kubelet_dir, "shop/web/main.json");
	assert_string_equal(first, fourth);
}

/* --- what fails ---------------------------------------------------------------------------- */

/* The second step of a unit fails: the first one is taken back. */
static void takes_back_what_was_done(void **state)
{
	int64_t id = add("systemd/web.service", "systemd");
	uint32_t first = generation(id, 1), second = generation(id, 2);
	_free_ char *why = NULL, *before = NULL, *after = NULL;

	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = first });
	assert_put("systemd/web.service");
	before = text_of(state_dir, "applied/systemd/web.service.json");
	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = second });
	assert_int_equal(chmod(unit_dir, 0777), 0);
	assert_true(put("systemd/web.service", &why) < 0);
	assert_non_null(why);
	after = text_of(state_dir, "applied/systemd/web.service.json");
	assert_string_equal(before, after);
}

/* Of several keys all have it or none: the last one's directory is somebody's. */
static void all_keys_or_none(void **state)
{
	int64_t web = add("podman/web", "podman"), old = add("podman/~7/old", "podman");
	uint32_t first, second;
	_free_ char *why = NULL, *dir = text_format("%s/applied/podman/~7", state_dir);

	IN_TRANSACTION
	{
		assert_stored(store_merge(st, web, &old, 1));
	}
	first = generation(web, 1);
	second = generation(web, 2);
	set(web, (struct store_applied){ .mode = MODE_ENFORCE, .generation = first });
	assert_put("podman/web");
	assert_int_equal(chmod(dir, 0777), 0);
	set(web, (struct store_applied){ .mode = MODE_ENFORCE, .generation = second });
	assert_int_equal(put("podman/web", &why), -EPERM);
	assert_non_null(strstr(why, "podman/~7/old"));
	assert_int_equal(found("podman/web"), first);
}

/* A broken file is no reason not to write a good one. */
static void heals_broken_files(void **state)
{
	int64_t id = add("podman/web", "podman");
	uint32_t number = generation(id, 1);
	_free_ char *path = text_format("%s/applied/podman/web.json", state_dir);

	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = number });
	assert_put("podman/web");
	assert_int_equal(truncate(path, 20), 0);
	assert_put("podman/web");
	assert_int_equal(found("podman/web"), number);
}

/* Nothing more can be written, as on a disk that is full. */
static void fill_disk(bool full)
{
	const struct rlimit limit = { full ? 0 : RLIM_INFINITY, RLIM_INFINITY };

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* But for the marks that stand beside them. */
static size_t files_below(const char *dir)
{
	_free_ char *command = text_format("find %s -type f ! -name '*!' 2>/dev/null | wc -l", dir);
	FILE *f = popen(command, "r");
	unsigned cnt = 0;

	assert_int_equal(fscanf(f, "%u", &cnt), 1);
	pclose(f);
	return cnt;
}

/* What a command does when its commit failed: the store's old word is in force again. */
static void restores_from(uint32_t was, uint32_t is, bool full)
{
	struct store_row row = row_of("podman/web");
	_free_ char *why = NULL, *dir = text_format("%s/applied", state_dir);

	set(row.id,
	    (struct store_applied){ .mode = was ? MODE_ENFORCE : MODE_OBSERVE, .generation = was });
	assert_put("podman/web");
	assert_stored(store_begin(st));
	apply_generation(row.id, is ? MODE_ENFORCE : MODE_OBSERVE, is);
	assert_int_equal(ways_put(&ways, st, &row, &why), 0);
	assert_int_equal(found("podman/web"), is);
	fill_disk(full);
	store_rollback(st);
	ways_restore(&ways, st, &row);
	fill_disk(false);
	assert_int_equal(found("podman/web"), was);
	/* Nothing that was kept is left. */
	assert_int_equal(files_below(dir), was ? 1 : 0);
	store_row_done(&row);
}

static void restores(void **state)
{
	int64_t id = add("podman/web", "podman");
	uint32_t first = generation(id, 1), second = generation(id, 2);

	for (int full = 0; full < 2; full++) {
		restores_from(first, second, full);
		restores_from(second, 0, full);
		restores_from(0, first, full);
	}
}

/* What an earlier command kept isn't what the store says: nothing is applied then. */
static void restores_no_stranger(void **state)
{
	int64_t id = add("podman/web", "podman");
	uint32_t first = generation(id, 1), second = generation(id, 2);
	struct store_row row = row_of("podman/web");
	_free_ char *why = NULL;

	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = first });
	assert_put("podman/web");
	set(id, (struct store_applied){ .mode = MODE_ENFORCE, .generation = second });
	assert_int_equal(ways_put(&ways, st, &row, &why), 0); /* keeps the first */
	fill_disk(true);
	ways_restore(&ways, st, &row);
	fill_disk(false);
	assert_int_equal(found("podman/web"), 0);
	store_row_done(&row);
}

static void finds_tamis_start(void **state)
{
	char self[256];
	_free_ char *path = NULL, *beside = NULL, *libexec = NULL, *dir = NULL;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	beside = text_format("%s/tamis-start", self);
	dir = text_format("%s/../libexec", self);
	libexec = text_format("%s/tamis-start", dir);
	assert_int_equal(ways_start_path(&path), -ENOENT);
	assert_int_equal(file_mkdirs(dir, 0755), 0);
	assert_int_equal(file_write_atomic(libexec, "", 0, 0755), 0);
	assert_int_equal(ways_start_path(&path), 0);
	assert_non_null(strstr(path, "/libexec/tamis-start"));
	free(path);
	path = NULL;
	assert_int_equal(file_write_atomic(beside, "", 0, 0755), 0);
	assert_int_equal(ways_start_path(&path), 0);
	assert_string_equal(path, beside);
	assert_int_equal(unlink(beside) | unlink(libexec) | rmdir(dir), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_the_stores_word),
		TEST(shadow_and_release),
		TEST(every_key_has_its_file),
		TEST(skips_keys_without_a_file),
		TEST(follows_units),
		TEST(refuses_users_units),
		TEST(follows_pods),
		TEST(takes_back_what_was_done),
		TEST(all_keys_or_none),
		TEST(heals_broken_files),
		TEST(restores),
		TEST(restores_no_stranger),
		TEST(finds_tamis_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
