/* SPDX-License-Identifier: Apache-2.0 */
/* history as a command: what it tells of each generation, for people and for scripts. */
#include <jansson.h>
#include <regex.h>

#include "applying_fixture.h"

static json_t *history_of(const char *name)
{
	_free_ char *text = NULL;
	json_t *json;

	assert_int_equal(HISTORY("--json", name), EXIT_OK);
	text = printed_text();
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int64_t number_at(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const json_t *generation_at(const json_t *top, size_t i)
{
	return json_array_get(json_object_get(top, "generations"), i);
}

/* "futex,bpf!": what it lacks, '!' is what nobody allowed. */
static void assert_lacks(const json_t *generation, const char *want)
{
	const json_t *lacks = json_object_get(generation, "lacks");
	char is[256] = "";

	for (size_t i = 0; i < json_array_size(lacks); i++) {
		const json_t *call = json_array_get(lacks, i);

		snprintf(is + strlen(is), sizeof(is) - strlen(is), "%s%s%s", i ? "," : "",
			 text_at(call, "name"),
			 json_is_true(json_object_get(call, "withheld")) ? "!" : "");
	}
	assert_string_equal(is, want);
}

static void of_nothing(void **state)
{
	json_t *top;

	learn(SET(READ));
	assert_int_equal(HISTORY("web"), EXIT_OK);
	check_said("workload: podman/web\nmode:     observe\n\n"
		   "no generation was made; 'tamis apply' makes one\n");
	top = history_of("web");
	assert_int_equal(number_at(top, "version"), 1);
	assert_string_equal(text_at(top, "mode"), "observe");
	assert_true(json_is_null(json_object_get(top, "generation")));
	assert_true(json_is_null(json_object_get(top, "since")));
	assert_int_equal(json_array_size(json_object_get(top, "generations")), 0);
	json_decref(top);
}

static int64_t two(void)
{
	int64_t id = learn(SET(READ, WRITE));

	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, id, MACHINE, WRITE, VERDICT_DENY, NOW));
	}
	assert_int_equal(APPLY("web"), EXIT_OK);
	learn(SET(FUTEX, BPF));
	assert_int_equal(APPLY("web", "--no-trial"), EXIT_OK);
	return id;
}

static void for_scripts(void **state)
{
	const json_t *first, *second;
	json_t *top;

	two();
	top = history_of("web");
	first = generation_at(top, 0);
	second = generation_at(top, 1);
	assert_string_equal(text_at(top, "key"), "podman/web");
	assert_string_equal(text_at(top, "mode"), "enforce");
	assert_int_equal(number_at(top, "generation"), 2);
	assert_true(json_is_null(json_object_get(top, "good")));
	assert_int_equal(number_at(first, "number"), 1);
	assert_false(json_is_true(json_object_get(first, "applied")));
	assert_true(json_is_true(json_object_get(second, "applied")));
	assert_string_equal(text_at(first, "state"), "trial");
	assert_string_equal(text_at(second, "state"), "good");
	assert_string_equal(text_at(first, "maker"), "root");
	assert_int_equal(number_at(first, "call_count"), 1);
	assert_int_equal(number_at(second, "call_count"), 2);
	assert_int_equal(json_array_size(json_object_get(first, "denied")), 1);
	assert_lacks(first, "write!,futex,bpf!");
	assert_lacks(second, "write!,bpf!");
	json_decref(top);
}

/* Column by column: the mark, the number, what became of it, what it lacks. */
static void assert_matches(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" lacks \"%s\"", text, pattern);
	regfree(&re);
}

static void for_people(void **state)
{
	_free_ char *text = NULL;

	two();
	assert_int_equal(HISTORY("web"), EXIT_OK);
	text = printed_text();
	assert_non_null(strstr(text, "mode:     enforce, generation 2 since 2"));
	assert_null(strstr(text, "would have refused"));
	assert_matches(text,
		       "^  1  .* root  [0-9a-f]{12}  trial  1      0       bpf, futex, write$");
	assert_matches(text, "^\\* 2  .* root  [0-9a-f]{12}  good   2      0       bpf, write$");
}

/* Without the daemon: the trial's own lines say it, and what the workload needs is named. */
static void names_culprits(void **state)
{
	json_t *top;

	two();
	assert_int_equal(ROLLBACK("web", "1"), EXIT_OK);
	assert_int_equal(trial_add_start(state_dir, "podman/web", 1, "c1", NULL), 0);
	assert_int_equal(trial_add_end(state_dir, "podman/web", "c1", TRIAL_KILLED, 31), 0);
	assert_int_equal(HISTORY("web"), EXIT_OK);
	assert_printed("\n* 1  ");
	assert_printed("  failed  1 ");
	assert_printed("\ngeneration 1 failed: ");
	assert_printed("\n  made by the workload, and not in it: bpf, futex, write\n");
	top = history_of("web");
	assert_string_equal(text_at(generation_at(top, 0), "state"), "failed");
	assert_non_null(text_at(generation_at(top, 0), "failed"));
	assert_null(text_at(generation_at(top, 1), "failed"));
	json_decref(top);
}

/* What a generation in shadow would have refused, and who would have felt it. */
static void tells_of_shadow(void **state)
{
	int64_t id = learn(SET(READ)), instance;
	const struct policy_origin o = { .abi = MACHINE,
					 .stage = TAMIS_WORKLOAD,
					 .nr = FUTEX,
					 .pid = 7,
					 .first = NOW,
					 .comm = "ser\x1bver",
					 .exe = "/srv/server" };

	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	assert_int_equal(HISTORY("web"), EXIT_OK);
	{
		_free_ char *text = printed_text();

		assert_null(strstr(text, "would have refused"));
	}
	IN_TRANSACTION
	{
		instance = add_instance("boot/o", id, NOW);
		add_calls(instance, add_unit(NOW), TAMIS_WORKLOAD, SET(FUTEX, BPF), NOW);
		assert_stored(store_origin(st, instance, &o));
	}
	assert_int_equal(HISTORY("web"), EXIT_OK);
	assert_printed("mode:     shadow, generation 1 since");
	assert_printed("\ngeneration 1 would have refused:\n");
	assert_printed(MACHINE_NAME "  futex  learned since");
	assert_printed("ser\\x1bver  /srv/server\n");
	assert_printed(MACHINE_NAME "  bpf    nobody allowed it");
	assert_int_equal(RUN(cmd_show, "web", "--state", "DIR"), EXIT_OK);
	assert_printed("\ngeneration 1 would have refused:\n");
	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_int_equal(RUN(cmd_show, "web", "--state", "DIR"), EXIT_OK);
	{
		_free_ char *text = printed_text();

		assert_null(strstr(text, "would have refused"));
	}
}

static void names_what_is_wrong(void **state)
{
	static const struct failure failures[] = {
		{ &cmd_history, { "--state", "DIR" }, EXIT_USAGE, "missing" },
		{ &cmd_history, { "web", "1" }, EXIT_USAGE, "\"1\"" },
		{ &cmd_history,
		  { "shop", "--config", "/dev/null", "--state", "DIR" },
		  EXIT_FAIL,
		  "unknown workload \"shop\"" },
		{ &cmd_history,
		  { "web", "--config", "/dev/null", "--state", "/nowhere" },
		  EXIT_FAIL,
		  "/nowhere" },
	};

	learn(SET(READ));
	check_failures(failures, ARRAY_SIZE(failures));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_nothing),     TEST(for_scripts),     TEST(for_people),
		TEST(names_culprits), TEST(tells_of_shadow), TEST(names_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
