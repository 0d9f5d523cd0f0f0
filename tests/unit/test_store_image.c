/* SPDX-License-Identifier: Apache-2.0 */
/* Images that workloads were seen with: the newest of them. */
#include <errno.h>

#include "generation_fixture.h"

static int64_t see(const char *key, const char *digest, int64_t now)
{
	const struct store_workload w = { .key = key, .engine = "podman", .image_digest = digest };
	int64_t id = 0;

	assert_stored(store_workload(st, &w, now, &id));
	return id;
}

/* Digests up to the first NULL. */
static void assert_images(int64_t workload, const char *const *want)
{
	char **image = NULL;
	size_t cnt = 0, n = 0;

	assert_stored(store_images(st, workload, &image, &cnt));
	for (; want[n]; n++) {
		assert_true(n < cnt);
		assert_string_equal(image[n], want[n]);
	}
	assert_int_equal(cnt, n);
	free_texts(image, cnt);
}

#define IMAGES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_IMAGES   ((const char *const[]){ NULL })

static void each_is_one_more(void **state)
{
	int64_t w;

	IN_TRANSACTION
	{
		w = see("podman/web", NULL, NOW);
		assert_images(w, NO_IMAGES);
		see("podman/web", "sha256:b", NOW + 1);
		see("podman/web", "sha256:a", NOW + 2);
		see("podman/web", "sha256:b", NOW + 3);
		see("podman/web", NULL, NOW + 4); /* not known now */
		see("podman/other", "sha256:c", NOW);
	}
	assert_images(w, IMAGES("sha256:a", "sha256:b"));
	assert_int_equal(broken_rule(), 0);
}

static void what_is_known_writes_nothing(void **state)
{
	uint64_t before;

	IN_TRANSACTION
	see("podman/web", "sha256:a", NOW);
	before = log_written();
	for (int i = 1; i < 5; i++)
		IN_TRANSACTION
	see("podman/web", "sha256:a", NOW + i * 1000);
	assert_int_equal(log_written(), before);
}

/* A tag that moves each night, and one image that comes back. */
static void the_newest_stay(void **state)
{
	char digest[32], **image = NULL;
	size_t cnt = 0;
	int64_t w;

	IN_TRANSACTION
	{
		for (int i = 0; i < GENERATION_IMAGES_MAX + 10; i++) {
			snprintf(digest, sizeof(digest), "sha256:%03d", i);
			w = see("podman/web", digest, NOW + i);
			see("podman/web", "sha256:back", NOW + i);
		}
	}
	assert_stored(store_images(st, w, &image, &cnt));
	assert_int_equal(cnt, GENERATION_IMAGES_MAX);
	assert_string_equal(image[0], "sha256:011");
	assert_string_equal(image[cnt - 2], "sha256:073");
	assert_string_equal(image[cnt - 1], "sha256:back");
	free_texts(image, cnt);
	assert_int_equal(broken_rule(), 0);
}

/* A clock that went back doesn't lose the image that runs. */
static void the_present_one_stays(void **state)
{
	char digest[32];

	IN_TRANSACTION
	{
		for (int i = 0; i < GENERATION_IMAGES_MAX; i++) {
			snprintf(digest, sizeof(digest), "sha256:%03d", i);
			see("podman/web", digest, NOW + i);
		}
		see("podman/web", "sha256:now", NOW - 1000);
	}
	assert_int_equal(broken_rule(), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM image"), GENERATION_IMAGES_MAX);
}

static void merging_joins_them(void **state)
{
	char digest[32];
	int64_t a, b;

	IN_TRANSACTION
	{
		a = see("podman/a", "sha256:old", NOW - 5);
		see("podman/a", "sha256:x", NOW - 4);
		for (int i = 0; i < GENERATION_IMAGES_MAX; i++) {
			snprintf(digest, sizeof(digest), "sha256:%03d", i);
			b = see("podman/b", digest, NOW + i);
		}
		assert_stored(store_merge(st, a, &b, 1));
	}
	assert_int_equal(ask_db("SELECT count(*) FROM image"), GENERATION_IMAGES_MAX);
	assert_int_equal(ask_db("SELECT count(*) FROM image WHERE digest = 'sha256:x'"), 1);
	IN_TRANSACTION
	see("podman/b", "sha256:y", NOW + 100); /* which is a now */
	assert_int_equal(ask_db("SELECT count(*) FROM image"), GENERATION_IMAGES_MAX);
	assert_int_equal(ask_db("SELECT count(*) FROM image WHERE digest = 'sha256:old'"), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM image WHERE digest = 'sha256:y'"), 1);
	assert_int_equal(ask_db("SELECT count(*) FROM image WHERE digest = 'sha256:000'"), 0);
	assert_int_equal(ask_db("SELECT count(*) FROM image WHERE digest = 'sha256:063'"), 1);
	assert_int_equal(broken_rule(), 0);
}

static void forgetting_leaves_the_present_one(void **state)
{
	int64_t gone, runs;
	bool running;

	IN_TRANSACTION
	{
		gone = see("podman/gone", "sha256:a", NOW);
		see("podman/runs", "sha256:b", NOW);
		runs = see("podman/runs", "sha256:c", NOW);
		add_instance("i", runs, NOW);
		assert_stored(store_forget(st, gone, &running));
		assert_stored(store_forget(st, runs, &running));
	}
	assert_images(gone, NO_IMAGES);
	assert_images(runs, IMAGES("sha256:c"));
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_one_more),	  TEST(what_is_known_writes_nothing),
		TEST(the_newest_stay),	  TEST(the_present_one_stays),
		TEST(merging_joins_them), TEST(forgetting_leaves_the_present_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
