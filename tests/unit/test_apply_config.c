/* SPDX-License-Identifier: Apache-2.0 */
/* Sections [apply] and [auto PATTERN]: what a line does, and what is refused aloud. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/apply_config.h"

#define _config_ __attribute__((cleanup(apply_config_done)))
#define CONFIG                             \
	{                                  \
		.trial_s = APPLIED_TRIAL_S \
	}

static const struct {
	const char *section, *key, *value;
	int r;
} lines[] = {
	{ "apply", "trial", "5", 0 },
	{ "apply", "trial", "3600", 0 },
	{ "apply", "trial", "4", -EINVAL },
	{ "apply", "trial", "3601", -EINVAL },
	{ "apply", "trial", "60s", -EINVAL },
	{ "apply", "on-new-image", "keep", 0 },
	{ "apply", "on-new-image", "observe", 0 },
	{ "apply", "on-new-image", "probation", 0 },
	{ "apply", "on-new-image", "Keep", -EINVAL },
	{ "apply", "keeper", "/run/k.sock", 0 },
	{ "apply", "keeper", "run/k.sock", -EINVAL },
	{ "apply", "keeper", "/run/../k.sock", -EINVAL },
	{ "apply", "keeper", "", -EINVAL },
	{ "probation *", "rule", "learn", 0 },
	{ "probation *", "rule", "ask", 0 },
	{ "probation *", "rule", "deny", 0 },
	{ "probation *", "rule", "allow", -EINVAL },
	{ "probation *", "mode", "enforce", -ENOENT },
	{ "probation", "rule", "learn", -EINVAL },
	{ "probation podman/[a", "rule", "learn", -EILSEQ },
	{ "probationary", "rule", "learn", 1 },
	{ "apply", "kubelet-dir", "/a", 0 },
	{ "apply", "kubelet-dir", "a", -EINVAL },
	{ "apply", "kubelet-dir", "", -EINVAL },
	{ "apply", "mode", "enforce", -ENOENT },
	{ "apply", "", "", -ENOENT },
	{ "auto *", "mode", "enforce", 0 },
	{ "auto *", "mode", "Enforce", -EINVAL },
	{ "auto *", "mode", "", -EINVAL },
	{ "auto *", "observe", "24h", 0 },
	{ "auto *", "observe", "0s", 0 },
	{ "auto *", "observe", "24", -EINVAL },
	{ "auto *", "observe", "-1h", -EINVAL },
	{ "auto *", "quiet", "90m", 0 },
	{ "auto *", "quiet", "never", -EINVAL },
	{ "auto *", "starts", "1", 0 },
	{ "auto *", "starts", "0", -EINVAL },
	{ "auto *", "starts", "1000001", -EINVAL },
	{ "auto *", "coverage", "95", 0 },
	{ "auto *", "coverage", "99", 0 },
	{ "auto *", "coverage", "100", -EDOM },
	{ "auto *", "coverage", "0", -EINVAL },
	{ "auto *", "coverage", "101", -EINVAL },
	{ "auto *", "coverage", "95%", -EINVAL },
	{ "auto *", "trial", "60", -ENOENT },
	{ "auto", "mode", "enforce", -EINVAL },
	{ "auto ", "mode", "enforce", -EINVAL },
	{ "auto podman/[ab]", "mode", "enforce", -EILSEQ },
	{ "auto podman/[a", "mode", "enforce", -EILSEQ },
	/* 48 bytes, and 49, which may have been more */
	{ "auto kubernetes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "mode", "enforce", -ENAMETOOLONG },
	{ "auto kubernetes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "mode", "enforce", 0 },
	{ "automatic", "mode", "enforce", 1 },
	{ "daemon", "unit", "60", 1 },
	{ "", "unit", "60", 1 },
};

static void lines_are_checked(void **state)
{
	_config_ struct apply_config c = CONFIG;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int r = apply_config_line(&c, lines[i].section, lines[i].key, lines[i].value);

		if (r != lines[i].r)
			fail_msg("[%s] %s = %s: %d", lines[i].section, lines[i].key, lines[i].value,
				 r);
		if (r < 0)
			assert_non_null(apply_config_why(r));
	}
}

