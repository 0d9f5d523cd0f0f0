/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's journal into the store: real files, a real store. */
#include "learn/keeper_news.h"

#include <errno.h>

#include "base/file.h"
#include "base/text.h"
#include "keeper/journal.h"
#include "store_fixture.h"

static struct journal *journal;
static struct keeper_news_options options;
static char said[4096];

static void say(const char *text)
{
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s;", text);
}

static void on_hot(void *arg, const char *key, enum tamis_abi abi, uint32_t nr, uint64_t per_minute)
{
	_free_ char *line = text_format("hot %s %d/%u %d", key, abi, nr, (int)per_minute);

	say(line);
}

static void on_news(void *arg, const char *key, const struct store_denial *d, bool learned)
{
	_free_ char *line = text_format("%s %s %d/%u by %s (%s, %u)",
					learned ? "learned" : denial_kind_name(d->kind), key,
					d->abi, d->nr, d->comm ?: "-", d->exe ?: "-", d->pid);

	say(line);
}

static int64_t web;

static int setup(void **state)
{
	int r = open_store(state);

	said[0] = '\0';
	options = (struct keeper_news_options){
		.store = st, .state = state_dir, .hot = on_hot, .news = on_news
	};
	if (r < 0)
		return r;
	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		(void)add_unit(NOW);
	}
	return journal_open(state_dir, &journal);
}

static int teardown(void **state)
{
	journal_close(TAKE_PTR(journal));
	return drop_dir(state);
}

static void add(struct journal_entry e)
{
	e.cgroup = "/x";
	e.time = e.time ?: NOW + 5;
	assert_int_equal(journal_add(journal, &e), 0);
}

#define CALL(ans, number, ...)                              \
	add((struct journal_entry){ .kind = JOURNAL_CALL,   \
				    .key = "podman/web",    \
				    .answer = ANSWER_##ans, \
				    .nr = (number),         \
				    ##__VA_ARGS__ })
#define COUNT(ans, number, cnt, ...)                        \
	add((struct journal_entry){ .kind = JOURNAL_COUNT,  \
				    .key = "podman/web",    \
				    .answer = ANSWER_##ans, \
				    .nr = (number),         \
				    .count = (cnt),         \
				    ##__VA_ARGS__ })

static struct keeper_news take(void)
{
	struct keeper_news news = { 0 };

	said[0] = '\0';
	assert_stored(keeper_news_take(&options, NOW + 10, &news));
	return news;
}

static struct store_denial denial(enum denial_kind kind, uint32_t nr)
{
	struct store_denial *d = NULL, found = { 0 };
	size_t cnt = 0;

	assert_stored(store_denials(st, web, &d, &cnt));
	for (size_t i = 0; i < cnt; i++)
		if (d[i].kind == kind && d[i].nr == nr)
			found = d[i];
	found.comm = found.exe = NULL;
	store_denials_free(d, cnt);
	return found;
}

static void without_a_journal_there_is_no_news(void **state)
{
	struct keeper_news news = { .calls = 9 };

	journal_close(TAKE_PTR(journal));
	options.state = "/nonexistent";
	assert_int_equal(keeper_news_take(&options, NOW, &news), 0);
	assert_int_equal(news.calls, 0);
}

static void what_went_on_is_learned(void **state)
{
	struct policy_origin *o = NULL;
	struct keeper_news news;
	size_t cnt = 0;

	CALL(CONTINUED, 39, .pid = 7, .comm = "redis", .exe = "/bin/redis");
	CALL(CONTINUED, 39, .pid = 8, .comm = "other");
	CALL(ALLOWED, 101);
	CALL(NOBODYS, 40);
	CALL(CONTINUED, 41, .abi = TAMIS_ABI_I386);
	COUNT(CONTINUED, 42, 7);
	CALL(CONTINUED, TAMIS_CALLS);
	news = take();
	assert_int_equal(news.calls, 6 + 7);
	assert_int_equal(news.learned, 5);
	assert_int_equal(news.asked + news.denied + news.bad, 0);
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(39, 40, 42, 101));
	assert_string_equal(said, "learned podman/web 0/39 by redis (/bin/redis, 7);"
				  "learned podman/web 0/101 by - (-, 0);"
				  "learned podman/web 0/40 by - (-, 0);"
				  "learned podman/web 1/41 by - (-, 0);"
				  "learned podman/web 0/42 by - (-, 0);");
	assert_stored(store_origins(st, web, &o, &cnt));
	assert_string_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 39)->comm, "redis");
	assert_string_equal(origin_of(o, cnt, TAMIS_WORKLOAD, 39)->source, "keeper");
	store_origins_free(o, cnt);
	assert_int_equal(broken_rule(), 0);
}

static void what_was_refused_is_a_denial(void **state)
{
	struct sysset asked[TAMIS_ABI_MAX];
	struct keeper_news news;

	CALL(ASKED, 101, .pid = 7, .comm = "sh", .time = NOW + 1);
	CALL(ASKED, 101, .pid = 8, .comm = "sh", .time = NOW + 2);
	COUNT(ASKED, 101, 40, .time = NOW + 11);
	CALL(DENIED, 102);
	COUNT(DENIED, 103, 5);
	news = take();
	assert_int_equal(news.asked, 42);
	assert_int_equal(news.denied, 6);
	assert_int_equal(news.learned, 0);
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(-1));
	assert_int_equal(denial(DENIAL_ASKED, 101).count, 42);
	assert_int_equal(denial(DENIAL_ASKED, 101).first, NOW + 1);
	assert_int_equal(denial(DENIAL_ASKED, 101).last, NOW + 11);
	assert_int_equal(denial(DENIAL_ASKED, 101).pid, 8);
	assert_int_equal(denial(DENIAL_DENIED, 102).count, 1);
	assert_int_equal(denial(DENIAL_DENIED, 103).count, 5);
	assert_string_equal(said, "asked podman/web 0/101 by sh (-, 7);"
				  "denied podman/web 0/102 by - (-, 0);"
				  "denied podman/web 0/103 by - (-, 0);");
	assert_stored(store_asked(st, web, asked));
	assert_set(asked[TAMIS_ABI_X86_64], SET(101));
}

