/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>

#include "journal_fixture.h"

/* What a killed keeper left of a line is no line, and what follows it is read. */
static void test_torn(void **state)
{
	struct journal_mark m = { 0 };
	struct journal *j;
	uint64_t first;

	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(add(j, 1), 0);
	journal_close(j);
	first = newest();
	write_file(first, "count oci/x x86_64 1 conti", O_APPEND);
	assert_reads(&m, "1");
	write_file(first, "nued 2 3 .", O_APPEND);
	assert_reads(&m, "");
	write_file(first, "\ncount oci/x x86_64\n\ncount oci/x x86_64 1 asked 3 3 .\ncount oc",
		   O_APPEND);
	assert_reads(&m, "2 3");
	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(add(j, 4), 0);
	assert_reads(&m, "4");
	journal_close(j);
}

static void test_bad_lines_are_counted(void **state)
{
	struct journal_mark m = { 0 };
	struct got g = { 0 };
	uint64_t bad = 0;
	struct journal *j;

	assert_int_equal(journal_open(dir, &j), 0);
	write_file(newest(), "gibberish .\ncount oci/x x86_64 1 asked 3 3 .\ncount x .\n",
		   O_APPEND);
	assert_int_equal(journal_read(dir, &m, collect, &g, &bad), 0);
	assert_int_equal(bad, 2);
	assert_int_equal(g.cnt, 1);
	bad = 9;
	assert_int_equal(journal_read(dir, &m, collect, &g, &bad), 0);
	assert_int_equal(bad, 0);
	journal_close(j);
}

/* One without a first line of this version is passed over, once there is a later one. */
static void test_other_files(void **state)
{
	struct journal_mark m = { 0 };
	struct got g = { 0 };
	struct journal *j;
	uint64_t bad = 0, first;

	assert_int_equal(journal_open(dir, &j), 0);
	first = newest();
	write_file(first + 1, "tamis-journal 2\ncount oci/x x86_64 1 asked 3 3 .\n",
		   O_CREAT | O_EXCL);
	write_file(first + 2, "", O_CREAT | O_EXCL);
	assert_reads(&(struct journal_mark){ .file = first + 2 }, "");
	assert_int_equal(journal_read(dir, &m, collect, &g, &bad), 0);
	assert_int_equal(bad, 1);
	assert_int_equal(m.file, first + 2);
	write_file(first + 2, JOURNAL_HEADER "count oci/x x86_64 1 asked 3 3 .\n", 0);
	assert_reads(&m, "3");
	journal_close(j);
}

/* Somebody removed all files: what comes is read all the same, though a mark is kept. */
static void test_taken_away(void **state)
{
	struct journal_mark m = { 0 };
	struct journal *j;

	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(add(j, 1), 0);
	assert_reads(&m, "1");
	teardown(NULL);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(add(j, 2), 0);
	assert_reads(&m, "2");
	journal_close(j);
	teardown(NULL);
	assert_int_equal(mkdir(dir, 0755), 0);
	m.file = 1700000000;
	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(add(j, 3), 0);
	assert_reads(&m, "3");
	journal_close(j);
}

/* Lines while they are written: each once, in order. */
#define LINES 20000

static int in_order(void *ctx, const struct journal_entry *e)
{
	uint64_t *next = ctx;

	return e->count == (*next)++ ? 0 : -EBADMSG;
}

static int write_lines(void)
{
	struct journal *j = NULL;

	for (uint64_t i = 0; i < LINES; i++) {
		if (i % 500 == 0) {
			journal_close(j);
			if (journal_open(dir, &j) < 0)
				return 1;
		}
		if (add(j, i) < 0)
			return 2;
	}
	journal_close(j);
	return 0;
}

static void test_read_meanwhile(void **state)
{
	struct journal_mark m = { 0 };
	uint64_t next = 0, bad;
	bool over = false;
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_lines());
	while (!over) {
		over = waitpid(pid, &status, WNOHANG) == pid;
		assert_int_equal(journal_read(dir, &m, in_order, &next, &bad), 0);
		assert_int_equal(bad, 0);
		assert_int_equal(journal_trim(dir, &m), 0);
	}
	assert_int_equal(status, 0);
	assert_int_equal(next, LINES);
	assert_int_equal(file_cnt(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_torn),	     IN_DIR(test_bad_lines_are_counted),
		IN_DIR(test_other_files),    IN_DIR(test_taken_away),
		IN_DIR(test_read_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
