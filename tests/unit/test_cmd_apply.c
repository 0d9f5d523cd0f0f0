/* SPDX-License-Identifier: Apache-2.0 */
/* apply as a command: what it makes, prints, refuses, and leaves alone. */
#include "applying_fixture.h"

static void makes_the_first(void **state)
{
	int64_t id = learn(SET(READ, FUTEX, BPF));
	_applied_ struct applied a = { 0 };

	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_applied(id, 1, 0, MODE_ENFORCE);
	assert_printed("podman/web: generation 1: 2 calls (sha256:");
	assert_printed("  + futex, read\n");
	assert_printed("  pending: bpf ('tamis allow' lets them in)\n");
	assert_printed("is in force when web next starts, on trial for 60 s; the engine's own "
		       "profile takes its place if it fails\n");
	a = file_of("podman/web");
	assert_string_equal(a.now.maker, "root");
	assert_set(a.now.learned.set[TAMIS_WORKLOAD][MACHINE], SET(READ, FUTEX));
	assert_int_equal(a.trial_s, 60);
}

static void tells_what_changes(void **state)
{
	int64_t id = learn(SET(READ, FUTEX));

	assert_int_equal(APPLY("web"), EXIT_OK);
	set_state(id, 1, GENERATION_GOOD);
	learn(SET(GETTID));
	IN_TRANSACTION
	{
		assert_stored(store_verdict_set(st, id, MACHINE, FUTEX, VERDICT_DENY, NOW));
	}
	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_applied(id, 2, 1, MODE_ENFORCE);
	assert_printed("generation 2: 2 calls");
	assert_printed("  against generation 1: 1 more, 1 less\n  + gettid\n  - futex\n"
		       "  denied: futex\n");
	assert_printed("generation 1 takes its place if it fails");
}

/* Nothing new was learned: no new number, but all flags are taken. */
static void makes_no_twins(void **state)
{
	int64_t id = learn(SET(READ));
	_applied_ struct applied a = { 0 };

	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_int_equal(APPLY("web", "--replace", "--unconfined"), EXIT_OK);
	assert_int_equal(count_generations(id), 1);
	assert_printed("nothing new since it was made");
	assert_printed("--replace");
	a = file_of("podman/web");
	assert_true(a.replace && a.unconfined && !a.keep_new_image);
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	assert_int_equal(APPLY("web", "--no-trial", "--keep-new-image"), EXIT_OK);
	assert_int_equal(state_of(id, 1), GENERATION_GOOD);
	applied_done(&a);
	a = file_of("podman/web");
	assert_true(!a.replace && a.keep_new_image);
	assert_int_equal(a.now.state, GENERATION_GOOD);
	assert_printed("in force when web next starts, without a trial\n");
}

static void a_dry_run_is_one(void **state)
{
	int64_t id = learn(SET(READ));
	_free_ char *path = text_format("to be written: %s/applied/podman/web.json\n", state_dir);

	assert_int_equal(APPLY("web", "--dry-run"), EXIT_OK);
	assert_printed("generation 1: 1 call (sha256:");
	assert_printed("would be in force when web next starts");
	assert_printed(path);
	assert_int_equal(count_generations(id), 0);
	assert_applied(id, 0, 0, MODE_OBSERVE);
}

static void shadow_refuses_nothing(void **state)
{
	int64_t id = learn_as("podman/web", "podman", SET(READ), 0);

	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	assert_complained("not to be enforced yet: partial");
	assert_printed("is in shadow: nothing is refused");
	assert_applied(id, 1, 0, MODE_SHADOW);
}

/* Nothing at all is changed where the answer is no. */
static void refuses_what_is_partial(void **state)
{
	int64_t id = learn_as("podman/web", "podman", SET(READ), 0);

	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("tamis: podman/web: not applied: partial");
	assert_complained("--force applies all the same");
	check_said("");
	assert_int_equal(count_generations(id), 0);
	assert_applied(id, 0, 0, MODE_OBSERVE);
	assert_int_equal(APPLY("web", "--force"), EXIT_OK);
	assert_complained("applied all the same (--force): partial");
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

static void some_are_never_applied(void **state)
{
	learn_as("systemd/dbus.service", "systemd", SET(READ), 1);
	learn_as("systemd/containerd.service", "systemd", SET(READ), 1);
	assert_int_equal(APPLY("containerd.service", "--force"), EXIT_FAIL);
	assert_complained("tamis: systemd/containerd.service: not applied: ");
	check_said("");
}

/* By a label of its container, or a rule. */
static void heeds_who_opted_out(void **state)
{
	const struct store_workload w = {
		.key = "podman/web", .engine = "podman", .name = "web", .opted_out = true
	};
	_free_ char *config = text_format("%s/conf", state_dir);
	static const char rule[] = "[auto podman/we*]\nmode = observe\n";
	int64_t id = learn(SET(READ));

	assert_int_equal(file_write_atomic(config, rule, strlen(rule), 0644), 0);
	assert_int_equal(RUN(cmd_apply, "--config", config, "--state", "DIR", "web"), EXIT_FAIL);
	assert_complained("opted out");
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
	}
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("opted out");
	assert_int_equal(APPLY("web", "--force"), EXIT_OK);
	assert_applied(id, 1, 0, MODE_ENFORCE);
}