/* Across takes, keepers and files; what was taken is gone from the disk but for the last file. */
static void each_line_counts_once(void **state)
{
	CALL(ASKED, 101);
	assert_int_equal(take().asked, 1);
	assert_int_equal(take().calls, 0);
	assert_string_equal(said, "");
	CALL(ASKED, 101);
	journal_close(TAKE_PTR(journal));
	assert_int_equal(journal_open(state_dir, &journal), 0);
	CALL(ASKED, 101);
	assert_int_equal(take().asked, 2);
	assert_int_equal(take().asked, 0);
	assert_int_equal(denial(DENIAL_ASKED, 101).count, 3);
	journal_close(TAKE_PTR(journal));
	assert_int_equal(journal_open(state_dir, &journal), 0);
	assert_int_equal(take().calls, 0);
	CALL(ASKED, 101);
	assert_int_equal(take().asked, 1);
	assert_int_equal(denial(DENIAL_ASKED, 101).count, 4);
}

/* Another daemon goes on where the one that was killed had committed. */
static void the_place_is_in_the_store(void **state)
{
	CALL(ASKED, 101);
	assert_int_equal(take().asked, 1);
	store_close(st);
	assert_int_equal(store_open(state_dir, STORE_WRITE, &st), 0);
	options.store = st;
	assert_int_equal(take().calls, 0);
	CALL(CONTINUED, 39);
	assert_int_equal(take().learned, 1);
	assert_int_equal(denial(DENIAL_ASKED, 101).count, 1);
}

/* Nothing of it is there, and nothing was told; then all of it. */
static void what_fails_is_taken_again(void **state)
{
	struct keeper_news news = { 0 };

	CALL(CONTINUED, 39);
	CALL(ASKED, 101);
	spoil_db("CREATE TRIGGER no BEFORE INSERT ON denial BEGIN SELECT raise(ABORT, 'no'); END");
	assert_true(keeper_news_take(&options, NOW, &news) < 0);
	assert_string_equal(said, "");
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(-1));
	spoil_db("DROP TRIGGER no");
	news = take();
	assert_int_equal(news.learned, 1);
	assert_int_equal(news.asked, 1);
	assert_non_null(strstr(said, "learned podman/web 0/39"));
}

