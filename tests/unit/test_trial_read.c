/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "apply/note.h"
#include "apply/trial_alive.h"
#include "apply/trial_book.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define BOOT "@b2"
#define NOW  "100000" BOOT

#define _trial_ __attribute__((cleanup(trial_done)))

struct want {
	int64_t began, ended;
	enum trial_end end;
	int code;
	const char *id, *cgroup;
};

static const struct {
	const char *name, *text;
	struct want want[3];
} rows[] = {
	{ "one", "start 1 40000" BOOT " a /a .\n", { { 60000, -1, TRIAL_UNKNOWN, 0, "a", "/a" } } },
	{ "just being made",
	  "start 1 96000" BOOT " a /a .\n",
	  { { 4000, -1, TRIAL_RUNS, 0, "a", "/a" } } },
	{ "made, and started again",
	  "start 1 96000" BOOT " a /a .\nstart 1 97000" BOOT " a /a .\n",
	  { { 4000, -1, TRIAL_UNKNOWN, 0, "a", "/a" }, { 3000, -1, TRIAL_RUNS, 0, "a", "/a" } } },
	{ "started again by another id in its cgroup",
	  "start 1 96000" BOOT " a /u .\nstart 1 97000" BOOT " b /u .\n",
	  { { 4000, -1, TRIAL_UNKNOWN, 0, "a", "/u" }, { 3000, -1, TRIAL_RUNS, 0, "b", "/u" } } },
	{ "started again under another policy",
	  "start 1 96000" BOOT " a /a .\nstart 0 97000" BOOT " a - .\n",
	  { { 4000, -1, TRIAL_UNKNOWN, 0, "a", "/a" } } },
	{ "clock before it",
	  "start 1 100001" BOOT " a - .\n",
	  { { 0, -1, TRIAL_RUNS, 0, "a", NULL } } },
	{ "ended",
	  "start 1 40000" BOOT " a - .\nend 50000" BOOT " a exit 3 .\n",
	  { { 60000, 50000, TRIAL_EXITED, 3, "a", NULL } } },
	{ "killed",
	  "start 1 40000" BOOT " a - .\nend 50000" BOOT " a signal 11 .\n",
	  { { 60000, 50000, TRIAL_KILLED, 11, "a", NULL } } },
	{ "seen twice",
	  "start 1 40000" BOOT " a - .\nend 50000" BOOT " a exit 3 .\n"
	  "end 51000" BOOT " a signal 9 .\n",
	  { { 60000, 50000, TRIAL_EXITED, 3, "a", NULL } } },
	{ "how, later",
	  "start 1 40000" BOOT " a - .\nend 50000" BOOT " a unknown 0 .\n"
	  "end 51000" BOOT " a exit 3 .\n",
	  { { 60000, 50000, TRIAL_EXITED, 3, "a", NULL } } },
	{ "whose end",
	  "start 1 40000" BOOT " a - .\nstart 1 41000" BOOT " b - .\n"
	  "end 50000" BOOT " a exit 3 .\nend 51000" BOOT " c exit 4 .\n",
	  { { 60000, 50000, TRIAL_EXITED, 3, "a", NULL },
	    { 59000, -1, TRIAL_UNKNOWN, 0, "b", NULL } } },
	{ "nobody's",
	  "start 1 40000" BOOT " - - .\nend 50000" BOOT " - exit 3 .\n",
	  { { 60000, -1, TRIAL_UNKNOWN, 0, "", NULL } } },
	{ "before it began",
	  "start 1 40000" BOOT " a - .\nend 39000" BOOT " a exit 3 .\n",
	  { { 60000, -1, TRIAL_UNKNOWN, 0, "a", NULL } } },
	{ "told late",
	  "start 1 40000" BOOT " a - .\nstart 1 60000" BOOT " a - .\n"
	  "end 59000" BOOT " a exit 3 .\nend 70000" BOOT " a exit 4 .\n",
	  { { 60000, 41000, TRIAL_EXITED, 3, "a", NULL },
	    { 40000, 30000, TRIAL_EXITED, 4, "a", NULL } } },
	{ "another generation's",
	  "start 2 40000" BOOT " a - .\nend 50000" BOOT " a exit 3 .\n",
	  { { 0 } } },
	{ "its end is another's",
	  "start 1 40000" BOOT " a - .\nstart 2 41000" BOOT " a - .\n"
	  "end 50000" BOOT " a exit 3 .\n",
	  { { 60000, -1, TRIAL_UNKNOWN, 0, "a", NULL } } },
	{ "an earlier boot",
	  "start 1 99000@b1 a /a .\nend 99500@b1 a exit 1 .\n",
	  { { TRIAL_BOOT_MS - 99000, TRIAL_BOOT_MS - 99500, TRIAL_EXITED, 1, "a", "/a" } } },
	{ "over a reboot",
	  "start 1 99000@b1 a /a .\nend 500" BOOT " a exit 1 .\n",
	  { { TRIAL_BOOT_MS - 99000, -1, TRIAL_UNKNOWN, 1, "a", "/a" } } },
	{ "two boots ago",
	  "start 1 99000@b0 a - .\nstart 1 99000@b1 a - .\n",
	  { { 2 * TRIAL_BOOT_MS - 99000, -1, TRIAL_UNKNOWN, 0, "a", NULL },
	    { TRIAL_BOOT_MS - 99000, -1, TRIAL_UNKNOWN, 0, "a", NULL } } },
	{ "escaped",
	  "start 1 40000" BOOT " a%20b /%25%0a .\n",
	  { { 60000, -1, TRIAL_UNKNOWN, 0, "a b", "/%\n" } } },
	{ "no sense",
	  "start 1 40000" BOOT " a /a\nstart x 40000" BOOT " a /a .\nstart 1 40000 a /a .\n"
	  "start 1 -5" BOOT " a /a .\nstart 1 40000" BOOT " a /a b .\nstop 1 .\n.\n \n\n"
	  "start 1 9999999999999999999" BOOT " a /a .\nend 5" BOOT " a .\nkey x .\n"
	  "start 4294967297 5" BOOT " a /a .\n",
	  { { 0 } } },
	{ "no end of sense",
	  "start 1 40000" BOOT " a - .\nend 50000" BOOT " a exit -1 .\nend x a exit 1 .\n"
	  "end 50000" BOOT " a died 1 .\nend 50000" BOOT " a exit 99999999999 .\n"
	  "end 50000" BOOT " a exit 1\n",
	  { { 60000, -1, TRIAL_UNKNOWN, 0, "a", NULL } } },
};

