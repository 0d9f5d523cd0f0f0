/* SPDX-License-Identifier: Apache-2.0 */
/* One workload of several: nothing lost, nothing counted twice, found by every name. */
#include <errno.h>

#include "store_fixture.h"

/* "a" and "b" share unit 1; each has one of its own. */
static int64_t a, b, ia, ib, u1, u2, u3;

static void origin(int64_t instance, uint32_t nr, int64_t first, const char *comm)
{
	const struct policy_origin o = { .nr = nr,
					 .stage = TAMIS_WORKLOAD,
					 .first = first,
					 .pid = nr,
					 .comm = comm,
					 .exe = comm };

	assert_stored(store_origin(st, instance, &o));
}

static void show_two(void)
{
	a = add_workload("podman/a", "a");
	b = add_workload("docker/b", "b");
	u1 = add_unit(NOW);
	u2 = add_unit(NOW + 60);
	u3 = add_unit(NOW + 120);
	ia = add_instance("ia", a, NOW);
	ib = add_instance("ib", b, NOW);
	add_calls(ia, u1, TAMIS_WORKLOAD, SET(1, 2, 4), NOW + 1);
	add_calls(ia, u2, TAMIS_WORKLOAD, SET(2, 3), NOW + 61);
	add_calls(ib, u1, TAMIS_WORKLOAD, SET(2, 3, 5), NOW + 2);
	add_calls(ib, u3, TAMIS_SESSION, SET(1), NOW + 121);
}

static int open_two(void **state)
{
	int r = open_store(state);

	if (r == 0)
		IN_TRANSACTION show_two();
	return r;
}

static void assert_aliases(int64_t workload, const char *joined)
{
	char is[256] = "", **keys = NULL;
	size_t cnt = 0;

	assert_stored(store_aliases(st, workload, &keys, &cnt));
	for (size_t n = 0; n < cnt; n++) {
		strcat(is, n ? " " : "");
		strcat(is, keys[n]);
	}
	free_texts(keys, cnt);
	assert_string_equal(is, joined);
}

static void nothing_is_lost_or_counted_twice(void **state)
{
	struct store_row row;

	IN_TRANSACTION assert_stored(store_merge(st, a, &b, 1));
	assert_int_equal(count_workloads(), 1);
	assert_set(learned_in(a, TAMIS_WORKLOAD), SET(1, 2, 3, 4, 5));
	assert_set(learned_in(a, TAMIS_SESSION), SET(1));
	row = row_of("podman/a");
	assert_int_equal(row.id, a);
	assert_int_equal(row.evidence.units, 3);
	assert_int_equal(row.evidence.last, NOW + 121);
	assert_int_equal(row.replicas, 2);
	store_row_done(&row);
	assert_aliases(a, "docker/b");
	assert_int_equal(broken_rule(), 0);
}

/* Who made a call first, in a and in b; 0: nobody knows. */
static const struct {
	uint32_t nr;
	int64_t a, b;
	const char *who;
	int64_t first;
} firsts[] = {
	{ 2, NOW - 1, NOW - 5, "b", NOW - 5 }, { 2, NOW - 5, NOW - 1, "a", NOW - 5 },
	{ 2, NOW - 5, NOW - 5, "a", NOW - 5 }, { 2, 0, NOW - 1, "b", NOW - 1 },
	{ 2, NOW - 1, 0, "a", NOW - 1 },       { 2, 0, 0, "", NOW },
	{ 3, NOW + 70, 0, "a", NOW }, /* seen earlier in b, nobody knows by whom */
	{ 5, 0, NOW + 9, "b", NOW },
};

static void the_earlier_first_is_kept(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(firsts); n++) {
		struct policy_origin *o = NULL;
		const struct policy_origin *is;
		size_t cnt = 0;

		assert_stored(store_begin(st));
		if (firsts[n].a)
			origin(ia, firsts[n].nr, firsts[n].a, "a");
		if (firsts[n].b)
			origin(ib, firsts[n].nr, firsts[n].b, "b");
		assert_stored(store_merge(st, a, &b, 1));
		assert_stored(store_origins(st, a, &o, &cnt));
		is = origin_of(o, cnt, TAMIS_WORKLOAD, firsts[n].nr);
		assert_string_equal(is->comm, firsts[n].who);
		assert_string_equal(is->exe, firsts[n].who);
		assert_int_equal(is->pid, *firsts[n].who ? firsts[n].nr : 0);
		assert_int_equal(is->first, firsts[n].first);
		store_origins_free(o, cnt);
		store_rollback(st);
	}
}

