/* SPDX-License-Identifier: Apache-2.0 */
/* What an observer tells, when, and what it answers and asks. */
#include "observer_fixture.h"

#include "learn/exits.h"

static void end_event(uint64_t id)
{
	struct kernel_event *e;

	pthread_mutex_lock(&kernel.lock);
	e = &kernel.queue[kernel.queue_cnt++];
	*e = (struct kernel_event){
		.e = { .kind = TAMIS_EV_EXIT, .cgroup = id, .stage = TAMIS_WORKLOAD }
	};
	pthread_mutex_unlock(&kernel.lock);
	(void)eventfd_write(kernel.bell, 1);
}

/* --- a cgroup was made ------------------------------------------------------------------- */

static unsigned made_cnt, asked_before[8]; /* whose others are, when a cgroup is told of */

static void on_made(void *arg)
{
	if (made_cnt < 8)
		asked_before[made_cnt] = __atomic_load_n(&kernel.asked, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&made_cnt, 1, __ATOMIC_SEQ_CST);
}

static void what_is_made_is_told_before_its_name_is_asked(void **state)
{
	made_cnt = 0;
	options.made = on_made;
	start();
	kernel_mkdir(100, "/w-a");
	kernel_rmdir(100);
	kernel_mkdir(101, "/w-b");
	kernel_heard(); /* and nobody drains */
	assert_int_equal(made_cnt, 2);
	assert_int_equal(asked_before[0], 0);
	assert_int_equal(asked_before[1], 1);
}

/* --- something is new -------------------------------------------------------------------- */

static unsigned executed_cnt, news_cnt;

static void on_executed(void *arg)
{
	__atomic_fetch_add(&executed_cnt, 1, __ATOMIC_SEQ_CST);
}

static void on_news(void *arg)
{
	news_cnt++;
}

/* At once, whoever it is; and as news when it is somebody's. */
static void what_is_executed_is_told_at_once_and_as_news(void **state)
{
	executed_cnt = news_cnt = 0;
	options.executed = on_executed;
	options.news = on_news;
	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/nobodys");
	drain();
	kernel_tell(TAMIS_EV_EXEC, 101, "");
	kernel_heard();
	assert_int_equal(executed_cnt, 1);
	drain();
	assert_int_equal(news_cnt, 0);
	kernel_tell(TAMIS_EV_EXEC, 100, "");
	kernel_heard();
	assert_int_equal(executed_cnt, 2);
	assert_int_equal(news_cnt, 0);
	drain();
	assert_int_equal(news_cnt, 1);
	kernel_tell(TAMIS_EV_CALL, 100, "sh/bin/");
	drain();
	assert_int_equal(news_cnt, 2);
	kernel_tell(TAMIS_EV_CALL, 101, "sh/bin/");
	drain();
	assert_int_equal(news_cnt, 2);
	assert_int_equal(executed_cnt, 2);
}

/* --- whose ------------------------------------------------------------------------------- */

static void assert_whose(uint64_t id, const char *key)
{
	struct store_row row = row_of(key);
	const char *said = NULL, *container = "?";
	int64_t workload = 0;

	assert_int_equal(observer_whose(watcher, id, &workload, &said, &container), 0);
	assert_string_equal(said, key);
	assert_int_equal(workload, row.id);
	assert_null(container);
	store_row_done(&row);
}

static void assert_nobodys(uint64_t id)
{
	const char *key = "untouched", *container = "untouched";
	int64_t workload = 4711;

	assert_int_equal(observer_whose(watcher, id, &workload, &key, &container), -ENOENT);
	assert_string_equal(key, "untouched");
	assert_string_equal(container, "untouched");
	assert_int_equal(workload, 4711);
}

static void whose_a_cgroup_is(void **state)
{
	struct store *other = NULL;

	start();
	assert_nobodys(100);
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-a/in");
	kernel_mkdir(200, "/elsewhere");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(101, TAMIS_WORKLOAD, 1);
	kernel_call(200, TAMIS_WORKLOAD, 1);
	kernel_call(300, TAMIS_WORKLOAD, 1);
	drain();
	assert_whose(100, "cgroup/w-a");
	assert_whose(101, "cgroup/w-a");
	assert_nobodys(200);
	assert_nobodys(300);
	/* somebody writes: all rows are asked for again */
	assert_stored(store_open(state_dir, STORE_EDIT, &other));
	assert_int_equal(store_meta_set(other, "x", "y"), 0);
	store_close(other);
	kernel.news = true;
	drain();
	assert_whose(100, "cgroup/w-a");
	kernel_rmdir(101);
	kernel_rmdir(100);
	drain();
	assert_nobodys(100);
	assert_nobodys(101);
}

