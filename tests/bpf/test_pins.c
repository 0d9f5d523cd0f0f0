/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives the daemon, on a bpffs of this test's own mount namespace. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "sensor/sensor.h"

static char top[] = "/tmp/tamis-test-pins.XXXXXX";
static char *pins, *version;

static int make_bpffs(void **state)
{
	if (!mkdtemp(top) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tamis-test", top, "bpf", 0, NULL) < 0)
		return -1;
	pins = text_format("%s/pins", top);
	version = text_format("%s/v%d", pins, TAMIS_ABI_VERSION);
	return pins && version ? 0 : -1;
}

static int remove_bpffs(void **state)
{
	free(pins);
	free(version);
	return umount(top) < 0 || rmdir(top) < 0;
}

static int clean(void **state)
{
	(void)sensor_unpin(pins);
	(void)rmdir(pins);
	return 0;
}

static int try_open(const char *dir, struct sensor **ret, char **ret_why)
{
	struct sensor_options o = { .pins = dir };

	return sensor_open(&o, ret, ret_why);
}

static struct sensor *must_open(void)
{
	struct sensor *s = NULL;
	_free_ char *why = NULL;

	assert_int_equal(try_open(pins, &s, &why), 0);
	return s;
}

static bool exists(const char *name)
{
	_free_ char *path = text_format("%s/%s", version, name);

	return access(path, F_OK) == 0;
}

static int count_set(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static void a_second_sensor_takes_over_what_the_first_kept(void **state)
{
	struct sensor *s = must_open();
	struct tamis_cgroup seed = { .starts = 7 };
	uint32_t unit;

	assert_false(sensor_was_pinned(s));
	sensor_unit_next(s);
	unit = sensor_unit(s);
	assert_int_equal(sensor_seed(s, 4711, &seed), 0);
	sensor_close(s);
	assert_true(exists("on_enter") && exists("sets") && exists("state"));

	s = must_open();
	assert_true(sensor_was_pinned(s));
	assert_int_equal(sensor_unit(s), unit);
	seed.starts = 1;
	assert_int_equal(sensor_seed(s, 4711, &seed), 0); /* there already: left as it is */
	sensor_forget(s, 4711);
	sensor_close(s);
	assert_int_equal(sensor_unpin(pins), 0);
	assert_false(exists("on_enter"));
	assert_int_equal(access(version, F_OK), -1);
	assert_int_equal(sensor_unpin(pins), 0); /* nothing there: nothing to do */
}

static void pinned_maps_keep_their_size(void **state)
{
	struct sensor_options small = { .pins = pins, .sets = 100 };
	struct sensor *s = NULL;
	_free_ char *why = NULL;

	assert_int_equal(sensor_open(&small, &s, &why), 0);
	sensor_close(s);
	sensor_close(must_open());
}

static void pin_foreign(const char *name, uint32_t value_size)
{
	_free_ char *path = text_format("%s/%s", version, name);
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "foreign", 4, value_size, 16, NULL);

	assert_true(fd >= 0);
	(void)mkdir(pins, 0700);
	(void)mkdir(version, 0700);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
}

static void foreign_objects_are_refused_and_left_alone(void **state)
{
	static const char *const names[] = {
		"state", "sets", "cgroups", "tasks", "losses", "paths", "leaves", "ring", "denials",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct sensor *s = NULL;
		_free_ char *why = NULL;

		pin_foreign(names[i], 12);
		assert_int_equal(try_open(pins, &s, &why), -EUCLEAN);
		assert_null(s);
		assert_non_null(strstr(why, names[i]));
		assert_true(exists(names[i]));
		(void)clean(NULL);
	}
}

static void a_state_of_another_making_is_refused(void **state)
{
	_free_ char *path = text_format("%s/state", version), *why = NULL;
	struct sensor *s = must_open();
	struct tamis_state bad = { .magic = TAMIS_MAGIC, .version = TAMIS_ABI_VERSION + 1 };
	uint32_t zero = 0;
	int fd;

	sensor_close(s);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, &bad, BPF_ANY), 0);
	close(fd);
	assert_int_equal(try_open(pins, &s, &why), -EUCLEAN);
	assert_non_null(strstr(why, "state"));
}

static void old_versions_go_after_the_new_is_attached(void **state)
{
	_free_ char *old = text_format("%s/v999", pins), *map = text_format("%s/sets", old);
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "old", 4, 4, 16, NULL);

	(void)mkdir(pins, 0700);
	assert_int_equal(mkdir(old, 0700), 0);
	assert_int_equal(bpf_obj_pin(fd, map), 0);
	sensor_close(must_open());
	assert_int_equal(access(old, F_OK), -1);
}