static void a_rule_has_defaults_and_takes_lines(void **state)
{
	_config_ struct apply_config c = CONFIG;
	const struct auto_rule *rule;

	assert_int_equal(apply_config_line(&c, "auto podman/web*", "mode", "enforce"), 0);
	assert_int_equal(apply_config_line(&c, "auto  *", "mode", "shadow"), 0);
	assert_int_equal(apply_config_line(&c, "auto podman/web*", "starts", "5"), 0);
	assert_int_equal(c.rules.cnt, 2);
	rule = &c.rules.rule[0];
	assert_string_equal(rule->pattern, "podman/web*");
	assert_int_equal(rule->mode, MODE_ENFORCE);
	assert_int_equal(rule->starts, 5);
	assert_int_equal(rule->observe_s, 86400);
	assert_int_equal(rule->quiet_s, 43200);
	assert_string_equal(c.rules.rule[1].pattern, "*");
	assert_int_equal(c.rules.rule[1].starts, 2);
}

/* A rule that says nothing of the mode applies nothing. */
static void without_a_mode_nothing_is_applied(void **state)
{
	_config_ struct apply_config c = CONFIG;

	assert_int_equal(apply_config_line(&c, "auto *", "starts", "5"), 0);
	assert_int_equal(c.rules.rule[0].mode, MODE_OBSERVE);
}