/* --- in which order ---------------------------------------------------------------------- */

static char said[256];

static void say(const char *what)
{
	strncat(said, what, sizeof(said) - strlen(said) - 1);
}

static void on_started(void *arg, const struct observed_start *s)
{
	say("started ");
}

/* The dead are still known, and so is what they were under. */
static void on_stored(void *arg)
{
	const char *key, *container;
	int64_t workload;

	say("stored");
	if (observer_whose(watcher, 100, &workload, &key, &container) == 0 && is_there(key))
		say(" of a");
	say(" ");
}

static void on_exited(void *arg, const struct observed_exit *e)
{
	say("exited ");
}

static void stored_is_told_between_beginning_and_end(void **state)
{
	said[0] = '\0';
	start();
	observer_free(TAKE_PTR(watcher));
	options = (struct observer_options){ .started = on_started,
					     .stored = on_stored,
					     .exited = on_exited };
	start();
	assert_string_equal(said, "stored ");
	said[0] = '\0';
	kernel_mkdir(100, "/w-a");
	kernel_started(100);
	kernel_call(100, TAMIS_WORKLOAD, 1);
	end_event(100);
	kernel_rmdir(100);
	drain();
	assert_string_equal(said, "started stored of a exited ");
	said[0] = '\0';
	drain(); /* nothing new */
	assert_string_equal(said, "");
}

/* --- starts at rest ---------------------------------------------------------------------- */

static char filtered[64]; /* the workload that is under a filter */
static unsigned was_asked;

static bool was_filtered(void *arg, const char *key, const char *container)
{
	was_asked++;
	return !strcmp(key, filtered);
}

static void rested(uint64_t id, unsigned rest)
{
	kernel_cgroup(id)->has_loss = true;
	kernel_cgroup(id)->loss.rest = rest;
	kernel.news = true;
}

static void assert_gaps(const char *key, unsigned gaps)
{
	struct store_row row = row_of(key);

	assert_int_equal(row.evidence.lost_gaps, gaps);
	assert_int_equal(row.evidence.lost_full, 0);
	store_row_done(&row);
}

static void begin_two(void)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-a/in");
	kernel_mkdir(200, "/w-b");
	for (unsigned id = 100; id <= 200; id += 100) {
		kernel_started(id);
		kernel_call(id, TAMIS_WORKLOAD, 1);
	}
}

static void a_start_at_rest_is_a_gap(void **state)
{
	begin_two();
	rested(101, 1);
	drain();
	assert_gaps("cgroup/w-a", 1);
	assert_gaps("cgroup/w-b", 0);
	rested(101, 3);
	rested(100, 2);
	drain();
	assert_gaps("cgroup/w-a", 5);
	kernel_rmdir(101); /* what it counted is its container's */
	drain();
	assert_gaps("cgroup/w-a", 5);
}

static void not_so_under_a_filter(void **state)
{
	options.was_filtered = was_filtered;
	strcpy(filtered, "cgroup/w-a");
	was_asked = 0;
	begin_two();
	rested(101, 1);
	rested(200, 1);
	drain();
	assert_gaps("cgroup/w-a", 0);
	assert_gaps("cgroup/w-b", 1);
	assert_int_equal(was_asked, 2);
	filtered[0] = '\0'; /* the next start isn't */
	kernel.news = true;
	drain();
	assert_int_equal(was_asked, 2); /* what was answered stays */
	rested(101, 2);
	drain();
	assert_gaps("cgroup/w-a", 1);
	assert_gaps("cgroup/w-b", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_made_is_told_before_its_name_is_asked),
		TEST(what_is_executed_is_told_at_once_and_as_news),
		TEST(whose_a_cgroup_is),
		TEST(stored_is_told_between_beginning_and_end),
		TEST(a_start_at_rest_is_a_gap),
		TEST(not_so_under_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