/* The daemon goes on to say what its engine says. */
static void old_keys_mean_the_new_one(void **state)
{
	const struct store_workload again = { .key = "docker/b",
					      .owner = "docker",
					      .engine = "docker",
					      .name = "b",
					      .image = "img:2",
					      .namespace = "ns",
					      .why_not = "because" };
	struct store_row row;
	int64_t id = 0;
	uint64_t before;

	IN_TRANSACTION
	{
		assert_stored(store_merge(st, a, &b, 1));
		assert_stored(store_workload(st, &again, NOW, &id));
	}
	assert_int_equal(id, a);
	before = log_written();
	IN_TRANSACTION assert_stored(store_workload(st, &again, NOW + 1, &id));
	assert_int_equal(log_written(), before);
	row = row_of("docker/b");
	assert_int_equal(row.id, a);
	assert_string_equal(row.key, "podman/a");
	assert_string_equal(row.name, "a");
	assert_string_equal(row.owner, "podman");
	assert_string_equal(row.engine, "podman");
	assert_string_equal(row.image, "img:2");
	assert_string_equal(row.namespace, "ns");
	assert_string_equal(row.why_not, "because");
	store_row_done(&row);
}

static void aliases_follow(void **state)
{
	int64_t c, d, from[3];

	IN_TRANSACTION
	{
		c = add_workload("c", NULL);
		d = add_workload("d", NULL);
		assert_stored(store_merge(st, a, &b, 1));
		from[0] = from[2] = a; /* once is enough */
		from[1] = d;
		assert_stored(store_merge(st, c, from, 3));
	}
	assert_aliases(c, "d docker/b podman/a");
	IN_TRANSACTION
	{
		assert_int_equal(add_workload("docker/b", NULL), c);
		assert_int_equal(add_workload("podman/a", NULL), c);
	}
	assert_int_equal(count_workloads(), 1);
	assert_int_equal(broken_rule(), 0);
}

static void what_cant_be_merged_is_left(void **state)
{
	const struct {
		int64_t into, from;
		size_t cnt;
		int r;
	} asked[] = {
		{ a, a, 1, -EINVAL },
		{ a, 99, 1, -ENOENT },
		{ 99, a, 1, -ENOENT },
		{ a, b, 0, 0 },
	};

	assert_int_equal(store_merge(st, a, &b, 1), -EINVAL); /* no transaction */
	for (size_t n = 0; n < ARRAY_SIZE(asked); n++) {
		assert_stored(store_begin(st));
		assert_int_equal(store_merge(st, asked[n].into, &asked[n].from, asked[n].cnt),
				 asked[n].r);
		assert_stored(store_commit(st));
		assert_int_equal(count_workloads(), 2);
	}
	assert_aliases(a, "");
}

/* b was forgotten while it ran; a was observed whole, but before. */
static void an_older_start_makes_nothing_whole(void **state)
{
	struct store_instance i = { .workload = a, .instance = "ia", .running = true, .starts = 1 };
	struct store_row row;
	int64_t id;

	for (int later = 0; later < 2; later++) {
		IN_TRANSACTION
		{
			if (!later)
				assert_stored(store_forget(st, b, &(bool){ 0 }));
			assert_stored(store_instance(st, &i, NOW, &id));
			if (!later)
				assert_stored(store_merge(st, a, &b, 1));
		}
		row = row_of("podman/a");
		assert_int_equal(evidence_is_partial(&row.evidence), !later);
		store_row_done(&row);
		i.instance = "later";
	}
}

/* Whose id a daemon still has: said again under that, it is refused, not lost. */
static void a_daemon_that_did_not_look_is_told(void **state)
{
	const struct store_instance i = { .instance = "ib", .workload = b, .running = true };
	struct sysset set = SET(77), is;
	int64_t id;

	IN_TRANSACTION assert_stored(store_merge(st, a, &b, 1));
	assert_stored(store_begin(st));
	assert_int_equal(store_instance(st, &i, NOW, &id), -EINVAL);
	store_rollback(st);
	IN_TRANSACTION assert_stored(
		store_calls(st, ib, u3, TAMIS_WORKLOAD, TAMIS_ABI_X86_64, &set, NOW + 130));
	is = learned_in(a, TAMIS_WORKLOAD);
	assert_true(sysset_has(&is, 77));
}

