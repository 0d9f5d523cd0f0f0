/* SPDX-License-Identifier: Apache-2.0 */
/* show as a command: what it prints of a real store, how it fails. */
#include "shown_fixture.h"

static void show_tells_each_call(void **state)
{
	static const char *const lines[] = {
		"workload:  redis (podman/redis)\n",
		"state:     running, 2 instances seen\n",
		"container: 0123456789ab\n",
		"partial:   yes: no start of it was seen\n",
		"also called: podman/old-redis\n",
		"inside:    crio/b, docker/a\n",
		"not enforceable: it is\\x0aa test\n",
		"coverage:  not known: 1 of the 5 units that an estimate needs (a unit is an "
		"hour)\n",
		"spawns elsewhere: 2 processes, the last cr\\x0aon to /else (a filter would follow "
		"them, learning doesn't)\n",
		"gate:      these are in no runtime's table (a newer runtime, or a hook): x86_64 "
		"reboot\n",
		"namespace: shop\npod:       web-1\n",
		"x86_64  workload  write   2023-11-14 22:13:20Z  2023",
		"  1/2 0123456789ab  re\\x0adis  42   /r\n",
		"  2/2               -  ",
		"x86_64  workload  #550    2023",
		"x86_64  setup     mount   2023",
		"i386    session   exit    2023",
	};
	_free_ char *out = NULL;

	fill();
	assert_int_equal(RUN(cmd_show, "podman/redis", "--state", "DIR"), EXIT_OK);
	read_text(out_path, &out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!strstr(out, lines[i]))
			fail_msg("lacks %s", lines[i]);
	}
	/* What a policy is made of comes before the setup. */
	assert_non_null(strstr(strstr(out, "workload  write"), "setup     mount"));
}

static void show_tells_what_was_decided(void **state)
{
	static const char *const lines[] = {
		"mode:      enforce 1 trial\n",
		"pending:   x86_64 reboot (gate)\n",
		"pending:   x86_64 bpf, first by bp\\x0af[7] of /sbin/bpftool (session)\n",
		"allowed:   x86_64 ptrace\n",
		"denied:    x86_64 process_vm_readv, i386 bpf\n",
		"images:    sha256:\\x0af\n",
	};
	_free_ char *out = NULL;

	decide();
	assert_int_equal(RUN(cmd_show, "podman/redis", "--state", "DIR"), EXIT_OK);
	out = printed_text();
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!strstr(out, lines[i]))
			fail_msg("lacks %s", lines[i]);
	}
	free(TAKE_PTR(out));
	assert_int_equal(RUN(cmd_show, "podman/redis-2", "--state", "DIR"), EXIT_OK);
	out = printed_text();
	assert_non_null(strstr(out, "mode:      observe (a label of its container opts out)\n"));
	assert_null(strstr(out, "pending:"));
	assert_null(strstr(out, "allowed:"));
	assert_null(strstr(out, "images:"));
}

static void check_json(json_t *object, const char *key, const char *want)
{
	json_t *value = json_object_get(object, key);
	_free_ char *got = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (!got || strcmp(got, want) != 0)
		fail_msg("%s is %s instead of %s", key, got ?: "missing", want);
}

