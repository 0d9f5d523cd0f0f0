/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/running.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char proc[64];

static int enter(void **state)
{
	snprintf(proc, sizeof(proc), "/tmp/tamis-running-XXXXXX");
	return mkdtemp(proc) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int leave(void **state)
{
	return nftw(proc, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *pid, const char *name, const char *text)
{
	_free_ char *dir = text_format("%s/%s", proc, pid), *path = text_format("%s/%s", dir, name);

	assert_int_equal(file_mkdirs(dir, 0755), 0);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644), 0);
}

static void add(const char *pid, const char *cgroup, const char *nspid, char seccomp,
		const char *caps)
{
	_free_ char *group = text_format("1:name=x:/y\n0::%s\n", cgroup);
	_free_ char *status = text_format("Name:\tx\nNSpid:\t%s\nCapBnd:\t%s\nSeccomp:\t%c\n",
					  nspid, caps, seccomp);

	put(pid, "cgroup", group);
	put(pid, "status", status);
}

#define ALL   "000001ffffffffff"
#define PLAIN "00000000800405fb"

static void parses(void **state)
{
	static const struct {
		const char *text;
		bool ok, unconfined, privileged, first;
	} t[] = {
		{ "Seccomp:\t2\nCapBnd:\t" PLAIN "\nNSpid:\t7\t1\n", true, false, false, true },
		{ "Seccomp:\t0\nCapBnd:\t" ALL "\nNSpid:\t7\t21\n", true, true, true, false },
		{ "Seccomp:\t1\nCapBnd:\t0000000000200000\nNSpid:\t1\n", true, false, false,
		  false },
		{ "Seccomp:\t0\nCapBnd:\t0000000000210000\n", true, true, true, false },
		{ "Seccomp_filters:\t0\nCapBnd:\t" PLAIN "\n", false, false, false, false },
		{ "Name:\tSeccomp:\t0\nSeccomp:\t2\n", false, false, false, false },
		{ "", false, false, false, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct running r = { 0 };
		bool first = false;

		assert_int_equal(running_parse(t[i].text, &r, &first), t[i].ok);
		assert_int_equal(r.unconfined, t[i].unconfined);
		assert_int_equal(r.privileged, t[i].privileged);
		assert_int_equal(first, t[i].first);
	}
}

/* The first process speaks for its container, whoever came in later. */
static void asks_the_first_process(void **state)
{
	struct running r;

	add("10", "/machine.slice/libpod-" ID ".scope/container", "10\t9", '0', ALL);
	add("11", "/machine.slice/libpod-" ID ".scope/container", "11\t1", '2', PLAIN);
	add("12", "/machine.slice/libpod-" ID ".scope/container", "12\t30", '0', ALL);
	add("13", "/machine.slice/libpod-" OTHER ".scope", "13\t1", '0', ALL);
	assert_int_equal(running_find(proc, ID, &r), 0);
	assert_true(!r.unconfined && !r.privileged);
	assert_int_equal(running_find(proc, OTHER, &r), 0);
	assert_true(r.unconfined && r.privileged);
}

/* With a pid namespace of the host's none is the first: any will do. */
static void asks_any_else(void **state)
{
	struct running r;

	add("10", "/docker/" ID, "10", '0', PLAIN);
	assert_int_equal(running_find(proc, ID, &r), 0);
	assert_true(r.unconfined && !r.privileged);
}

/* Neither monitors, nor names that others may have, nor what is no process. */
static void asks_nobody_else(void **state)
{
	struct running r;

	add("10", "/machine.slice/libpod-conmon-" ID ".scope", "10", '0', ALL);
	add("self", "/docker/" ID, "10", '0', ALL);
	add("11", "/docker/web", "11", '0', ALL);
	put("12", "cgroup", "1:name=x:/docker/" ID "\n");
	assert_int_equal(running_find(proc, ID, &r), -ENOENT);
	assert_int_equal(running_find(proc, "web", &r), -ENOENT);
	assert_int_equal(running_find(proc, NULL, &r), -ENOENT);
	assert_int_equal(running_find("/nowhere", ID, &r), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		TEST(asks_the_first_process),
		TEST(asks_any_else),
		TEST(asks_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
