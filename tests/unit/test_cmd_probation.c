/* SPDX-License-Identifier: Apache-2.0 */
/* Probation as commands have it: what they put in place, what they say it means. */
#include "applying_fixture.h"

#define ALLOW(...) RUN(cmd_allow, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)
#define DENY(...)  RUN(cmd_deny, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)
#define SHOW(...)  RUN(cmd_show, "--state", "DIR", __VA_ARGS__)
#define PROBE(...) APPLY("--mode", "probation", __VA_ARGS__)

static void is_put_in_place(void **state)
{
	int64_t id = learn(SET(READ, FUTEX, BPF));
	_applied_ struct applied a = { 0 };

	assert_int_equal(PROBE("web"), EXIT_OK);
	assert_applied(id, 1, 0, MODE_PROBATION);
	assert_printed("podman/web: generation 1: 2 calls (sha256:");
	assert_printed("is in probation when web next starts: what is learned passes; any other "
		       "call goes on, and is learned (rule learn)\n");
	assert_printed("guarded calls, and what the engine's own profile refuses, are refused; no "
		       "trial");
	a = file_of("podman/web");
	assert_int_equal(a.rule, PROBATION_LEARN);
	assert_null(a.listener);
}

static void a_rule_is_a_persons(void **state)
{
	static const struct {
		const char *rule, *means;
		enum probation_rule is;
	} rows[] = {
		{ "ask", "is refused, until 'tamis allow' says otherwise (rule ask)\n",
		  PROBATION_ASK },
		{ "deny", "is refused, and 'tamis denials' tells of it (rule deny)\n",
		  PROBATION_DENY },
		{ "learn", "goes on, and is learned (rule learn)\n", PROBATION_LEARN },
	};
	int64_t id = learn(SET(READ));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_applied_ struct applied a = { 0 };

		assert_int_equal(PROBE("--rule", rows[i].rule, "web"), EXIT_OK);
		assert_printed(rows[i].means);
		a = file_of("podman/web");
		assert_int_equal(a.rule, rows[i].is);
		assert_int_equal(applied_to(id).rule, rows[i].is);
	}
}

static void the_configuration_has_defaults(void **state)
{
	static const char text[] = "[apply]\nkeeper = /run/other.sock\non-new-image = probation\n"
				   "[probation podman/*]\nrule = ask\n";
	_free_ char *config = text_format("%s/conf", state_dir);
	_applied_ struct applied a = { 0 };
	int64_t id = learn(SET(READ));

	assert_int_equal(file_write_atomic(config, text, strlen(text), 0644), 0);
	assert_int_equal(
		RUN(cmd_apply, "web", "--mode", "probation", "--config", config, "--state", "DIR"),
		EXIT_OK);
	assert_complained("/run/other.sock");
	a = file_of("podman/web");
	assert_int_equal(a.rule, PROBATION_ASK);
	assert_string_equal(a.listener, "/run/other.sock");
	assert_true(a.probe_new_image && applied_to(id).probe_new_image);
	applied_done(&a);
	/* in force, with probation for a new image */
	assert_int_equal(RUN(cmd_apply, "web", "--config", config, "--state", "DIR"), EXIT_OK);
	a = file_of("podman/web");
	assert_int_equal(a.mode, MODE_ENFORCE);
	assert_int_equal(a.rule, PROBATION_ASK);
	assert_true(a.probe_new_image);
	assert_int_equal(
		RUN(cmd_apply, "web", "--keep-new-image", "--config", config, "--state", "DIR"),
		EXIT_OK);
	assert_false(applied_to(id).probe_new_image);
	assert_true(applied_to(id).keep_new_image);
}

/* What is missing asks: neither a start nor a call has to have been seen. */
static void begins_with_little(void **state)
{
	int64_t id = learn_as("podman/web", "podman", NO_CALLS, 0);

	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("not applied: no calls were learned");
	assert_int_equal(PROBE("web"), EXIT_OK);
	assert_printed("generation 1: 0 calls");
	assert_applied(id, 1, 0, MODE_PROBATION);
}

static void is_refused_with_the_reason(void **state)
{
	int64_t nester = learn_as("podman/nester", "podman", SET(READ, SECCOMP), 1);

	learn_as("systemd/web.service", "systemd", SET(READ), 1);
	learn_as("podman/~1000/web", "podman", SET(READ), 1);
	assert_int_equal(PROBE("--force", "systemd/web.service"), EXIT_FAIL);
	assert_complained("not applied: no probation for units: systemd has no listener");
	assert_int_equal(PROBE("--force", "podman/~1000/web"), EXIT_FAIL);
	assert_complained("not applied: no probation without root");
	assert_int_equal(PROBE("nester"), EXIT_FAIL);
	assert_complained("calls seccomp itself");
	assert_complained("(--force applies all the same)");
	assert_int_equal(count_generations(nester), 0);
	assert_int_equal(PROBE("--force", "nester"), EXIT_OK);
	assert_int_equal(applied_to(nester).mode, MODE_PROBATION);
}