/* The sets of one door aren't those of another: neither is taken for the other's. */
static void another_door_has_its_own_place(void **state)
{
	struct sensor_options legacy = { .pins = pins, .legacy = true };
	_free_ char *other = text_format("%s-legacy", version), *why = NULL;
	struct sensor *s = NULL;

	sensor_close(must_open());
	assert_int_equal(sensor_open(&legacy, &s, &why), 0);
	assert_string_equal(sensor_door(s), "legacy");
	assert_false(sensor_was_pinned(s));
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(access(version, F_OK), -1); /* replaced */
	sensor_close(s);
	assert_int_equal(sensor_open(&legacy, &s, &why), 0);
	assert_true(sensor_was_pinned(s));
	sensor_close(s);

	s = must_open();
	assert_false(sensor_was_pinned(s));
	assert_int_equal(access(other, F_OK), -1);
	sensor_close(s);
}

static void directories_that_are_not_ours_are_refused(void **state)
{
	_free_ char *elsewhere = text_format("/run/tamis-test-pins.%d", getpid());
	_free_ char *made = text_format("%s%s", elsewhere, strrchr(version, '/')), *why = NULL;
	struct sensor *s = NULL;

	assert_int_equal(try_open("/proc/self/tamis", &s, &why), -ENOENT);
	free(TAKE_PTR(why));
	assert_int_equal(try_open(elsewhere, &s, &why), -EMEDIUMTYPE);
	assert_non_null(strstr(why, "bpffs"));
	assert_int_equal(rmdir(made), 0);
	assert_int_equal(rmdir(elsewhere), 0);
	free(TAKE_PTR(why));

	(void)mkdir(pins, 0700);
	assert_int_equal(mkdir(version, 0700), 0);
	assert_int_equal(chmod(version, 0777), 0);
	assert_int_equal(try_open(pins, &s, &why), -EUCLEAN);
	assert_non_null(strstr(why, "777"));
}

static void options_out_of_range_are_refused(void **state)
{
	static const struct sensor_options rows[] = {
		{ .sets = (1 << 24) + 1 },
		{ .cache_slots = 3 },
		{ .cache_slots = 16384 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sensor *s = NULL;
		_free_ char *why = NULL;

		assert_int_equal(sensor_open(&rows[i], &s, &why), -EINVAL);
		assert_null(s);
	}
}

static void drains_are_skipped_when_nothing_changed(void **state)
{
	struct sensor *s = must_open();
	unsigned sets = 1;
	struct sensor_walk w = { .set = count_set, .arg = &sets };

	assert_int_equal(sensor_drain(s, &w, true), 0);
	/* others' cgroups may make calls meanwhile */
	for (int i = 0; i < 1000 && sets > 0; i++) {
		sets = 0;
		assert_int_equal(sensor_drain(s, &w, false), 0);
	}
	assert_int_equal(sets, 0);
	sensor_close(s);
}

/* As if an earlier daemon's programs had been left out: `told` of each is below zero. */
static void owe(int64_t n)
{
	_free_ char *path = text_format("%s/missed", version);
	_close_ int fd = bpf_obj_get(path);
	int64_t told[8] = { -n };
	uint32_t zero = 0;

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, told, BPF_ANY), 0);
}

static uint64_t missed_next(bool twice)
{
	struct sensor *s = must_open();
	uint64_t missed = sensor_missed(s);

	if (twice)
		(void)sensor_missed(s);
	sensor_close(s);
	return missed;
}

static void what_nobody_told_is_the_next_ones(void **state)
{
	assert_int_equal(missed_next(false), 0);
	owe(5);
	assert_int_equal(missed_next(false), 5); /* perhaps it was the last thing it did */
	assert_int_equal(missed_next(true), 5);
	assert_int_equal(missed_next(false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_second_sensor_takes_over_what_the_first_kept, clean),
		cmocka_unit_test_teardown(pinned_maps_keep_their_size, clean),
		cmocka_unit_test_teardown(what_nobody_told_is_the_next_ones, clean),
		cmocka_unit_test_teardown(foreign_objects_are_refused_and_left_alone, clean),
		cmocka_unit_test_teardown(a_state_of_another_making_is_refused, clean),
		cmocka_unit_test_teardown(old_versions_go_after_the_new_is_attached, clean),
		cmocka_unit_test_teardown(another_door_has_its_own_place, clean),
		cmocka_unit_test_teardown(directories_that_are_not_ours_are_refused, clean),
		cmocka_unit_test(options_out_of_range_are_refused),
		cmocka_unit_test_teardown(drains_are_skipped_when_nothing_changed, clean),
	};

	return cmocka_run_group_tests(tests, make_bpffs, remove_bpffs);
}
