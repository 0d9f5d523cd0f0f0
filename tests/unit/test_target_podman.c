/* SPDX-License-Identifier: Apache-2.0 */
/* What podman is asked for, by a podman that is made up: it notes its words, and what it says is files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/target_internal.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[] = "/tmp/tamis-test-podman.XXXXXX";

/* "fail-VERB" makes a verb fail with what is in it; the profile is kept as it was seen. */
static const char script[] =
	"#!/bin/sh\n"
	"cd "
	"${0%/*}"
	"\n"
	"shift\n"
	"echo \"$@\" | sed -E 's,/tmp/[^ ]*/,,g; s/(io.tamis.mine=)[0-9-]*/\\1T/' >>asked\n"
	"if [ -e fail-$1 ]; then cat fail-$1; exit 125; fi\n"
	"case $1 in\n"
	"create) echo " ID
	" >\"$3\"; for i; do case $i in seccomp=*) cp \"${i#*=}\" profile;; esac; done;;\n"
	"inspect) sed \"s/PID/$PPID/\" inspect;;\n"
	"ps) cat left;;\n"
	"logs) cat log;;\n"
	"esac\n";

static void put(const char *name, const char *text)
{
	assert_int_equal(file_write_atomic(name, text, strlen(text), 0755), 0);
}

static int setup(void **state)
{
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	put("podman", script);
	return 0;
}

