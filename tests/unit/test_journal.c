/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal_fixture.h"

static void test_goes_on(void **state)
{
	_journal_ struct journal *j = NULL;
	struct journal_mark m = { 0 };

	assert_reads(&m, "");
	assert_int_equal(journal_open(dir, &j), 0);
	assert_reads(&m, "");
	assert_int_equal(add(j, 1), 0);
	assert_int_equal(add(j, 2), 0);
	assert_reads(&m, "1 2");
	assert_reads(&m, "");
	assert_int_equal(add(j, 3), 0);
	assert_reads(&m, "3");
	m = (struct journal_mark){ 0 };
	assert_reads(&m, "1 2 3");
}

static void test_stops_where_told(void **state)
{
	_journal_ struct journal *j = NULL;
	struct journal_mark m = { 0 };
	struct got g = { .stop = 2 };

	assert_int_equal(journal_open(dir, &j), 0);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(add(j, i), 0);
	assert_int_equal(journal_read(dir, &m, collect, &g, NULL), -EAGAIN);
	assert_int_equal(g.cnt, 1);
	assert_reads(&m, "2 3");
}

/* A keeper that starts begins the next file; one that was read is trimmed, not earlier. */
static void test_next_file(void **state)
{
	struct journal_mark m = { 0 };
	struct journal *j;
	uint64_t first;

	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(add(j, 1), 0);
	journal_close(j);
	first = newest();
	assert_reads(&m, "1");
	assert_int_equal(journal_trim(dir, &m), 0);
	assert_int_equal(file_cnt(), 1);
	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(newest(), first + 1);
	assert_int_equal(add(j, 2), 0);
	assert_int_equal(journal_trim(dir, &m), 0);
	assert_int_equal(file_cnt(), 2);
	assert_reads(&m, "2");
	assert_int_equal(m.file, first + 1);
	assert_int_equal(journal_trim(dir, &m), 0);
	assert_int_equal(file_cnt(), 1);
	journal_close(j);
}

static void test_large_file_ends(void **state)
{
	_journal_ struct journal *j = NULL;
	_free_ char *path = NULL;
	struct journal_mark m = { 0 };
	struct journal_entry e = counted(1);
	uint64_t first;

	assert_int_equal(journal_open(dir, &j), 0);
	first = newest();
	e.time = INT64_MAX;
	while (newest() == first)
		for (int i = 0; i < 1000; i++)
			assert_int_equal(journal_add(j, &e), 0);
	path = path_of(first);
	assert_true(newest() == first + 1);
	{
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size >= JOURNAL_MAX && st.st_size < JOURNAL_MAX + 4096);
	}
	m.file = first + 1;
	assert_int_equal(journal_trim(dir, &m), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* A disk that is full in the middle of a line: nothing is torn, nothing is lost. */
static void full_disk(uint64_t room)
{
	struct rlimit old, now;
	struct journal *j;
	struct stat st;
	_free_ char *path = NULL;

	assert_int_equal(journal_open(dir, &j), 0);
	path = path_of(newest());
	assert_int_equal(add(j, 1), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	now = old;
	now.rlim_cur = (rlim_t)st.st_size + room;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	assert_true(add(j, 2) < 0);
	assert_true(add(j, 3) < 0);
	assert_true(journal_flush(j) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(add(j, 4), 0);
	journal_close(j);
}

static void test_full_disk(void **state)
{
	_free_ char *text = NULL, *path = NULL;
	struct journal_mark m = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	full_disk(10);
	assert_reads(&m, "1 2 3 4");
	path = path_of(newest());
	assert_int_equal(file_read(path, 65536, &text, NULL), 0);
	assert_null(strstr(text, "cocount"));
	full_disk(0);
	assert_reads(&m, "1 2 3 4");
}

static void test_too_much_waits(void **state)
{
	struct rlimit old, now;
	_journal_ struct journal *j = NULL;
	struct journal_entry e = counted(1);
	char key[200] = "oci/";
	int r = 0;

	/* Each try writes all that waits: few long lines. */
	memset(key + strlen(key), 'x', sizeof(key) - 1 - strlen(key));
	e.key = key;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	now = old;
	now.rlim_cur = strlen(JOURNAL_HEADER);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	for (int i = 0; i < 100000 && r != -ENOBUFS; i++)
		r = journal_add(j, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(journal_flush(j), 0);
	assert_int_equal(journal_flush(j), 0);
}

static void test_permissions(void **state)
{
	_free_ char *keeper = text_format("%s/keeper", dir), *path = NULL;
	struct journal_mark m = { 0 };
	struct journal *j = NULL;
	struct stat st;

	assert_int_equal(journal_open(dir, &j), 0);
	journal_close(j);
	path = path_of(newest());
	assert_int_equal(stat(keeper, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(keeper, 0711), 0);
	assert_int_equal(journal_open(dir, &j), -EPERM);
	assert_int_equal(journal_read(dir, &m, collect, NULL, NULL), -EPERM);
	assert_int_equal(chmod(keeper, 0700), 0);
	assert_int_equal(chown(keeper, 1000, 1000), 0);
	assert_int_equal(journal_open(dir, &j), -EPERM);
	assert_int_equal(chown(keeper, 0, 0), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(journal_open(dir, &j), -EPERM);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(journal_read(dir, &m, collect, NULL, NULL), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(journal_open("/nowhere", &j), -ENOENT);
}

static void test_nobody_reads(void **state)
{
	struct journal_mark m = { 0 };
	struct journal *j = NULL;

	for (int i = 0; i <= JOURNAL_BEHIND; i++) {
		assert_true(!j || !journal_is_behind(j));
		journal_close(j);
		assert_int_equal(journal_open(dir, &j), 0);
	}
	assert_true(journal_is_behind(j));
	assert_reads(&m, "");
	assert_int_equal(journal_trim(dir, &m), 0);
	assert_false(journal_is_behind(j));
	journal_close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_goes_on),	  IN_DIR(test_stops_where_told),
		IN_DIR(test_next_file),	  IN_DIR(test_large_file_ends),
		IN_DIR(test_full_disk),	  IN_DIR(test_too_much_waits),
		IN_DIR(test_permissions), IN_DIR(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