/* Unless the line says otherwise. */
static void the_configuration_holds(void **state)
{
	_free_ char *config = text_format("%s/conf", state_dir);
	static const char text[] =
		"[daemon]\ninterval = 3\n[apply]\non-new-image = keep\ntrial = 7\n";
	_applied_ struct applied a = { 0 };

	learn(SET(READ));
	assert_int_equal(file_write_atomic(config, text, strlen(text), 0644), 0);
	assert_int_equal(RUN(cmd_apply, "--config", config, "--state", "DIR", "web"), EXIT_OK);
	assert_printed("on trial for 7 s");
	a = file_of("podman/web");
	assert_true(a.keep_new_image);
	assert_int_equal(a.trial_s, 7);
}

/* What failed isn't tried again by itself; what it can fall back to is something else. */
static void one_that_failed(void **state)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(APPLY("web"), EXIT_OK);
	set_state(id, 1, GENERATION_FAILED);
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("not applied: generation 1, of the same calls, failed (died); --force");
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
	assert_int_equal(APPLY("web", "--mode", "shadow"), EXIT_OK);
	assert_int_equal(state_of(id, 1), GENERATION_FAILED);
	assert_int_equal(APPLY("web", "--force"), EXIT_OK);
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	set_state(id, 1, GENERATION_FAILED);
	learn(SET(FUTEX));
	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_applied(id, 2, 0, MODE_ENFORCE);
}

/* A trial that went badly counts although no daemon has settled it, and is over when it is tried
 * again. */
static void one_that_failed_unsettled(void **state)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(APPLY("web"), EXIT_OK);
	assert_int_equal(trial_add_start(state_dir, "podman/web", 1, "c1", NULL), 0);
	assert_int_equal(trial_add_end(state_dir, "podman/web", "c1", TRIAL_KILLED, 31), 0);
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("generation 1, of the same calls, failed");
	assert_int_equal(APPLY("web", "--force", "--dry-run"), EXIT_OK);
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_int_equal(APPLY("web", "--force"), EXIT_OK);
	assert_int_equal(state_of(id, 1), GENERATION_TRIAL);
	assert_int_equal(APPLY("web"), EXIT_OK);
}

/* An image that the generation doesn't know would never start under it. */
static void a_new_image_is_news(void **state)
{
	struct store_workload w = {
		.key = "podman/web", .engine = "podman", .name = "web", .image_digest = "sha256:a"
	};
	int64_t id = learn(SET(READ));
	_applied_ struct applied a = { 0 };

	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
	}
	assert_int_equal(APPLY("web"), EXIT_OK);
	w.image_digest = "sha256:b";
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
	}
	assert_int_equal(APPLY("web"), EXIT_OK);
	a = file_of("podman/web");
	assert_true(generation_has_image(&a.now, "sha256:a"));
	assert_true(generation_has_image(&a.now, "sha256:b"));
}

static void names_what_is_wrong(void **state)
{
	static const struct failure failures[] = {
		{ &cmd_apply, { "--state", "DIR" }, EXIT_USAGE, "missing" },
		{ &cmd_apply, { "web", "shop", "--state", "DIR" }, EXIT_USAGE, "shop" },
		{ &cmd_apply, { "web", "--mode", "observe" }, EXIT_USAGE, "tamis release" },
		{ &cmd_apply, { "web", "--mode", "probationary" }, EXIT_USAGE, "probationary" },
		{ &cmd_apply,
		  { "web", "--mode", "probation", "--rule", "allow" },
		  EXIT_USAGE,
		  "allow" },
		{ &cmd_apply, { "web", "--rule", "ask" }, EXIT_USAGE, "--mode probation" },
		{ &cmd_apply, { "web", "--mode" }, EXIT_USAGE, "--mode" },
		{ &cmd_apply, { "web", "--forcing" }, EXIT_USAGE, "--forcing" },
		{ &cmd_apply,
		  { "shop", "--config", "/dev/null", "--state", "DIR" },
		  EXIT_FAIL,
		  "unknown workload \"shop\"" },
		{ &cmd_apply,
		  { "web", "--config", "/dev/null", "--state", "/nowhere" },
		  EXIT_FAIL,
		  "/nowhere" },
	};

	static const char bad[] = "[apply]\ntrial = never\n";
	_free_ char *config = text_format("%s/conf", state_dir);

	learn(SET(READ));
	check_failures(failures, ARRAY_SIZE(failures));
	assert_int_equal(file_write_atomic(config, bad, strlen(bad), 0644), 0);
	assert_int_equal(RUN(cmd_apply, "web", "--config", config, "--state", "DIR"), EXIT_FAIL);
	assert_complained("trial = never");
}

/* The state directory is somebody's: not in the store either. */
static void both_or_neither(void **state)
{
	int64_t id = learn(SET(READ));

	assert_int_equal(chmod(state_dir, 0777), 0);
	assert_int_equal(APPLY("web"), EXIT_FAIL);
	assert_complained("nothing was changed: podman/web");
	check_said("");
	assert_int_equal(chmod(state_dir, 0700), 0);
	assert_int_equal(count_generations(id), 0);
	assert_applied(id, 0, 0, MODE_OBSERVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_the_first),
		TEST(tells_what_changes),
		TEST(makes_no_twins),
		TEST(a_dry_run_is_one),
		TEST(shadow_refuses_nothing),
		TEST(refuses_what_is_partial),
		TEST(some_are_never_applied),
		TEST(heeds_who_opted_out),
		TEST(the_configuration_holds),
		TEST(one_that_failed),
		TEST(one_that_failed_unsettled),
		TEST(a_new_image_is_news),
		TEST(names_what_is_wrong),
		TEST(both_or_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