static void labels_of_inner_containers_follow(void **state)
{
	char **labels = NULL;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		for (int n = 0; n < STORE_INNER_MAX; n++) {
			char label[16];

			snprintf(label, sizeof(label), "x/%02d", n);
			assert_stored(store_inner(st, n % 2 ? a : b, label, NOW + n));
			snprintf(label, sizeof(label), "y/%02d", n);
			assert_stored(store_inner(st, b, label, NOW + 1000 + n));
		}
		assert_stored(store_merge(st, a, &b, 1));
	}
	assert_stored(store_inner_list(st, a, &labels, &cnt));
	assert_int_equal(cnt, STORE_INNER_MAX);
	assert_string_equal(labels[0], "y/00"); /* seen later than all of x */
	free_texts(labels, cnt);
}

/* --- renaming ---------------------------------------------------------------------------- */

/* Workload a, whose alias is "docker/b"; "c" is another one, with the alias "d". */
static const struct {
	const char *key, *name;
	int r;
	const char *is_key, *is_name, *aliases;
} renames[] = {
	{ "shop", "the shop", 0, "shop", "the shop", "docker/b podman/a" },
	{ "shop", NULL, 0, "shop", "a", "docker/b podman/a" },
	{ "podman/a", "x", 0, "podman/a", "x", "docker/b" },
	{ "docker/b", "x", 0, "docker/b", "x", "podman/a" },
	{ "c", "x", -EEXIST, "podman/a", "a", "docker/b" },
	{ "d", "x", -EEXIST, "podman/a", "a", "docker/b" },
	{ "", "x", -ENAMETOOLONG, "podman/a", "a", "docker/b" },
};

static void add_renamable(void)
{
	int64_t c = add_workload("c", NULL), d = add_workload("d", NULL);

	assert_stored(store_merge(st, a, &b, 1));
	assert_stored(store_merge(st, c, &d, 1));
}

/* What the engine says then brings its own name not back. */
static void names_that_a_person_gave(void **state)
{
	const struct store_workload engines = { .key = "podman/a", .name = "a", .image = "new" };
	int64_t id;

	for (size_t n = 0; n < ARRAY_SIZE(renames); n++) {
		struct store_row row;

		assert_stored(store_begin(st));
		add_renamable();
		assert_int_equal(store_rename(st, a, renames[n].key, renames[n].name),
				 renames[n].r);
		assert_stored(store_workload(st, &engines, NOW, &id));
		assert_int_equal(id, a);
		row = row_of(renames[n].is_key);
		assert_int_equal(row.id, a);
		assert_string_equal(row.name, renames[n].is_name);
		store_row_done(&row);
		assert_aliases(a, renames[n].aliases);
		store_rollback(st);
	}
}

static void renames_are_bounded(void **state)
{
	static char long_key[5000];

	memset(long_key, 'k', sizeof(long_key) - 1);
	assert_int_equal(store_rename(st, a, "k", NULL), -EINVAL); /* no transaction */
	IN_TRANSACTION
	{
		assert_int_equal(store_rename(st, a, long_key, NULL), -ENAMETOOLONG);
		assert_int_equal(store_rename(st, 99, "k", NULL), -ENOENT);
		assert_stored(store_rename(st, a, "\xff\n'\"", long_key));
	}
	assert_true(is_listed("\xff\n'\""));
	assert_int_equal(ask_db("SELECT max(length(CAST(name AS BLOB))) FROM workload"), 4096);
}

static void a_renamed_one_outlives_its_instances_move(void **state)
{
	int64_t new;

	IN_TRANSACTION
	{
		assert_stored(store_rename(st, a, "shop", NULL));
		new = add_workload("podman/user/a", "a");
		assert_int_equal(add_instance("ia", new, NOW), ia);
	}
	assert_set(learned_in(a, TAMIS_WORKLOAD), SET(1, 2, 3, 4));
	assert_set(learned_in(new, TAMIS_WORKLOAD), SET(1, 2, 3, 4));
	assert_int_equal(broken_rule(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_two, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost_or_counted_twice),
		TEST(the_earlier_first_is_kept),
		TEST(old_keys_mean_the_new_one),
		TEST(aliases_follow),
		TEST(what_cant_be_merged_is_left),
		TEST(an_older_start_makes_nothing_whole),
		TEST(a_daemon_that_did_not_look_is_told),
		TEST(labels_of_inner_containers_follow),
		TEST(names_that_a_person_gave),
		TEST(renames_are_bounded),
		TEST(a_renamed_one_outlives_its_instances_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