static void rules_are_bounded(void **state)
{
	_config_ struct apply_config c = CONFIG;
	int r = 0;

	for (int i = 0; r == 0; i++) {
		_free_ char *section = text_format("auto %d", i);

		r = apply_config_line(&c, section, "mode", "shadow");
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(c.rules.cnt, AUTO_RULES_MAX);
}

static void the_first_probation_that_matches_speaks(void **state)
{
	_config_ struct apply_config c = CONFIG;
	int r = 0;

	assert_int_equal(apply_config_line(&c, "probation podman/web", "rule", "deny"), 0);
	assert_int_equal(apply_config_line(&c, "probation podman/*", "rule", "ask"), 0);
	assert_int_equal(apply_config_line(&c, "probation *", "rule", "deny"), 0);
	assert_int_equal(apply_config_line(&c, "probation  *", "rule", "learn"), 0);
	assert_int_equal(c.probation.cnt, 3);
	assert_int_equal(probation_rule_of(&c.probation, "podman/web"), PROBATION_DENY);
	assert_int_equal(probation_rule_of(&c.probation, "podman/web/a"), PROBATION_ASK);
	assert_int_equal(probation_rule_of(&c.probation, "docker/web"), PROBATION_LEARN);
	for (int i = 0; r == 0; i++) {
		_free_ char *section = text_format("probation %d", i);

		r = apply_config_line(&c, section, "rule", "ask");
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(c.probation.cnt, AUTO_RULES_MAX);
}

static void a_new_image_is_one_of_three(void **state)
{
	_config_ struct apply_config c = CONFIG;

	assert_int_equal(apply_config_line(&c, "apply", "on-new-image", "probation"), 0);
	assert_true(c.probe_new_image && !c.keep_new_image);
	assert_int_equal(apply_config_line(&c, "apply", "on-new-image", "keep"), 0);
	assert_true(!c.probe_new_image && c.keep_new_image);
	assert_int_equal(apply_config_line(&c, "apply", "on-new-image", "observe"), 0);
	assert_true(!c.probe_new_image && !c.keep_new_image);
}

/* *ret_said: what was logged, if that isn't NULL. */
static int read_text(const char *text, struct apply_config *c, char said[512])
{
	char path[] = "/tmp/tamis-apply-config-XXXXXX";
	int fd = mkstemp(path), err = dup(STDERR_FILENO), pipes[2], r;
	ssize_t n;

	assert_true(fd >= 0 && pipe2(pipes, O_NONBLOCK) == 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	dup2(pipes[1], STDERR_FILENO);
	r = apply_config_read(path, c);
	dup2(err, STDERR_FILENO);
	n = read(pipes[0], said, 511);
	said[n > 0 ? n : 0] = '\0';
	close(err);
	close(pipes[0]);
	close(pipes[1]);
	unlink(path);
	return r;
}

static void a_missing_file_leaves_the_defaults(void **state)
{
	_config_ struct apply_config c = { .keep_new_image = true };

	assert_int_equal(apply_config_read("/nonexistent/tamis.conf", &c), 0);
	assert_int_equal(c.trial_s, 60);
	assert_false(c.keep_new_image);
	assert_null(c.kubelet_dir);
	assert_int_equal(c.rules.cnt, 0);
}

static void a_file_is_read_beside_what_is_the_daemons(void **state)
{
	_config_ struct apply_config c = CONFIG;
	char said[512];

	assert_int_equal(read_text("[daemon]\nstate = /s\nnonsense = 1\n[apply]\ntrial = 9\n"
				   "kubelet-dir = /k\non-new-image = keep\n"
				   "keeper = /run/k.sock\n"
				   "[probation podman/a*]\nrule = ask\n"
				   "[auto podman/a*]\nmode = enforce\nobserve = 2s\n"
				   "[auto *]\nmode = observe\n",
				   &c, said),
			 0);
	assert_string_equal(said, "");
	assert_int_equal(c.trial_s, 9);
	assert_string_equal(c.kubelet_dir, "/k");
	assert_true(c.keep_new_image && !c.probe_new_image);
	assert_string_equal(c.keeper, "/run/k.sock");
	assert_int_equal(probation_rule_of(&c.probation, "podman/ab"), PROBATION_ASK);
	assert_int_equal(probation_rule_of(&c.probation, "docker/ab"), PROBATION_LEARN);
	assert_int_equal(auto_find(&c.rules, "podman/ab")->observe_s, 2);
	assert_int_equal(auto_find(&c.rules, "docker/ab")->mode, MODE_OBSERVE);
}

/* The first bad line, once, and nothing of the file holds. */
static void a_bad_line_is_named(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[apply]\ntrial = 1\ntrial = 2\n", "[apply] trial = 1: not a value for it\n" },
		{ "[apply]\nwait = 1\n", "[apply] wait = 1: no such option\n" },
		{ "[auto a]\nmode = on\n", "[auto a] mode = on: not a value for it\n" },
		{ "[auto a[b]\nmode = shadow\n", "[ ] can't be in a section's name\n" },
		{ "[auto kubernetes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/*]\n"
		  "mode = enforce\n",
		  "too long for a section's name (use *)\n" },
		{ "[apply\ntrial = 9\n", "line 1 is not ini syntax\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_config_ struct apply_config c = { .trial_s = 7 };
		char said[512], *end;

		assert_int_equal(read_text(rows[i].text, &c, said), -EINVAL);
		if (!strstr(said, rows[i].said))
			fail_msg("row %zu: \"%s\"", i, said);
		end = strchr(said, '\n');
		assert_true(end && !end[1]); /* one line */
		assert_int_equal(c.trial_s, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_checked),
		cmocka_unit_test(a_rule_has_defaults_and_takes_lines),
		cmocka_unit_test(without_a_mode_nothing_is_applied),
		cmocka_unit_test(rules_are_bounded),
		cmocka_unit_test(the_first_probation_that_matches_speaks),
		cmocka_unit_test(a_new_image_is_one_of_three),
		cmocka_unit_test(a_missing_file_leaves_the_defaults),
		cmocka_unit_test(a_file_is_read_beside_what_is_the_daemons),
		cmocka_unit_test(a_bad_line_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
