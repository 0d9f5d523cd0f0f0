/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "keeper/journal_internal.h"

CLEANUP_DEFINE(struct journal *, journal_close);
#define _journal_ _cleanup_(journal_close)

static char dir[] = "/tmp/tamis-journal-XXXXXX";

static int setup(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- lines ---------------------------------------------------------------------------------- */

static const struct {
	struct journal_entry e;
	const char *line;
} rows[] = {
	{ { .kind = JOURNAL_CALL,
	    .key = "podman/web",
	    .cgroup = "/machine.slice/libpod-1.scope",
	    .cgroup_id = UINT64_MAX,
	    .abi = TAMIS_ABI_X86_64,
	    .nr = 39,
	    .answer = ANSWER_CONTINUED,
	    .time = 1700000000,
	    .pid = 4194304,
	    .comm = "redis server",
	    .exe = "/usr/bin/redis%s\n" },
	  "call podman/web 18446744073709551615:/machine.slice/libpod-1.scope x86_64 39 continued "
	  "1700000000 4194304 redis%20server /usr/bin/redis%25s%0A ." },
	{ { .kind = JOURNAL_CALL,
	    .key = "",
	    .cgroup = "/a b",
	    .cgroup_id = 7,
	    .abi = TAMIS_ABI_I386,
	    .nr = TAMIS_CALLS,
	    .answer = ANSWER_NOBODYS,
	    .comm = "-" },
	  "call - 7:/a%20b i386 576 nobodys 0 0 %2D - ." },
	{ { .kind = JOURNAL_COUNT,
	    .key = "oci/x",
	    .abi = TAMIS_ABI_X32,
	    .nr = 0,
	    .answer = ANSWER_ASKED,
	    .count = UINT64_MAX,
	    .time = INT64_MAX },
	  "count oci/x x32 0 asked 18446744073709551615 9223372036854775807 ." },
	{ { .kind = JOURNAL_HOT,
	    .key = "oci/x",
	    .abi = TAMIS_ABI_ARM,
	    .nr = 561,
	    .count = 1001,
	    .time = 5 },
	  "hot oci/x arm 561 1001 5 ." },
};

static void assert_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(a == b);
}

static void assert_same(const struct journal_entry *a, const struct journal_entry *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_text(a->key, b->key);
	assert_text(a->cgroup, b->cgroup);
	assert_true(a->cgroup_id == b->cgroup_id && a->count == b->count && a->time == b->time);
	assert_int_equal(a->abi, b->abi);
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->answer, b->answer);
	assert_int_equal(a->pid, b->pid);
	assert_text(a->comm, b->comm);
	assert_text(a->exe, b->exe);
}

static void test_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *line = NULL;
		struct journal_entry e = { 0 };

		assert_int_equal(journal_print(&rows[i].e, &line), 0);
		assert_int_equal(line[strlen(line) - 1], '\n');
		line[strlen(line) - 1] = '\0';
		assert_string_equal(line, rows[i].line);
		assert_int_equal(journal_parse(line, strlen(line), &e), 0);
		assert_same(&rows[i].e, &e);
		journal_entry_done(&e);
	}
}

static void test_nonsense(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"call .",
		"calls podman/web 1:/a x86_64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b . .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a b c .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a  b .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a \x80 .",
		"call podman/web 1:/a x86_64 1 continued 1 1 a\tb c .",
		"call podman/web 1/a x86_64 1 continued 1 1 a b .",
		"call podman/web :/a x86_64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86-64 1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 577 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 -1 continued 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continue 1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued -1 1 a b .",
		"call podman/web 1:/a x86_64 1 continued 1 4294967296 a b .",
		"count podman/web x86_64 1 continued 18446744073709551616 1 .",
		"count podman/web x86_64 1 1 1 .",
		"hot podman/web x86_64 1 continued 1 1 .",
		"hot podman/web x86_64 1 1 9223372036854775808 .",
	};
	struct journal_entry e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (journal_parse(bad[i], strlen(bad[i]), &e) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(journal_parse("hot a x86_64 1 1 1 .\0", 21, &e), -EINVAL);
}

/* --- files ---------------------------------------------------------------------------------- */

static char *path_of(uint64_t number)
{
	return text_format("%s/keeper/journal.%" PRIu64, dir, number);
}

static struct journal_entry counted(uint64_t count)
{
	return (struct journal_entry){ .kind = JOURNAL_COUNT, .key = "oci/x", .count = count };
}

static int add(struct journal *j, uint64_t count)
{
	struct journal_entry e = counted(count);

	return journal_add(j, &e);
}

struct got {
	uint64_t count[64];
	size_t cnt, stop;
};

static int collect(void *ctx, const struct journal_entry *e)
{
	struct got *g = ctx;

	if (g->stop && g->cnt + 1 == g->stop)
		return -EAGAIN;
	assert_true(g->cnt < ARRAY_SIZE(g->count));
	assert_string_equal(e->key, "oci/x");
	g->count[g->cnt++] = e->count;
	return 0;
}

/* What comes after the mark is these, and nothing is bad. */
static void assert_reads(struct journal_mark *m, const char *want)
{
	_free_ char *is = strdup("");
	struct got g = { 0 };
	uint64_t bad = 99;

	assert_int_equal(journal_read(dir, m, collect, &g, &bad), 0);
	assert_int_equal(bad, 0);
	for (size_t i = 0; i < g.cnt; i++) {
		char *more = text_format("%s%s%" PRIu64, is, i ? " " : "", g.count[i]);

		free(is);
		is = more;
	}
	assert_string_equal(is, want);
}

/* The number of the newest file. */
static uint64_t newest(void)
{
	_close_ int fd = journal_dir(dir, false);
	_journal_files_ struct journal_files f = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(journal_list(fd, &f), 0);
	assert_true(f.cnt > 0);
	return f.number[f.cnt - 1];
}

static size_t file_cnt(void)
{
	_close_ int fd = journal_dir(dir, false);
	_journal_files_ struct journal_files f = { 0 };

	assert_int_equal(journal_list(fd, &f), 0);
	return f.cnt;
}

static void write_file(uint64_t number, const char *text, int flags)
{
	_free_ char *path = path_of(number);
	_close_ int fd = open(path, O_WRONLY | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

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
	int r = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(journal_open(dir, &j), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	now = old;
	now.rlim_cur = strlen(JOURNAL_HEADER);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	for (int i = 0; i < 100000 && r != -ENOBUFS; i++)
		r = add(j, 1);
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
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nonsense),
#define IN_DIR(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		IN_DIR(test_goes_on),
		IN_DIR(test_stops_where_told),
		IN_DIR(test_next_file),
		IN_DIR(test_torn),
		IN_DIR(test_bad_lines_are_counted),
		IN_DIR(test_other_files),
		IN_DIR(test_taken_away),
		IN_DIR(test_large_file_ends),
		IN_DIR(test_full_disk),
		IN_DIR(test_too_much_waits),
		IN_DIR(test_nobody_reads),
		IN_DIR(test_permissions),
		IN_DIR(test_read_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
