/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's options, from the command line and from its file. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/daemon.h"

#define _options_ __attribute__((cleanup(daemon_options_donep)))

static void values_are_bounded(void **state)
{
	static const struct {
		const char *key, *value;
		int r;
	} rows[] = {
		{ "interval", "0.01", 0 },
		{ "interval", "0.001", -EINVAL },
		{ "interval", "3601", -EINVAL },
		{ "interval", "nan", -EINVAL },
		{ "duty", "on", 0 },
		{ "duty", "1", 0 },
		{ "duty", "99", 0 },
		{ "duty", "0", -EINVAL },
		{ "duty", "100", -EINVAL },
		{ "duty", "5%", -EINVAL },
		{ "duty", "", -EINVAL },
		{ "duty-sample", "3600", 0 },
		{ "duty-sample", "0", -EINVAL },
		{ "duty-sample", "3601", -EINVAL },
		{ "unit", "86400", 0 },
		{ "unit", "0", -EINVAL },
		{ "unit", "86401", -EINVAL },
		{ "map-entries", "16777216", 0 },
		{ "map-entries", "16777217", -EINVAL },
		{ "cache-slots", "512", 0 },
		{ "cache-slots", "500", -EINVAL },
		{ "pin", "no", 0 },
		{ "pin", "maybe", -EINVAL },
		{ "service", "ssh", 0 },
		{ "service", "a/b", -EINVAL },
		{ "watch", "", -EINVAL },
		{ "fold-after", "7d", -ENOENT }, /* another section's */
		{ "nothing", "1", -ENOENT },
	};
	_options_ struct daemon_options o = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(daemon_option(&o, rows[i].key, rows[i].value), rows[i].r);
	assert_int_equal(o.duty, 99);
	assert_int_equal(o.duty_sample_s, 3600);
	assert_int_equal(daemon_option(&o, "duty", "off"), 0);
	assert_int_equal(o.duty, 0);
	assert_int_equal(o.unit_s, 86400);
	assert_true(o.no_pin);
	assert_int_equal(o.watch_cnt, 1);
	assert_string_equal(o.watch[0], "*/ssh.service");
}

static void old_units_are_days_away(void **state)
{
	static const struct {
		const char *key, *value;
		int r;
	} rows[] = {
		{ "fold-after", "1d", 0 },
		{ "fold-after", "24h", 0 },
		{ "fold-after", "23h", -EINVAL },
		{ "fold-after", "0d", -EINVAL },
		{ "fold-after", "7", -EINVAL },
		{ "fold-after", "", -EINVAL },
		{ "gone-for", "90d", 0 },
		{ "gone-for", "1h", -EINVAL },
		{ "gone-for", "nevermore", -EINVAL },
		{ "unit", "60", -ENOENT },
	};
	_options_ struct daemon_options o = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(daemon_store_option(&o, rows[i].key, rows[i].value), rows[i].r);
	assert_int_equal(o.fold_s, 86400);
	assert_int_equal(o.gone_s, 90 * 86400);
	assert_int_equal(daemon_store_option(&o, "fold-after", "never"), 0);
	assert_int_equal(daemon_store_option(&o, "gone-for", "never"), 0);
	assert_int_equal(o.fold_s + o.gone_s, 0);
}

static int read_text(struct daemon_options *o, const char *text)
{
	char path[] = "/tmp/tamis-config-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = daemon_config(o, path);
	unlink(path);
	return r;
}

/* What a bad line says is another test's; here it must not fill the output. */
static int read_quietly(struct daemon_options *o, const char *text)
{
	int err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY), r;

	dup2(null, STDERR_FILENO);
	r = read_text(o, text);
	dup2(err, STDERR_FILENO);
	close(err);
	close(null);
	return r;
}

static void files_have_sections(void **state)
{
	_options_ struct daemon_options o = { .fold_s = DAEMON_FOLD_S };

	assert_int_equal(daemon_config(&o, "/nonexistent/tamis.conf"), -ENOENT);
	assert_int_equal(read_text(&o, "[others]\nwhatever = 1\n"), 0);
	assert_int_equal(o.fold_s, 7 * 86400);
	assert_int_equal(o.gone_s, 0);
	assert_int_equal(read_text(&o, "[daemon]\nstate = /s\nunit = 30\nwatch = /a*\nwatch = /b*\n"
				       "[store]\nfold-after = 2d\ngone-for = 8w\n"),
			 0);
	assert_string_equal(o.state, "/s");
	assert_int_equal(o.unit_s, 30);
	assert_int_equal(o.watch_cnt, 2);
	assert_int_equal(o.fold_s, 2 * 86400);
	assert_int_equal(o.gone_s, 56 * 86400);
	assert_int_equal(read_quietly(&o, "[store]\nfold-after = 1h\n"), -EINVAL);
	assert_int_equal(read_quietly(&o, "[daemon]\nfold-after = 7d\n"), -EINVAL);
	assert_int_equal(read_quietly(&o, "[daemon\n"), -EINVAL);
}

static void what_is_applied_is_in_the_same_file(void **state)
{
	_options_ struct daemon_options o = { 0 };

	assert_int_equal(read_text(&o, "[apply]\ntrial = 5\n[auto podman/*]\nmode = shadow\n"
				       "[daemon]\nunit = 30\n"),
			 0);
	assert_int_equal(o.apply.trial_s, 5);
	assert_int_equal(o.apply.rules.cnt, 1);
	assert_string_equal(o.apply.rules.rule[0].pattern, "podman/*");
	assert_int_equal(o.unit_s, 30);
	assert_int_equal(read_quietly(&o, "[apply]\ntrial = soon\n"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(old_units_are_days_away),
		cmocka_unit_test(files_have_sections),
		cmocka_unit_test(what_is_applied_is_in_the_same_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