static int teardown(void **state)
{
	_free_ char *command = text_format("rm -rf '%s'", dir);

	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void begin(void)
{
	static const char *const files[] = { "asked",	    "profile",	  "fail-image",
					     "fail-create", "fail-start", "fail-stop",
					     "fail-pull",   "fail-rm",	  "fail-ps" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	put("left", "");
	put("log", "");
	put("inspect", "[{\"State\": {\"Pid\": PID, \"ExitCode\": 3}, \"Config\": {}, "
		       "\"ImageName\": \"x\", \"Path\": \"/bin/x\"}]");
}

static char *asked(void)
{
	char *text = NULL;

	if (file_read("asked", 65536, &text, NULL) < 0)
		return strdup("");
	return text;
}

static int open_with(const char *const *options, struct target **ret, char **ret_why)
{
	_free_ char *program = text_format("%s/podman", dir);
	const char *const podman[] = { program, "--global", NULL };
	static const char *const command[] = { "serve", "it", NULL };
	const struct target_options o = {
		.kind = TARGET_IMAGE,
		.name = "web",
		.options = options,
		.command = command,
		.podman = podman,
		.stop_fd = -1,
		.limit_ms = 60000,
	};

	return target_new(&o, ret, ret_why);
}

static int open_image(struct target **ret, char **ret_why)
{
	static const char *const options[] = { "--network", "host", NULL };

	return open_with(options, ret, ret_why);
}

static void says(const char *expected)
{
	_free_ char *text = asked();

	assert_string_equal(text, expected);
}

static void a_life(void **state)
{
	struct target *t = NULL;
	struct target_facts f;
	char *why = NULL;
	_free_ char *tmp = NULL, *profile = NULL, *path = NULL;

	begin();
	assert_int_equal(open_image(&t, &why), 0);
	tmp = strdup(target_dir(t));
	assert_int_equal(target_start(t, "a profile", &why), 0);
	assert_int_equal(target_look(t, &f), 0);
	assert_string_equal(f.id, ID);
	assert_int_equal(f.pid, getpid());
	assert_string_equal(f.program, "x");
	assert_int_equal(target_runs(t, NULL), 1);
	assert_int_equal(file_read("profile", 100, &profile, NULL), 0);
	assert_string_equal(profile, "a profile");
	assert_int_equal(target_restart(t, &why), 0);
	assert_int_equal(target_start(t, NULL, &why), 0);
	assert_int_equal(target_stop(t, &why), 0);
	assert_int_equal(target_look(t, &f), -ESRCH);
	path = text_format("/libpod_parent/libpod-%s/container", ID);
	assert_true(target_owns(t, path));
	assert_false(target_owns(t, "/libpod_parent/libpod-0123"));
	target_free(t);
	says("image exists web\n"
	     "create --cidfile 1.cid --label io.tamis.mine=T --log-driver k8s-file --security-opt "
	     "seccomp=profile.json --pull never --network host web serve it\n"
	     "start " ID "\ninspect --type container " ID "\n"
	     "stop -i " ID "\nrm -f -v -i -t 0 " ID "\n"
	     "create --cidfile 2.cid --label io.tamis.mine=T --log-driver k8s-file --security-opt "
	     "seccomp=profile.json --pull never --network host web serve it\n"
	     "start " ID "\ninspect --type container " ID "\n"
	     "create --cidfile 3.cid --label io.tamis.mine=T --log-driver k8s-file --pull never "
	     "--network host web serve it\n"
	     "start " ID "\ninspect --type container " ID "\n"
	     "stop -i " ID "\nrm -f -v -i -t 0 " ID "\n"
	     "ps -aq --no-trunc --filter label=io.tamis.mine=T\n");
	assert_int_equal(access(tmp, F_OK), -1);
}

static void what_fails_is_said(void **state)
{
	static const struct {
		const char *verb, *why;
	} rows[] = {
		{ "create", "podman create: no space left" },
		{ "start", "podman start: no space left" },
		{ "inspect", "podman doesn't know its container any more" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *fail = text_format("fail-%s", rows[i].verb), *tmp = NULL;
		struct target *t = NULL;
		char *why = NULL;

		begin();
		put(fail, "Warning: this\nError: no space left\n\n");
		put("left", ID "\n");
		assert_int_equal(open_image(&t, &why), 0);
		tmp = strdup(target_dir(t));
		assert_true(target_start(t, "p", &why) < 0);
		assert_string_equal(why, rows[i].why);
		free(why);
		target_free(t);
		assert_int_equal(access(tmp, F_OK), -1);
		assert_int_equal(unlink(fail), 0);
		_free_ char *text = asked();
		assert_non_null(strstr(text, "rm -f -v -i -t 0 " ID "\n"));
	}
}

static void an_image_that_is_nowhere(void **state)
{
	struct target *t = NULL;
	char *why = NULL;

	begin();
	put("fail-image", "");
	put("fail-pull", "Trying\nError: initializing source: no such host\n");
	assert_int_equal(open_image(&t, &why), -ENOENT);
	assert_string_equal(why, "no such image: podman pull: initializing source: no such host");
	free(why);
	says("image exists web\npull -q web\n");
	begin();
	put("fail-image", "");
	assert_int_equal(open_image(&t, &why), 0);
	target_free(t);
	says("image exists web\npull -q web\n");
}

static void what_stays_is_said(void **state)
{
	struct target *t = NULL;
	char *why = NULL;

	begin();
	assert_int_equal(open_image(&t, &why), 0);
	assert_int_equal(target_start(t, NULL, &why), 0);
	put("fail-rm", "Error: it is stuck\n");
	put("left", ID "\n");
	assert_int_equal(target_stop(t, &why), -EIO);
	assert_string_equal(why, "podman rm: it is stuck");
	free(why);
	why = NULL;
	assert_int_equal(target_clean(t, &why), -EIO);
	assert_non_null(strstr(why, "podman rm: it is stuck; a container may be left: podman ps -a "
				    "--filter label=io.tamis.mine="));
	free(why);
	target_free(t);
}

/* podman takes the last one: nothing would be enforced. */
static void a_profile_of_its_own(void **state)
{
	static const char *const options[] = { "--security-opt",
					       "seccomp=unconfined",
					       "--security-opt=seccomp=other",
					       "--security-opt",
					       "label=disable",
					       "-e",
					       "seccomp=x",
					       NULL };
	static const struct {
		const char *profile, *words;
	} rows[] = {
		{ "p", "--log-driver k8s-file --security-opt seccomp=profile.json --pull never "
		       "--security-opt label=disable -e seccomp=x web serve it\n" },
		{ NULL,
		  "--log-driver k8s-file --pull never --security-opt seccomp=unconfined "
		  "--security-opt=seccomp=other --security-opt label=disable -e seccomp=x web "
		  "serve it\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *text = NULL;
		struct target *t = NULL;
		char *why = NULL;

		begin();
		assert_int_equal(open_with(options, &t, &why), 0);
		assert_int_equal(target_start(t, rows[i].profile, &why), 0);
		target_free(t);
		text = asked();
		if (!strstr(text, rows[i].words))
			fail_msg("%s", text);
	}
}

/* An option took away the label by which it is found. */
static void one_that_is_not_listed(void **state)
{
	_free_ char *text = NULL;
	struct target *t = NULL;
	char *why = NULL;

	begin();
	assert_int_equal(open_image(&t, &why), 0);
	assert_int_equal(target_start(t, NULL, &why), 0);
	assert_int_equal(target_clean(t, &why), 0);
	target_free(t);
	text = asked();
	assert_non_null(strstr(text, "rm -f -v -i -t 0 " ID "\n"));
}

/* A name out of an image, say. */
static void sentences_are_bounded(void **state)
{
	_free_ char *large = malloc(200001);
	struct target *t = NULL;
	char *why = NULL;

	begin();
	memset(large, 'x', 200000);
	large[200000] = '\0';
	put("fail-start", large);
	assert_int_equal(open_image(&t, &why), 0);
	assert_int_equal(target_start(t, NULL, &why), -EIO);
	assert_in_range(strlen(why), 500, 600);
	free(why);
	target_free(t);
}

static void logs_are_bounded(void **state)
{
	_free_ char *large = malloc(200001), *log = NULL;
	struct target *t = NULL;
	char *why = NULL;

	begin();
	memset(large, 'x', 200000);
	large[200000] = '\0';
	large[199999] = '!';
	put("log", large);
	assert_int_equal(open_image(&t, &why), 0);
	assert_int_equal(target_start(t, NULL, &why), 0);
	assert_int_equal(target_log(t, &log), 0);
	assert_int_equal(strlen(log), 65536);
	assert_string_equal(log + 65535, "!");
	assert_int_equal(target_healthy(t), -ENOENT);
	target_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life),
		cmocka_unit_test(what_fails_is_said),
		cmocka_unit_test(an_image_that_is_nowhere),
		cmocka_unit_test(what_stays_is_said),
		cmocka_unit_test(a_profile_of_its_own),
		cmocka_unit_test(one_that_is_not_listed),
		cmocka_unit_test(sentences_are_bounded),
		cmocka_unit_test(logs_are_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
