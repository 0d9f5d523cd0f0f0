/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/features.h"

#include <errno.h>
#include <stdint.h>

#include "apply/runtime_cache.h"
#include "dir_fixture.h"

/* A machine under load: what has to come in time has this long. */
#define LONG_MS 60000

/* A runtime that answers "features" and "--version" by these commands, and counts its calls. */
static char *runtime(const char *features, const char *version)
{
	char *path = text_format("%s/runtime", dir);
	_free_ char *text = text_format("#!/bin/sh\necho x >>%s/count\n"
					"if [ \"$1\" = features ]; then %s\nelse %s\nfi\n",
					dir, features, version);

	assert_non_null(path);
	assert_non_null(text);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0755), 0);
	return path;
}

static unsigned asked(void)
{
	_free_ char *path = text_format("%s/count", dir);
	struct stat st;

	assert_non_null(path);
	return stat(path, &st) < 0 ? 0 : (unsigned)st.st_size / 2;
}

static void assert_features(struct features f, bool known, bool notify, bool wait_killable,
			    bool log)
{
	assert_int_equal(f.known, known);
	assert_int_equal(f.notify, notify);
	assert_int_equal(f.wait_killable, wait_killable);
	assert_int_equal(f.log, log);
}

/* --- texts ------------------------------------------------------------------------------- */

/* What real binaries of Debian's print. */
static void recorded(void **state)
{
	static const struct {
		const char *file;
		bool log;
	} rows[] = {
		{ "tests/unit/features/runc-1.1.5.json", false },
		{ "tests/unit/features/runc-1.3.6.json", true },
		{ "tests/unit/features/crun-1.28.json", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *text = NULL;
		struct features f = { 0 };
		size_t len = 0;

		assert_int_equal(file_read(rows[i].file, 1u << 20, &text, &len), 0);
		assert_int_equal(features_parse(text, len, &f), 0);
		assert_features(f, true, true, false, rows[i].log);
	}
}

#define SECCOMP(members) "{\"ociVersionMin\":\"1.0.0\",\"linux\":{\"seccomp\":{" members "}}}"
#define NOTIFY		 "\"actions\":[\"SCMP_ACT_ALLOW\",\"SCMP_ACT_NOTIFY\"]"
#define WAIT		 "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\""

static const struct {
	const char *text;
	bool bad, notify, wait_killable, log;
} texts[] = {
	{ SECCOMP(NOTIFY), .notify = true },
	{ SECCOMP("\"enabled\":true," NOTIFY ",\"supportedFlags\":[" WAIT "]"), .notify = true,
	  .wait_killable = true },
	{ SECCOMP(NOTIFY ",\"supportedFlags\":[1,null,\"SECCOMP_FILTER_FLAG_LOG\"," WAIT "]"),
	  .notify = true, .wait_killable = true, .log = true },
	/* heard of, by a kernel or library that hasn't got it */
	{ SECCOMP(NOTIFY ",\"knownFlags\":[" WAIT "]"), .notify = true },
	{ SECCOMP("\"enabled\":false," NOTIFY ",\"supportedFlags\":[" WAIT "]") },
	{ SECCOMP("\"actions\":\"SCMP_ACT_NOTIFY\"") },
	{ SECCOMP("\"actions\":[\"SCMP_ACT_NOTIFYX\"]") },
	{ "{\"ociVersionMin\":\"1.0.0\"}" },
	{ "{\"ociVersionMin\":\"1.0.0\",\"linux\":[]}" },
	{ "{\"linux\":{\"seccomp\":{" NOTIFY "}}}", .bad = true },
	{ "{\"ociVersionMin\":1}", .bad = true },
	{ "{}", .bad = true },
	{ "[]", .bad = true },
	{ "", .bad = true },
	{ "unknown command features", .bad = true },
	{ SECCOMP(NOTIFY) "x", .bad = true },
};

static void parses(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct features f = { .log = true };
		int r = features_parse(texts[i].text, strlen(texts[i].text), &f);

		assert_int_equal(r, texts[i].bad ? -EINVAL : 0);
		if (texts[i].bad)
			assert_features(f, false, false, false, true);
		else
			assert_features(f, true, texts[i].notify, texts[i].wait_killable,
					texts[i].log);
	}
}

/* --- programs ---------------------------------------------------------------------------- */