static bool is_same(const struct trial_start *s, const struct want *w)
{
	bool same_group =
		s->cgroup && w->cgroup ? strcmp(s->cgroup, w->cgroup) == 0 : s->cgroup == w->cgroup;

	return s->began_ms == w->began && s->ended_ms == w->ended && s->end == w->end &&
	       s->code == w->code && strcmp(s->id, w->id) == 0 && same_group;
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_trial_ struct trial t = { 0 };
		size_t cnt = 0;

		while (cnt < 3 && rows[i].want[cnt].id)
			cnt++;
		assert_int_equal(trial_text_read(rows[i].text, 1, NOW, "/nowhere", &t), 0);
		if (t.cnt != cnt)
			fail_msg("%s: %zu starts", rows[i].name, t.cnt);
		for (size_t n = 0; n < cnt; n++)
			if (!is_same(&t.start[n], &rows[i].want[n]))
				fail_msg("%s: start %zu: began %lld, ended %lld, end %d, code %d, "
					 "%s",
					 rows[i].name, n, (long long)t.start[n].began_ms,
					 (long long)t.start[n].ended_ms, t.start[n].end,
					 t.start[n].code, t.start[n].id);
	}
}

static void test_newest(void **state)
{
	_free_ char *text = NULL;
	_trial_ struct trial t = { 0 };
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (unsigned i = 0; i < 2 * TRIAL_STARTS_MAX; i++)
		fprintf(f, "start 1 %u" BOOT " id%u - .\n", 1000 + i, i);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(trial_text_read(text, 1, NOW, "/nowhere", &t), 0);
	assert_int_equal(t.cnt, TRIAL_STARTS_MAX);
	assert_string_equal(t.start[0].id, "id64");
	assert_string_equal(t.start[t.cnt - 1].id, "id127");
}

static void test_time(void **state)
{
	char out[NOTE_TIME_MAX];

	assert_int_equal(note_time_print(5, "1b-f\n", out), 0);
	assert_string_equal(out, "5@1b-f");
	assert_int_equal(note_time_print(5, NULL, out), 0);
	assert_string_equal(out, "5@-");
	assert_int_equal(note_time_print(5, " x", out), 0);
	assert_string_equal(out, "5@-");
}

