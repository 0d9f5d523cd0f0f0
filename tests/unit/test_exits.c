/* SPDX-License-Identifier: Apache-2.0 */
/* Which ends are told of, as whose, and when: a kernel that does what it is told, a real store. */
#include "store_fixture.h"

#include <signal.h>

#include "kernel_double.h"
#include "learn/exits.h"

static struct observer *watcher;
static char told[1024]; /* "KEY first|other exit|signal N, whether its row is there;" */
static bool rows_there;
static struct observed_exit last; /* its numbers: the texts are gone */

static void on_exited(void *arg, const struct observed_exit *e)
{
	size_t at = strlen(told);
	struct store_row row = { 0 };

	rows_there &= store_find(st, e->key, &row, NULL) == 0;
	store_row_done(&row);
	snprintf(told + at, sizeof(told) - at, "%s %s %s %d;", e->key,
		 e->entrypoint ? "first" : "other",
		 e->end == TRIAL_EXITED	  ? "exit"
		 : e->end == TRIAL_KILLED ? "signal"
					  : "?",
		 e->code);
	last = *e;
}

static int begin(void **state)
{
	static const struct identity_options identity = { 0 };
	struct observer_options o = {
		.identity = &identity,
		.mount = "/nowhere",
		.exited = on_exited,
	};
	int r;

	kernel_reset();
	told[0] = '\0';
	rows_there = true;
	r = open_store(state);
	o.store = st;
	if (r == 0)
		r = observer_new(&o, &watcher);
	return r == 0 ? observer_start(watcher) : r;
}

static int end(void **state)
{
	observer_free(watcher);
	watcher = NULL;
	return drop_dir(state);
}

static void drain(void)
{
	kernel_heard();
	assert_int_equal(observer_drain(watcher), 0);
}

static void kernel_exit(uint64_t id, enum tamis_stage stage, int status)
{
	struct kernel_event *e;

	pthread_mutex_lock(&kernel.lock);
	e = &kernel.queue[kernel.queue_cnt++];
	e->text[0] = '\0';
	e->e = (struct tamis_event){
		.kind = TAMIS_EV_EXIT,
		.cgroup = id,
		.stage = stage,
		.nr = (uint32_t)status,
		.pid = (uint32_t)id + 1000,
		.abi = TAMIS_ABI_I386,
		.call = 64,
	};
	pthread_mutex_unlock(&kernel.lock);
	(void)eventfd_write(kernel.bell, 1);
}

static void live(uint64_t id, const char *path)
{
	kernel_mkdir(id, path);
	kernel_started(id);
	kernel_call(id, TAMIS_WORKLOAD, 1);
}

/* All of a life before the first drain; its rows are there when it is told. */
static void a_short_life_has_an_end(void **state)
{
	live(100, "/w-a");
	kernel_exit(100, TAMIS_WORKLOAD, 3 << 8);
	kernel_rmdir(100);
	drain();
	assert_string_equal(told, "cgroup/w-a first exit 3;");
	assert_true(rows_there);
	assert_int_equal(last.pid, 1100);
	assert_int_equal(last.abi, TAMIS_ABI_I386);
	assert_int_equal(last.nr, 64);
	drain();
	assert_string_equal(told, "cgroup/w-a first exit 3;");
}

static void who_ended_is_told_apart(void **state)
{
	static const struct {
		const char *path;
		enum tamis_stage stage;
		int status;
		const char *said;
	} rows[] = {
		{ "/w-a", TAMIS_WORKLOAD, 0, "cgroup/w-a first exit 0;" },
		{ "/w-a", TAMIS_WORKLOAD, SIGKILL, "cgroup/w-a first signal 9;" },
		{ "/w-a", TAMIS_WORKLOAD, SIGSEGV | 0x80, "cgroup/w-a first signal 11;" },
		{ "/w-a", TAMIS_SESSION, SIGSYS, "cgroup/w-a other signal 31;" },
		{ "/w-a", TAMIS_SESSION, 0, "" }, /* only SIGSYS is of interest there */
		{ "/w-a/container", TAMIS_WORKLOAD, 5 << 8, "cgroup/w-a first exit 5;" },
		{ "/w-a/else", TAMIS_WORKLOAD, 5 << 8, "" }, /* somebody's inside */
		{ "/w-a/else", TAMIS_WORKLOAD, SIGSYS, "cgroup/w-a other signal 31;" },
		{ "/w-a/docker-1", TAMIS_WORKLOAD, 5 << 8, "" },
		{ "/w-a/docker-1", TAMIS_WORKLOAD, SIGSYS, "cgroup/w-a other signal 31;" },
		{ "/nobodys", TAMIS_WORKLOAD, 0, "" },
		{ "/nobodys", TAMIS_SESSION, SIGSYS, "" },
	};

	live(1, "/w-a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t id = i + 100;

		told[0] = '\0';
		if (strcmp(rows[i].path, "/w-a") != 0)
			live(id, rows[i].path);
		else
			id = 1;
		kernel_exit(id, rows[i].stage, rows[i].status);
		drain();
		if (strcmp(told, rows[i].said) != 0)
			fail_msg("row %zu: \"%s\"", i, told);
		if (id != 1)
			kernel_rmdir(id);
		drain();
	}
}

/* The ring was full when it was made: its path comes later, or never. */
static void an_end_waits_for_its_name(void **state)
{
	kernel_exit(100, TAMIS_WORKLOAD, 0);
	kernel_exit(200, TAMIS_WORKLOAD, 0);
	drain();
	drain();
	assert_string_equal(told, "");
	live(100, "/w-late");
	for (int i = 0; i < 10; i++)
		drain();
	assert_string_equal(told, "cgroup/w-late first exit 0;");
	live(200, "/w-later");
	drain();
	assert_string_equal(told, "cgroup/w-late first exit 0;");
}

/* One id, two lives: the first one's end is not the second's. */
static void an_end_is_its_own_lifes(void **state)
{
	live(100, "/w-a");
	kernel_exit(100, TAMIS_WORKLOAD, 1 << 8);
	kernel_rmdir(100);
	live(100, "/w-b");
	drain();
	assert_string_equal(told, "cgroup/w-a first exit 1;");
}

#define EXITS_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXITS_TEST(a_short_life_has_an_end),
		EXITS_TEST(who_ended_is_told_apart),
		EXITS_TEST(an_end_waits_for_its_name),
		EXITS_TEST(an_end_is_its_own_lifes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