/* A generation that failed in force may be what asks. */
static void a_failed_one_will_do(void **state)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(APPLY("web"), EXIT_OK);
	set_state(id, 1, GENERATION_FAILED);
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_int_equal(PROBE("web"), EXIT_OK);
	assert_applied(id, 1, 0, MODE_PROBATION);
}

static void a_word_counts_at_once(void **state)
{
	int64_t id = learn(SET(READ, FUTEX));
	_applied_ struct applied a = { 0 };
	struct store_applied before;

	assert_int_equal(PROBE("--rule", "ask", "web"), EXIT_OK);
	before = applied_to(id);
	assert_int_equal(ALLOW("web", "bpf"), EXIT_OK);
	assert_printed("allowed " MACHINE_NAME
		       " bpf of podman/web; it is in probation: tamis-keeper answers "
		       "so from now on, and a generation is made of it\n");
	a = file_of("podman/web");
	assert_set(a.allowed[MACHINE], SET(BPF));
	assert_set(a.refused[MACHINE], NO_CALLS);
	applied_done(&a);
	assert_int_equal(DENY("web", "gettid", "futex"), EXIT_OK);
	assert_printed(MACHINE_NAME
		       " futex was learned: a container whose filter lets it pass goes on "
		       "until it restarts\n");
	a = file_of("podman/web");
	assert_set(a.refused[MACHINE], SET(GETTID, FUTEX));
	applied_done(&a);
	assert_int_equal(ALLOW("--forget", "web", "bpf"), EXIT_OK);
	assert_printed("took back the word on " MACHINE_NAME
		       " bpf of podman/web; it is in probation");
	a = file_of("podman/web");
	assert_set(a.allowed[MACHINE], NO_CALLS);
	/* nothing else of it was touched */
	assert_int_equal(a.rule, PROBATION_ASK);
	assert_int_equal(a.now.number, 1);
	assert_int_equal(applied_to(id).since, before.since);
	assert_int_equal(count_generations(id), 1);
}

/* Under others a word waits for the next generation. */
static void a_word_waits_elsewhere(void **state)
{
	_applied_ struct applied a = { 0 };

	learn(SET(READ));
	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_int_equal(ALLOW("web", "gettid"), EXIT_OK);
	assert_printed("; 'tamis apply podman/web' makes a generation with it\n");
	a = file_of("podman/web");
	assert_set(a.allowed[MACHINE], NO_CALLS);
}

/* A file that can't be written takes the word back. */
static void both_or_neither(void **state)
{
	_free_ char *dir = text_format("%s/applied/podman", state_dir);
	int64_t id = learn(SET(READ));
	struct verdicts v;

	assert_int_equal(PROBE("web"), EXIT_OK);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(ALLOW("web", "gettid"), EXIT_FAIL);
	assert_complained("nothing was changed");
	assert_stored(store_verdicts(st, id, &v));
	assert_set(v.allowed[MACHINE], NO_CALLS);
}

static void is_shown(void **state)
{
	learn(SET(READ));
	assert_int_equal(PROBE("--rule", "deny", "web"), EXIT_OK);
	assert_int_equal(SHOW("web"), EXIT_OK);
	assert_printed("mode:      probation 1 (rule deny)\n");
	assert_int_equal(SHOW("web", "--json"), EXIT_OK);
	assert_printed("\"mode\": \"probation\"");
	assert_printed("\"rule\": \"deny\"");
	assert_int_equal(HISTORY("web"), EXIT_OK);
	assert_printed("mode:     probation, generation 1 since ");
	assert_printed(", rule deny\n");
	assert_int_equal(HISTORY("web", "--json"), EXIT_OK);
	assert_printed("\"mode\": \"probation\"");
	assert_printed("\"rule\": \"deny\"");
	assert_printed("\"probe_new_image\": false");
	assert_int_equal(RUN(cmd_list, "--state", "DIR"), EXIT_OK);
	assert_printed("probation 1 ");
	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_int_equal(SHOW("web", "--json"), EXIT_OK);
	assert_printed("\"rule\": null");
}

static void goes_back_and_away(void **state)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(PROBE("--rule", "ask", "web"), EXIT_OK);
	learn(SET(FUTEX));
	assert_int_equal(PROBE("--rule", "ask", "web"), EXIT_OK);
	assert_int_equal(ROLLBACK("web", "1"), EXIT_OK);
	assert_printed("from generation 2 to 1 (trial); in probation when web next starts\n");
	assert_applied(id, 1, 0, MODE_PROBATION);
	assert_int_equal(applied_to(id).rule, PROBATION_ASK);
	assert_int_equal(RELEASE("web"), EXIT_OK);
	assert_printed("released from generation 1");
	assert_applied(id, 0, 0, MODE_OBSERVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_put_in_place),
		TEST(a_rule_is_a_persons),
		TEST(the_configuration_has_defaults),
		TEST(begins_with_little),
		TEST(is_refused_with_the_reason),
		TEST(a_failed_one_will_do),
		TEST(a_word_counts_at_once),
		TEST(a_word_waits_elsewhere),
		TEST(both_or_neither),
		TEST(is_shown),
		TEST(goes_back_and_away),
	};

	return cmocka_run_group_tests_name("cmd_probation", tests, NULL, NULL);
}
