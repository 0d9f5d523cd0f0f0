/* SPDX-License-Identifier: Apache-2.0 */
/* [oracle PATTERN] of the configuration. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/oracle_config.h"

static void lines(void **state)
{
	static const struct {
		const char *section, *key, *value;
		int r;
	} rows[] = {
		{ "oracle podman/web", "hardened", "web-asan", 0 },
		{ "oracle podman/web", "hardened", "", -EINVAL },
		{ "oracle podman/web", "production", "container:web", 0 },
		{ "oracle podman/web", "production", "unit:web.service", 0 },
		{ "oracle podman/web", "production", "web", -EINVAL },
		{ "oracle podman/web", "production", "container:", -EINVAL },
		{ "oracle podman/web", "replay", "/bin/replay --all", 0 },
		{ "oracle podman/web", "window", "15s", 0 },
		{ "oracle podman/web", "window", "1h", 0 },
		{ "oracle podman/web", "window", "2h", -EINVAL },
		{ "oracle podman/web", "window", "0s", -EINVAL },
		{ "oracle podman/web", "window", "15", -EINVAL },
		{ "oracle podman/web", "bootstrap", "yes", 0 },
		{ "oracle podman/web", "bootstrap", "true", -EINVAL },
		{ "oracle podman/web", "per-hour", "1", 0 },
		{ "oracle podman/web", "per-hour", "0", -EINVAL },
		{ "oracle podman/web", "per-hour", "3601", -EINVAL },
		{ "oracle podman/web", "twin", "x", -ENOENT },
		{ "oracle podman/[w]eb", "hardened", "x", -EILSEQ },
		{ "oracle podman/a-name-that-inih-would-cut-off-without-a-word", "hardened", "x",
		  -ENAMETOOLONG },
		{ "oracle", "trace", "/tmp/x", 0 },
		{ "oracle", "hardened", "x", -ENOENT },
		{ "oracles", "hardened", "x", 1 },
		{ "daemon", "state", "/x", 1 },
		{ "auto podman/web", "mode", "enforce", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oracle_config c = { 0 };
		int r = oracle_config_line(&c, rows[i].section, rows[i].key, rows[i].value);

		oracle_config_done(&c);
		if (r != rows[i].r)
			fail_msg("[%s] %s = %s: %d", rows[i].section, rows[i].key, rows[i].value,
				 r);
	}
}

static void set(struct oracle_config *c, const char *section, const char *key, const char *value)
{
	assert_int_equal(oracle_config_line(c, section, key, value), 0);
}

static void the_first_that_matches_speaks(void **state)
{
	struct oracle_config c = { 0 };
	const struct oracle_rule *rule;

	set(&c, "oracle podman/web", "hardened", "a");
	set(&c, "oracle podman/w*", "window", "3s"); /* without a twin: none for these */
	set(&c, "oracle podman/*", "hardened", "b");
	set(&c, "oracle podman/web", "window", "5s");
	rule = oracle_config_find(&c, "podman/web");
	assert_non_null(rule);
	assert_string_equal(rule->hardened, "a");
	assert_int_equal(rule->window_s, 5);
	assert_int_equal(rule->per_hour, ORACLE_PER_HOUR);
	assert_false(rule->bootstrap);
	assert_null(oracle_config_find(&c, "podman/worker"));
	rule = oracle_config_find(&c, "podman/db");
	assert_non_null(rule);
	assert_string_equal(rule->hardened, "b");
	assert_int_equal(rule->window_s, ORACLE_WINDOW_S);
	assert_null(oracle_config_find(&c, "systemd/web.service"));
	/* a twin has none of its own */
	assert_null(oracle_config_find(&c, "podman/tamis-oracle-db"));
	oracle_config_done(&c);
}

static void rules_are_bounded(void **state)
{
	struct oracle_config c = { 0 };
	char section[32];
	int r = 0;

	for (int i = 0; r == 0 && i <= ORACLE_RULES_MAX; i++) {
		snprintf(section, sizeof(section), "oracle podman/%d", i);
		r = oracle_config_line(&c, section, "hardened", "x");
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(c.cnt, ORACLE_RULES_MAX);
	oracle_config_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(the_first_that_matches_speaks),
		cmocka_unit_test(rules_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
