/* SPDX-License-Identifier: Apache-2.0 */
/* Containers inside of a container: labels for display, bounded. */
#include <errno.h>

#include "store_fixture.h"

static int64_t w;

static void see(unsigned n, int64_t now)
{
	char label[32];

	snprintf(label, sizeof(label), "docker/%03u", n);
	assert_stored(store_inner(st, w, label, now));
}

/* The labels that there are, as numbers, in a set. */
static struct sysset labels_of(int64_t workload)
{
	struct sysset s = { 0 };
	char **labels = NULL;
	size_t cnt = 0;

	assert_stored(store_inner_list(st, workload, &labels, &cnt));
	for (size_t n = 0; n < cnt; n++) {
		assert_true(n == 0 || strcmp(labels[n - 1], labels[n]) < 0);
		sysset_add(&s, (unsigned)atoi(labels[n] + strlen("docker/")));
	}
	assert_int_equal(sysset_count(&s), cnt);
	free_texts(labels, cnt);
	return s;
}

/* `again`: label 0 is seen once more so long after the others, before the last one comes. */
static const struct {
	unsigned cnt;
	int again;
	unsigned from, to; /* those kept, but for label 0 */
	bool zero;
} seen[] = {
	{ 1, 0, 1, 1, true },	   { 64, 0, 1, 64, true },	{ 65, 0, 1, 65, false },
	{ 65, 1000, 2, 65, true }, { 200, 0, 136, 200, false }, { 200, 1000, 137, 200, true },
};

static void those_seen_last_are_kept(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(seen); n++) {
		struct sysset expected = { 0 };

		assert_stored(store_begin(st));
		w = add_workload("k", NULL);
		for (unsigned label = 0; label < seen[n].cnt; label++) {
			if (label > 0 && seen[n].again)
				see(0, NOW + seen[n].again + label);
			see(label, NOW + label);
		}
		for (unsigned label = seen[n].from; label < seen[n].to; label++)
			sysset_add(&expected, label);
		if (seen[n].zero)
			sysset_add(&expected, 0);
		assert_set(labels_of(w), expected);
		store_rollback(st);
	}
}

/* More than there is room for in one drain: the new one is there. */
static void the_newest_is_never_left_out(void **state)
{
	IN_TRANSACTION
	{
		w = add_workload("k", NULL);
		for (unsigned label = 1; label <= 100; label++) {
			struct sysset is;

			see(label, NOW);
			is = labels_of(w);
			assert_true(sysset_has(&is, label));
			assert_true(sysset_count(&is) <= STORE_INNER_MAX);
		}
	}
}

static void seen_again_is_written_once_a_minute(void **state)
{
	uint64_t before;

	IN_TRANSACTION
	{
		w = add_workload("k", NULL);
		see(1, NOW);
	}
	before = log_written();
	for (int n = 0; n < 60; n++)
		IN_TRANSACTION see(1, NOW + n);
	assert_int_equal(log_written(), before);
	IN_TRANSACTION see(1, NOW + 60);
	assert_int_not_equal(log_written(), before);
	assert_int_equal(ask_db("SELECT last FROM inner"), NOW + 60);
	assert_int_equal(ask_db("SELECT first FROM inner"), NOW);
}

static void hostile_labels_are_bounded(void **state)
{
	static char label[10000];
	char **labels = NULL;
	size_t cnt = 0;

	memset(label, '\n', sizeof(label) - 1);
	assert_int_equal(store_inner(st, 1, "x", NOW), -EINVAL); /* no transaction */
	IN_TRANSACTION
	{
		w = add_workload("k", NULL);
		assert_stored(store_inner(st, w, label, NOW));
		assert_stored(store_inner(st, w, "'; DROP TABLE inner; --\xff", NOW));
		assert_stored(store_inner(st, w, "", NOW));
	}
	assert_stored(store_inner_list(st, w, &labels, &cnt));
	assert_int_equal(cnt, 3);
	assert_string_equal(labels[0], "");
	assert_int_equal(strlen(labels[1]), 4096);
	assert_string_equal(labels[2], "'; DROP TABLE inner; --\xff");
	free_texts(labels, cnt);
	assert_stored(store_begin(st));
	assert_int_equal(store_inner(st, 99, "x", NOW), -EINVAL);
	store_rollback(st);
}

static void who_has_none_has_none(void **state)
{
	char **labels = (char **)1;
	size_t cnt = 1;

	IN_TRANSACTION w = add_workload("k", NULL);
	assert_stored(store_inner_list(st, w, &labels, &cnt));
	assert_int_equal(cnt, 0);
	free(labels);
	assert_stored(store_aliases(st, w, &labels, &cnt));
	assert_int_equal(cnt, 0);
	free(labels);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_seen_last_are_kept),
		TEST(the_newest_is_never_left_out),
		TEST(seen_again_is_written_once_a_minute),
		TEST(hostile_labels_are_bounded),
		TEST(who_has_none_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
