/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime for engines: reads what it is asked for, exchanges the profile in config.json where that
 * is a start, and becomes the real runtime. Standard output and all else belongs to that one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/runtime_conf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "start/argv.h"
#include "start/ask.h"
#include "start/config_file.h"
#include "start/guard.h"
#include "start/report.h"
#include "start/spec.h"
#include "start/start.h"

/* Seconds that this process gives itself before it becomes the runtime whatever it was at. */
#define PATIENCE 4

#define NO_RUNTIME 127
#define TRIES	   3

static char *runtime;
static char **runtime_argv;

/* Where a runtime is looked for when PATH.conf can't be believed. */
static const char *const known_dirs[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin",
					  "/usr/local/sbin" };

static void become_runtime(void)
{
	guard_drop();
	execv(runtime, runtime_argv);
}

static void give_up(void)
{
	guard_report();
	become_runtime();
	_exit(NO_RUNTIME);
}

/* --- which runtime ----------------------------------------------------------------------- */

static bool is_self(const char *path, const char *self)
{
	struct stat a, b;

	return stat(path, &a) == 0 && stat(self, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* "tamis-runc" stands for runc. */
static char *find_runtime(const char *self)
{
	const char *slash = strrchr(self, '/'), *name = slash ? slash + 1 : self;

	if (strncmp(name, "tamis-", 6) == 0)
		name += 6;
	for (size_t i = 0; i < ARRAY_SIZE(known_dirs); i++) {
		char *path = text_format("%s/%s", known_dirs[i], name);

		if (path && access(path, X_OK) == 0 && !is_self(path, self))
			return path;
		free(path);
	}
	return NULL;
}

/* What is wrong with the configuration (caller frees), or NULL. `runtime` is set in any case. */
static char *choose_runtime(const char *self, struct runtime_conf *c)
{
	char *why = NULL;
	int r = runtime_conf_read(self, c, &why);

	/* nobody else may know which runtime: it may have been short for a moment */
	for (int i = 0; i < TRIES && r == -ENOMEM; i++) {
		free(TAKE_PTR(why));
		r = runtime_conf_read(self, c, &why);
	}
	if (r == 0 && is_self(c->runtime, self)) {
		r = -ELOOP;
		why = text_format("%s.conf: the runtime is this program itself", self);
	}
	runtime = r == 0 ? c->runtime : find_runtime(self);
	if (r < 0 && !why)
		why = text_format("%s.conf: %s", self, strerror(-r));
	return why;
}

/* --- a start ----------------------------------------------------------------------------- */

static void left(const struct start_options *o, const struct identity_start *s, const char *what,
		 const char *why)
{
	_free_ char *line =
		text_format("%s: %s; started under the engine's own profile", what, why);

	if (line)
		ask_report(o, s, line);
}

static void exchange(const struct start_options *o, const struct runtime_call *call)
{
	__attribute__((cleanup(config_file_done))) struct config_file b = { .dir = -1 };
	struct identity_start s = { .id = call->id, .systemd = call->systemd };
	_free_ char *text = NULL;
	const char *fault = NULL;
	size_t len = 0;
	int r = config_file_open(call->bundle, call->config, SPEC_MAX, &b);

	if (r < 0) {
		left(o, NULL, call->bundle, strerror(-r));
		return;
	}
	s.text = b.text;
	s.len = b.len;
	s.bundle = b.path;
	r = ask_spec(o, &s, &text, &len, &fault);
	if (r > 0)
		r = config_file_replace(&b, text, len);
	if (r < 0)
		left(o, &s, "config.json", strerror(-r));
	else if (fault)
		left(o, &s, "the worker", fault);
}

static bool is_doubtful(const struct runtime_call *c)
{
	return c->command &&
	       (strcmp(c->command, "create") == 0 || strcmp(c->command, "run") == 0) &&
	       !runtime_call_starts(c);
}

static void prepare(int argc, char **argv, const struct runtime_conf *c, const char *why)
{
	const struct start_options o = { .state = c->state ? c->state : START_STATE,
					 .runtime = runtime };
	struct runtime_call call;

	runtime_call_read(argc, argv, &call);
	if (!runtime_call_starts(&call) && !is_doubtful(&call))
		return;
	guard_set(give_up, PATIENCE);
	report_to(o.state, "tamis-start");
	if (why)
		left(&o, NULL, runtime, why);
	else if (is_doubtful(&call))
		left(&o, NULL, call.command, "the command line is not understood");
	else
		exchange(&o, &call);
}

int start_wrapper(const char *self, int argc, char **argv)
{
	struct runtime_conf c = { 0 };
	char *why = choose_runtime(self, &c);

	if (!runtime) {
		report_to(NULL, "tamis-start");
		report_fault(NULL, "%s", why ? why : "no runtime");
		return NO_RUNTIME;
	}
	if (argc > 0)
		argv[0] = runtime;
	runtime_argv = argv;
	prepare(argc, argv, &c, why);
	become_runtime();
	report_to(NULL, "tamis-start");
	report_fault(NULL, "%s: %s", runtime, strerror(errno));
	return NO_RUNTIME;
}