static void test_key(void **state)
{
	static const struct {
		const char *text, *key;
	} keys[] = {
		{ "key a/b .\nstart", "a/b" }, { "key a .", "a" },    { "key a\n", NULL },
		{ "key a b .\n", NULL },       { "kez a .\n", NULL }, { "", NULL },
		{ "\nkey a .\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_free_ char *key = trial_text_key(keys[i].text);

		assert_true(keys[i].key ? key && strcmp(key, keys[i].key) == 0 : !key);
	}
}

/* --- cgroups: directories that look like them ------------------------------------------- */

static char mount[32];

static int setup(void **state)
{
	strcpy(mount, "/tmp/trial-XXXXXX");
	return mkdtemp(mount) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(mount, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *file, const char *text)
{
	_free_ char *dir = text_format("%s%s", mount, path);
	_free_ char *full = text_format("%s/%s", dir, file);

	assert_int_equal(file_mkdirs(dir, 0755), 0);
	assert_int_equal(file_write_atomic(full, text, strlen(text), 0644), 0);
}

/* Of this process, which is not as old as the machine. */
static void put_self(const char *path)
{
	_free_ char *pids = text_format("%d\n", (int)getpid());

	put(path, "cgroup.procs", pids);
}

#define POPULATED "populated 1\nfrozen 0\n"
#define AGE	  INT64_C(1000000000000) /* ms: this process is younger */

static void test_alive(void **state)
{
	put("/a", "cgroup.events", "populated 0\nfrozen 0\n");
	put_self("/a");
	put("/b", "cgroup.events", POPULATED);
	put_self("/b");
	put("/c", "cgroup.events", POPULATED);
	put("/c", "cgroup.procs", "");
	put_self("/c/container");
	put("/d", "cgroup.events", POPULATED);
	put("/d", "cgroup.procs", "0\n");
	put("/e", "cgroup.events", POPULATED);
	assert_false(trial_alive(mount, "/a", 0));
	assert_true(trial_alive(mount, "/b", 0));
	assert_true(trial_alive(mount, "/c", 0));
	assert_false(trial_alive(mount, "/b", AGE)); /* somebody else lives there now */
	assert_false(trial_alive(mount, "/c", AGE));
	assert_true(trial_alive(mount, "/d", AGE)); /* nobody can tell */
	assert_true(trial_alive(mount, "/e", AGE));
	assert_false(trial_alive(mount, "/nothing", 0));
	assert_false(trial_alive(mount, "/", 0));
	assert_false(trial_alive("/nowhere", "/b", 0));
}

/* An end that was noted late is the start's before; one that runs has none. */
static void test_late_end(void **state)
{
	_trial_ struct trial t = { 0 };

	put("/a", "cgroup.events", POPULATED);
	assert_int_equal(trial_text_read("start 1 40000" BOOT " a /a .\nstart 1 42000" BOOT
					 " a /a .\n"
					 "end 42500" BOOT " a exit 1 .\n",
					 1, NOW, mount, &t),
			 0);
	assert_int_equal(t.cnt, 2);
	assert_int_equal(t.start[0].end, TRIAL_EXITED);
	assert_int_equal(t.start[0].ended_ms, 58000);
	assert_int_equal(t.start[1].end, TRIAL_RUNS);
	assert_int_equal(t.start[1].ended_ms, -1);
	trial_done(&t);
	assert_int_equal(
		trial_text_read("start 1 40000" BOOT " a /a .\nend 41000" BOOT " a exit 1 .\n"
				"start 1 42000" BOOT " a /a .\nend 42500" BOOT " a exit 1 .\n",
				1, NOW, mount, &t),
		0);
	assert_int_equal(t.start[0].ended_ms, 59000);
	assert_int_equal(t.start[1].end, TRIAL_RUNS);
	trial_done(&t);
	/* One of its processes was killed by a refused call: that is what happened, whoever lives. */
	assert_int_equal(trial_text_read("start 1 40000" BOOT " a /a .\n"
					 "end 41000" BOOT " a signal 31 .\n",
					 1, NOW, mount, &t),
			 0);
	assert_int_equal(t.start[0].end, TRIAL_KILLED);
	assert_int_equal(t.start[0].code, SIGSYS);
}

int main(void)
{
#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_newest),
		cmocka_unit_test(test_time),  cmocka_unit_test(test_key),
		IN_TREE(test_alive),	      IN_TREE(test_late_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
