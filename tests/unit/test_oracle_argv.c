/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of podman's, and what a twin's is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "learn/oracle_argv.h"

/* Words with blanks between; "_" is an empty one. */
static struct oracle_argv words(const char *line)
{
	_free_ char *copy = strdup(line);
	struct oracle_argv a = { 0 };
	char *at = NULL;

	for (char *w = strtok_r(copy, " ", &at); w; w = strtok_r(NULL, " ", &at))
		assert_int_equal(oracle_argv_add(&a, strcmp(w, "_") ? w : ""), 0);
	return a;
}

static char *line_of(const struct oracle_argv *a)
{
	char *line = NULL;
	size_t len;
	FILE *f = open_memstream(&line, &len);

	for (size_t i = 0; i < a->cnt; i++)
		fprintf(f, "%s%s", i ? " " : "", *a->word[i] ? a->word[i] : "_");
	fclose(f);
	return line;
}

#define BEGIN "run --detach --replace --name twin --log-driver k8s-file"

static void twins_of_an_image(void **state)
{
	static const struct {
		const char *create, *twin;
	} rows[] = {
		{ "podman run web", BEGIN " asan" },
		{ "podman run web serve --port 80", BEGIN " asan serve --port 80" },
		{ "podman --runtime runc --hooks-dir=/h run -d --name web web", BEGIN " asan" },
		{ "/usr/bin/podman container run --rm=false web", BEGIN " asan" },
		{ "podman create --name=web -v /a:/b --network host web",
		  BEGIN " -v /a:/b --network host asan" },
		{ "podman run -dp 80:80 -itd -p81:81 -e=A=1 web",
		  BEGIN " -p 80:80 -i -t -p 81:81 -e A=1 asan" },
		{ "podman run --init --read-only --privileged=false --restart always web",
		  BEGIN " --init --read-only --privileged=false asan" },
		{ "podman run --label a=b -l c -ld --label-file=/l --cidfile /c --pidfile /p web",
		  BEGIN " asan" },
		{ "podman run --log-driver journald --log-opt=tag=x --sdnotify conmon "
		  "--cgroups=split "
		  "--pull always web",
		  BEGIN " asan" },
		{ "podman run --entrypoint sleep web 300", BEGIN " --entrypoint sleep asan 300" },
		{ "podman run -d -- web -x", BEGIN " asan -x" },
		{ "podman run --rootfs /root/fs cmd", BEGIN " asan cmd" },
		{ "podman run -e _ web _", BEGIN " -e _ asan _" },
		/* not a line of run or create, or cut */
		{ "podman", NULL },
		{ "podman pod create", NULL },
		{ "podman start web", NULL },
		{ "podman run", NULL },
		{ "podman run -v", NULL },
		{ "podman run --volume", NULL },
		{ "podman --runtime", NULL },
		{ "podman run -d", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_argv_ struct oracle_argv create = words(rows[i].create), twin = { 0 };
		_free_ char *line = NULL;
		int r = oracle_argv_twin(&create, "twin", "asan", true, &twin);

		line = line_of(&twin);
		if (r != (rows[i].twin ? 0 : -EINVAL) ||
		    (r == 0 && strcmp(line, rows[i].twin) != 0))
			fail_msg("%s: %d %s", rows[i].create, r, line);
	}
}

static void twins_of_a_command(void **state)
{
	static const struct {
		const char *create, *command, *twin;
	} rows[] = {
		{ "podman run --entrypoint sleep web 300", "/asan/web --port 80",
		  BEGIN " --entrypoint /asan/web web --port 80" },
		{ "podman run -d web serve", "/asan", BEGIN " --entrypoint /asan web" },
		{ "podman run --rootfs /fs serve", "/asan x",
		  BEGIN " --rootfs --entrypoint /asan /fs x" },
		{ "podman run web", "/x 'y", NULL },
		{ "podman run", "/x", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_argv_ struct oracle_argv create = words(rows[i].create), twin = { 0 };
		_free_ char *line = NULL;
		int r = oracle_argv_twin(&create, "twin", rows[i].command, false, &twin);

		line = line_of(&twin);
		if (r != (rows[i].twin ? 0 : -EINVAL) ||
		    (r == 0 && strcmp(line, rows[i].twin) != 0))
			fail_msg("%s: %d %s", rows[i].create, r, line);
	}
}

static void options_of_podman_itself(void **state)
{
	static const struct {
		const char *create, *global;
	} rows[] = {
		{ "podman run web", "" },
		{ "podman --runtime runc --cgroup-manager=cgroupfs --noout run web",
		  "--runtime runc --cgroup-manager=cgroupfs --noout" },
		{ "podman -r --log-level debug container create web", "-r --log-level debug" },
		{ "podman -c far run web", "-c far" },
		/* a value that looks like a verb */
		{ "podman --runtime run run web", "--runtime run" },
		{ "podman --runtime run", NULL },
		{ "podman", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_argv_ struct oracle_argv create = words(rows[i].create), global = { 0 };
		_free_ char *line = NULL;
		int r = oracle_argv_global(&create, &global);

		line = line_of(&global);
		if (r != (rows[i].global ? 0 : -EINVAL) ||
		    (r == 0 && strcmp(line, rows[i].global) != 0))
			fail_msg("%s: %d %s", rows[i].create, r, line);
	}
}

static void words_of_a_command(void **state)
{
	static const struct {
		const char *command;
		size_t cnt;
		const char *last;
	} rows[] = {
		{ "/a", 1, "/a" },
		{ "  /a\tb\n c  ", 3, "c" },
		{ "/a 'b c' d", 3, "d" },
		{ "/a \"b c\"", 2, "b c" },
		{ "/a b'c 'd", 2, "bc d" },
		{ "/a ''", 2, "" },
		{ "/a b\\ c", 2, "b c" },
		{ "/a 'b\\'", 2, "b\\" },
		{ "/a \"b\\\"c\"", 2, "b\"c" },
		{ "/a b\\", 2, "b\\" },
		{ "/a $HOME *", 3, "*" },
		{ "", 0, NULL },
		{ "  ", 0, NULL },
		{ "/a 'b", 0, NULL },
		{ "/a \"b", 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_argv_ struct oracle_argv a = { 0 };
		int r = oracle_argv_split(rows[i].command, &a);

		if (r != (rows[i].cnt ? 0 : -EINVAL) || a.cnt != rows[i].cnt ||
		    (a.cnt && strcmp(a.word[a.cnt - 1], rows[i].last) != 0))
			fail_msg("%s: %d, %zu words", rows[i].command, r, a.cnt);
		if (a.cnt)
			assert_null(a.word[a.cnt]);
	}
}

static void a_list_is_bounded(void **state)
{
	_argv_ struct oracle_argv a = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i <= ORACLE_ARGV_MAX; i++)
		r = oracle_argv_add(&a, "x");
	assert_int_equal(r, -E2BIG);
	assert_int_equal(a.cnt, ORACLE_ARGV_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twins_of_an_image),	    cmocka_unit_test(twins_of_a_command),
		cmocka_unit_test(options_of_podman_itself), cmocka_unit_test(words_of_a_command),
		cmocka_unit_test(a_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