static void show_json_can_be_read(void **state)
{
	static const char *const of_write[][2] = {
		{ "abi", "\"x86_64\"" }, { "stage", "\"workload\"" }, { "name", "\"write\"" },
		{ "nr", "1" },		 { "first", "1700000000" },   { "last", "1700000000" },
		{ "pid", "42" },	 { "comm", "\"re\\ndis\"" },  { "exe", "\"/r\"" },
		{ "replicas", "1" },	 { "replica", "\"" ID "\"" },
	};
	static const char *const of_all[][2] = {
		{ "call_count", "4" },
		{ "instances", "2" },
		{ "containers", "2" },
		{ "namespace", "\"shop\"" },
		{ "pod", "\"web-1\"" },
		{ "container", "\"" ID "\"" },
		{ "enforceable", "false" },
		{ "why_not", "\"it is\\na test\"" },
		{ "spawns_elsewhere", "{\"processes\":2,\"comm\":\"cr\\non\",\"path\":\"/else\"}" },
		{ "inside", "[\"crio/b\",\"docker/a\"]" },
		{ "coverage", "{\"at\":null,\"units\":0,\"coverage\":null,\"low\":null,"
			      "\"high\":null,\"next_hour\":null}" },
		{ "aliases", "[\"podman/old-redis\"]" },
		{ "gate_unknown", "[{\"abi\":\"x86_64\",\"nr\":169,\"name\":\"reboot\"}]" },
	};
	json_t *json, *calls;

	fill();
	assert_int_equal(RUN(cmd_show, "--json", "podman/redis", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	calls = json_object_get(json, "calls");
	assert_int_equal(json_array_size(calls), 6);
	for (size_t i = 0; i < ARRAY_SIZE(of_all); i++)
		check_json(json, of_all[i][0], of_all[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(of_write); i++)
		check_json(json_array_get(calls, 2), of_write[i][0], of_write[i][1]);
	check_json(json_array_get(calls, 0), "pid", "null");
	check_json(json_array_get(calls, 1), "replicas", "2");
	json_decref(json);
}

static void show_json_has_what_was_decided(void **state)
{
	static const char *const of_all[][2] = {
		{ "mode", "\"enforce\"" },
		{ "generation", "1" },
		{ "generation_state", "\"trial\"" },
		{ "opted_out", "false" },
		{ "pending_count", "2" },
		{ "pending",
		  "[{\"abi\":\"x86_64\",\"nr\":169,\"name\":\"reboot\",\"stage\":\"gate\","
		  "\"first\":1700000000,\"pid\":null,\"comm\":null,\"exe\":null},"
		  "{\"abi\":\"x86_64\",\"nr\":321,\"name\":\"bpf\",\"stage\":\"session\","
		  "\"first\":1699999999,\"pid\":7,\"comm\":\"bp\\nf\","
		  "\"exe\":\"/sbin/bpftool\"}]" },
		{ "allowed", "[{\"abi\":\"x86_64\",\"nr\":101,\"name\":\"ptrace\"}]" },
		{ "denied", "[{\"abi\":\"x86_64\",\"nr\":310,\"name\":\"process_vm_readv\","
			    "\"errno\":\"EPERM\",\"mined\":false,\"needed\":null},"
			    "{\"abi\":\"i386\",\"nr\":357,\"name\":\"bpf\","
			    "\"errno\":\"EPERM\",\"mined\":false,\"needed\":null}]" },
		{ "images", "[\"sha256:\\nf\"]" },
	};
	json_t *json;

	decide();
	assert_int_equal(RUN(cmd_show, "--json", "podman/redis", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(of_all); i++)
		check_json(json, of_all[i][0], of_all[i][1]);
	json_decref(json);
}

/* Asked for in probation, which the keeper answers; what it and the oracle learned. */
static void probation_is_told(void **state)
{
	struct store_denial asked = { .kind = DENIAL_ASKED,
				      .nr = 240,
				      .pid = 9,
				      .comm = "as\nk",
				      .exe = "/ask",
				      .count = 3,
				      .first = NOW,
				      .last = NOW + 1 };
	const struct sysset mlock = SET(149), mincore = SET(27);
	struct store_row row;
	_free_ char *out = NULL;
	json_t *json;

	fill();
	row = row_of("podman/redis");
	asked.workload = row.id;
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &asked, NULL));
		assert_stored(store_learn(st, row.id, "keeper", 0, &mlock, NULL, NOW));
		assert_stored(store_learn(st, row.id, "oracle", 0, &mincore, NULL, NOW));
	}
	assert_int_equal(RUN(cmd_show, "podman/redis", "--state", "DIR"), EXIT_OK);
	out = printed_text();
	assert_non_null(strstr(out, "pending:   x86_64 mq_open, asked for by as\\x0ak[9] of /ask"
				    " (3 times)\n"));
	assert_non_null(strstr(out, "  keeper  "));
	assert_non_null(strstr(out, "  oracle  "));
	assert_int_equal(RUN(cmd_show, "--json", "podman/redis", "--state", "DIR"), EXIT_OK);
	json = json_load_file(out_path, 0, NULL);
	check_json(json_array_get(json_object_get(json, "pending"), 1), "stage", "\"workload\"");
	check_json(json_array_get(json_object_get(json, "pending"), 1), "name", "\"mq_open\"");
	check_json(json_array_get(json_object_get(json, "pending"), 1), "exe", "\"/ask\"");
	json_decref(json);
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	free(out);
	out = printed_text();
	assert_non_null(strstr(out, "2 pending"));
	IN_TRANSACTION
	assert_stored(store_verdict_set(st, row.id, 0, 240, VERDICT_ALLOW, NOW));
	assert_int_equal(RUN(cmd_show, "podman/redis", "--state", "DIR"), EXIT_OK);
	free(out);
	out = printed_text();
	assert_null(strstr(out, "pending:   x86_64 mq_open"));
	store_row_done(&row);
}

static const struct failure failures[] = {
	{ &cmd_show, { "nosuch", "--state", "DIR" }, EXIT_FAIL, "\"nosuch\"" },
	{ &cmd_show, { "", "--state", "DIR" }, EXIT_FAIL, "\"\"" },
	{ &cmd_show, { "no\nsuch", "--state", "DIR" }, EXIT_FAIL, "no\\x0asuch" },
	{ &cmd_show, { "edis", "--state", "DIR" }, EXIT_FAIL, "podman/redis, podman/redis-2" },
	{ &cmd_show, { "x", "--state", "/nonexistent" }, EXIT_FAIL, "/nonexistent/tamis.db" },
	{ &cmd_show, { "--state", "DIR" }, EXIT_USAGE, "missing" },
	{ &cmd_show, { "x", "y", "--state", "DIR" }, EXIT_USAGE, "\"y\"" },
	{ &cmd_show, { "x", "--jsno" }, EXIT_USAGE, "\"--jsno\"" },
	{ &cmd_check, { "x" }, EXIT_USAGE, "\"x\"" },
};

static void failures_are_one_line(void **state)
{
	fill();
	check_failures(failures, ARRAY_SIZE(failures));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(show_tells_each_call),  TEST(show_tells_what_was_decided),
		TEST(show_json_can_be_read), TEST(show_json_has_what_was_decided),
		TEST(probation_is_told),     TEST(failures_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