static void nothing_new_touches_no_disk(void **state)
{
	uint64_t before;

	CALL(ASKED, 101);
	(void)take();
	before = log_written();
	(void)take();
	assert_int_equal(log_written(), before);
}

static void nobodys_lines_are_nobodys(void **state)
{
	struct keeper_news news;

	add((struct journal_entry){ .kind = JOURNAL_CALL, .key = "", .nr = 1 });
	add((struct journal_entry){ .kind = JOURNAL_CALL, .key = "podman/other", .nr = 1 });
	add((struct journal_entry){
		.kind = JOURNAL_CALL, .key = "podman/other", .answer = ANSWER_ASKED, .nr = 1 });
	add((struct journal_entry){ .kind = JOURNAL_HOT, .key = "podman/other", .nr = 1 });
	news = take();
	assert_int_equal(news.calls, 3);
	assert_int_equal(news.learned + news.asked, 0);
	assert_string_equal(said, "");
	assert_int_equal(ask_db("SELECT count(*) FROM workload"), 1);
	assert_int_equal(take().calls, 0);
}

static void an_alias_is_the_workload(void **state)
{
	int64_t other = 0;

	IN_TRANSACTION
	{
		other = add_workload("podman/all", "all");
		assert_stored(store_merge(st, other, &web, 1));
	}
	CALL(CONTINUED, 39);
	assert_int_equal(take().learned, 1);
	assert_set(learned_in(other, TAMIS_WORKLOAD), SET(39));
}

static void hot_calls_are_told(void **state)
{
	add((struct journal_entry){
		.kind = JOURNAL_HOT, .key = "podman/web", .nr = 39, .count = 1200 });
	assert_int_equal(take().calls, 0);
	assert_string_equal(said, "hot podman/web 0/39 1200;");
	(void)take();
	assert_string_equal(said, "");
}

/* A line that makes no sense is counted once. */
static void bad_lines_are_counted(void **state)
{
	_free_ char *path = text_format("%s/keeper/journal.1", state_dir);
	FILE *f;

	CALL(CONTINUED, 39);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("call what is this .\n", f);
	assert_int_equal(fclose(f), 0);
	CALL(CONTINUED, 40);
	assert_int_equal(take().bad, 1);
	assert_int_equal(take().bad, 0);
	assert_set(learned_in(web, TAMIS_WORKLOAD), SET(39, 40));
}

/* A mark that isn't one: from the beginning of what is there. */
static void a_spoiled_mark_is_none(void **state)
{
	CALL(CONTINUED, 39);
	IN_TRANSACTION
	assert_stored(store_meta_set(st, "journal", "seven"));
	assert_int_equal(take().learned, 1);
}

static void last_seen_is_of_the_lines(void **state)
{
	struct policy_origin *o = NULL;
	size_t cnt = 0;

	IN_TRANSACTION
	{
		(void)add_unit(NOW + 60);
		(void)add_unit(NOW + 120);
	}
	CALL(CONTINUED, 39, .time = NOW + 10);
	COUNT(CONTINUED, 39, 5, .time = NOW + 11);
	COUNT(CONTINUED, 39, 5, .time = NOW + 70);
	(void)take();
	assert_stored(store_origins(st, web, &o, &cnt));
	assert_int_equal(o[0].first, NOW + 10);
	assert_int_equal(o[0].last, NOW + 60);
	store_origins_free(o, cnt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_journal_there_is_no_news),
		TEST(what_went_on_is_learned),
		TEST(what_was_refused_is_a_denial),
		TEST(each_line_counts_once),
		TEST(the_place_is_in_the_store),
		TEST(what_fails_is_taken_again),
		TEST(nothing_new_touches_no_disk),
		TEST(nobodys_lines_are_nobodys),
		TEST(an_alias_is_the_workload),
		TEST(hot_calls_are_told),
		TEST(bad_lines_are_counted),
		TEST(a_spoiled_mark_is_none),
		TEST(last_seen_is_of_the_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
