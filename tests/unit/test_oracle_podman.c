/* SPDX-License-Identifier: Apache-2.0 */
/* What podman says of a container, and what is left of a twin. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle.h"
#include "learn/oracle_files.h"
#include "learn/oracle_podman.h"
#include "store_fixture.h"

#define MADE	     "\"CreateCommand\":[\"podman\",\"run\",\"web\"]"
#define SAID(config) "[{\"Config\":{" config "},\"State\":{\"Running\":true,\"ExitCode\":0}}]"

static void who_can_be_production(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: it can */
	} rows[] = {
		{ SAID(MADE), NULL },
		{ SAID(MADE ",\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"web.service\"}"), "by a unit" },
		{ SAID("\"Labels\":null"), "doesn't know the command line" },
		{ SAID("\"CreateCommand\":null"), "doesn't know the command line" },
		{ SAID("\"CreateCommand\":[\"podman\",\"kube\",\"play\"]"), "can't be read" },
		{ "[{\"Config\":{" MADE "},\"State\":{},\"HostConfig\":{\"AutoRemove\":true}}]",
		  "--rm" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_inspected_ struct oracle_inspected in = { 0 };
		const char *why;

		assert_int_equal(oracle_inspected_parse(rows[i].text, strlen(rows[i].text), &in),
				 0);
		why = oracle_podman_refuses(&in);
		if (!why != !rows[i].why || (why && !strstr(why, rows[i].why)))
			fail_msg("%s: %s", rows[i].text, why);
	}
}

static void what_is_not_podmans(void **state)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[]",
		"[{}]",
		"[1]",
		"[{\"Config\":{}}]",
		"[{\"Config\":[],\"State\":{}}]",
		"[{\"Config\":{},\"State\":{}},{\"Config\":{},\"State\":{}}]",
		SAID("\"CreateCommand\":[\"podman\",1]"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_inspected_ struct oracle_inspected in = { 0 };

		if (oracle_inspected_parse(rows[i], strlen(rows[i]), &in) != -EINVAL)
			fail_msg("%s", rows[i]);
	}
}

/* --- a twin ------------------------------------------------------------------------------------ */

static void leave(const char *what, const char *text)
{
	_free_ char *path = oracle_file(state_dir, 7, what);

	assert_int_equal(file_replace(path, text, strlen(text), 0600), 0);
}

static void leave_state(const char *what, bool running, int code)
{
	_free_ char *text = text_format("[{\"Config\":{},\"State\":{\"Running\":%s,"
					"\"ExitCode\":%d}}]",
					running ? "true" : "false", code);

	leave(what, text);
}

static void how_a_twin_ended(void **state)
{
	static const struct {
		bool ran;
		int before, after;
		bool was_up, ended, killed;
		int code;
	} rows[] = {
		{ true, 0, 143, true, false, true, 15 },
		{ true, 0, 137, true, false, true, 9 },
		{ true, 0, 0, true, false, false, 0 },
		{ true, 0, 134, true, false, true, 6 },
		{ false, 0, 0, true, true, false, 0 },
		{ false, 1, 1, false, true, false, 1 },
		{ false, 139, 139, false, true, true, 11 },
		{ false, 255, 255, false, true, false, 255 },
	};
	const struct store_oracle o = { .workload = 7, .production = (char *)"container:web" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oracle_twin t = { 0 };

		leave_state("before", rows[i].ran, rows[i].before);
		leave_state("after", false, rows[i].after);
		leave("log", "hello\n");
		assert_int_equal(oracle_podman.twin(&o, state_dir, &t), 0);
		if (t.was_up != rows[i].was_up || t.ended != rows[i].ended ||
		    t.killed != rows[i].killed || t.code != rows[i].code)
			fail_msg("row %zu: up %d, ended %d, killed %d, code %d", i, t.was_up,
				 t.ended, t.killed, t.code);
		assert_int_equal(t.log_len, 6);
		assert_memory_equal(t.log, "hello\n", 6);
		free((char *)t.log);
	}
	oracle_files_clear(state_dir, 7);
	assert_int_equal(oracle_podman.twin(&o, state_dir, &(struct oracle_twin){ 0 }), -ENOENT);
	/* half of it: the daemon was killed while it was asked for */
	leave_state("before", true, 0);
	leave("after", "[{\"Conf");
	assert_int_equal(oracle_podman.twin(&o, state_dir, &(struct oracle_twin){ 0 }), -ENOENT);
}

static void of_a_log_its_end(void **state)
{
	const size_t len = ORACLE_LOG_MAX + 1000;
	_free_ char *text = malloc(len + 1);
	struct oracle_twin t = { 0 };

	memset(text, 'a', len);
	memcpy(text + len - 3, "end", 3);
	text[len] = '\0';
	leave("log", text);
	assert_int_equal(oracle_file_log(state_dir, 7, &t), 0);
	assert_int_equal(t.log_len, ORACLE_LOG_MAX);
	assert_memory_equal(t.log + t.log_len - 3, "end", 3);
	free((char *)t.log);
}

static void whose_twin_it_is(void **state)
{
	const struct store_oracle c = { .production = (char *)"container:web" };
	const struct store_oracle u = { .production = (char *)"unit:web.service" };
	_free_ char *container = oracle_podman.twin_key(&c), *unit = oracle_unit.twin_key(&u);

	assert_string_equal(container, "podman/tamis-oracle-web");
	assert_string_equal(unit, "systemd/tamis-oracle-web.service");
	assert_true(oracle_is_twin(container) && oracle_is_twin(unit));
	assert_false(oracle_is_twin("podman/web"));
	assert_ptr_equal(oracle_engine_of("container:web", NULL), &oracle_podman);
	assert_ptr_equal(oracle_engine_of("unit:web.service", NULL), &oracle_unit);
	assert_null(oracle_engine_of("web", NULL));
	assert_true(oracle_is_command("/usr/bin/web"));
	assert_true(oracle_is_command("web --port 80"));
	assert_false(oracle_is_command("localhost/web:asan"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_can_be_production),
		cmocka_unit_test(what_is_not_podmans),
		cmocka_unit_test_setup_teardown(how_a_twin_ended, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(of_a_log_its_end, make_dir, drop_dir),
		cmocka_unit_test(whose_twin_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