static void asks_once(void **state)
{
	_free_ char *path =
		runtime("cat tests/unit/features/runc-1.3.6.json", "echo runc version 1.3.6");
	struct features f = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(features_of_runtime(dir, path, LONG_MS, &f), 0);
		assert_features(f, true, true, false, true);
	}
	assert_int_equal(asked(), 2); /* features, --version */
	/* without a place to remember it in */
	assert_int_equal(features_of_runtime(NULL, path, LONG_MS, &f), 0);
	assert_int_equal(asked(), 4);
	free(TAKE_PTR(path));
	path = runtime("echo '" SECCOMP("\"supportedFlags\":[" WAIT "]") "'", "exit 1");
	assert_int_equal(features_of_runtime(dir, path, LONG_MS, &f), 0);
	assert_features(f, true, false, true, false);
	assert_int_equal(features_of_runtime(dir, path, 0, &f), 0);
	assert_features(f, true, false, true, false);
	assert_int_equal(asked(), 5); /* who can't have calls ask isn't asked for its name */
}

/* What it says of itself is believed of runc and crun alone. */
static void of_two_alone(void **state)
{
	static const struct {
		const char *version;
		bool other;
	} rows[] = {
		{ "runc version 1.1.5", false }, { "crun version 1.28", false },
		{ "youki version 0.5.4", true }, { "runc-like version 1.0", true },
		{ "something", true },		 { "", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *version = text_format("echo '%s'", rows[i].version);
		_free_ char *path = runtime("cat tests/unit/features/runc-1.3.6.json", version);

		for (unsigned again = 0; again < 2; again++) {
			struct features f = { 0 };

			assert_int_equal(features_of_runtime(dir, path, LONG_MS, &f), 0);
			assert_features(f, true, !rows[i].other, false, true);
			assert_int_equal(f.other, rows[i].other);
		}
	}
}

/* One that has no such command is what its version says. */
static void by_version(void **state)
{
	static const struct {
		const char *version;
		bool notify;
	} rows[] = {
		{ "crun version 1.8.1", true },	 { "crun version 0.17", false },
		{ "runc version 1.0.3", false }, { "youki version 1.0", false },
		{ "something", false },		 { "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *version = text_format("echo '%s'", rows[i].version);
		_free_ char *path = runtime("echo unknown command features; exit 1", version);
		struct features f = { 0 };
		unsigned before = asked();

		for (unsigned again = 0; again < 2; again++) {
			assert_int_equal(features_of_runtime(dir, path, LONG_MS, &f), 0);
			assert_features(f, false, rows[i].notify, false, false);
		}
		assert_int_equal(asked() - before, 2); /* features, --version */
	}
}

/* Late is not remembered: the next time may be better. */
static void late(void **state)
{
	_free_ char *path = runtime("exec sleep 3600", "exec sleep 3600");
	struct features f = { true, true, true, true, false };
	char said[RUNTIME_SAID_MAX];
	struct stat st;

	assert_int_equal(features_of_runtime(dir, path, 100, &f), 0);
	assert_features(f, false, false, false, false);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(runtime_cache_find(dir, "features", &st, said), -ENOENT);
	free(TAKE_PTR(path));
	path = runtime("cat tests/unit/features/runc-1.3.6.json", "exec sleep 3600");
	assert_int_equal(features_of_runtime(dir, path, 1000, &f), 0);
	assert_features(f, false, false, false, false);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(runtime_cache_find(dir, "features", &st, said), -ENOENT);
	f.known = true;
	assert_int_equal(features_of_runtime(dir, path, 0, &f), 0);
	assert_features(f, false, false, false, false);
	f.known = true;
	assert_int_equal(features_of_runtime(dir, "/nowhere", LONG_MS, &f), 0);
	assert_features(f, false, false, false, false);
}

/* This machine has runc and crun; what both have is what Debian 12's have. */
static void installed(void **state)
{
	struct features all = { 0 }, runc = { 0 }, crun = { 0 };

	assert_int_equal(features_of_runtime(dir, "/usr/sbin/runc", LONG_MS, &runc), 0);
	assert_int_equal(features_of_runtime(dir, "/usr/bin/crun", LONG_MS, &crun), 0);
	assert_int_equal(features_of_installed(dir, LONG_MS, &all), 0);
	assert_true(runc.known && runc.notify && crun.notify);
	assert_features(all, runc.known && crun.known, true,
			runc.wait_killable && crun.wait_killable, runc.log && crun.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded), cmocka_unit_test(parses), IN_DIR(asks_once),
		IN_DIR(of_two_alone),	    IN_DIR(by_version),	      IN_DIR(late),
		IN_DIR(installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
