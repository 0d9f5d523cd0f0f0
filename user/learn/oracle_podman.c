/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Production is a container of root's podman, by its name; the twin one that is made by production's own
 * command line, with another image or another command. What is left in `dir` of a twin, N its workload:
 * N.before and N.after, which `podman inspect` said of it before and after it was stopped, and N.log.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle.h"
#include "learn/oracle_child.h"
#include "learn/oracle_files.h"
#include "learn/oracle_podman.h"

#define INSPECT_MAX (4u << 20)
#define LINES	    "20000" /* of its log */

static const struct oracle_child_out nowhere;

/* --- what inspect says ------------------------------------------------------------------------ */

void oracle_inspected_done(struct oracle_inspected *i)
{
	oracle_argv_done(&i->create);
	free(i->unit);
	*i = (struct oracle_inspected){ 0 };
}

static int read_create(const json_t *config, struct oracle_argv *ret)
{
	const json_t *words = json_object_get(config, "CreateCommand");
	size_t i;
	json_t *word;
	int r = 0;

	json_array_foreach(words, i, word)
	{
		const char *text = json_string_value(word);

		r = text ? oracle_argv_add(ret, text) : -EINVAL;
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_container(const json_t *container, struct oracle_inspected *ret)
{
	const json_t *config = json_object_get(container, "Config");
	const json_t *state = json_object_get(container, "State");
	const json_t *host = json_object_get(container, "HostConfig");
	const char *unit = json_string_value(
		json_object_get(json_object_get(config, "Labels"), "PODMAN_SYSTEMD_UNIT"));

	if (!json_is_object(config) || !json_is_object(state))
		return -EINVAL;
	ret->running = json_is_true(json_object_get(state, "Running"));
	ret->code = (int)json_integer_value(json_object_get(state, "ExitCode"));
	ret->removes_self = json_is_true(json_object_get(host, "AutoRemove"));
	if (unit && !(ret->unit = strdup(unit)))
		return -ENOMEM;
	return read_create(config, &ret->create);
}

int oracle_inspected_parse(const char *text, size_t len, struct oracle_inspected *ret)
{
	_inspected_ struct oracle_inspected i = { 0 };
	json_t *json = json_loadb(text, len, 0, NULL);
	int r = json_array_size(json) == 1 ? read_container(json_array_get(json, 0), &i) : -EINVAL;

	json_decref(json);
	if (r < 0)
		return r;
	*ret = i;
	i = (struct oracle_inspected){ 0 };
	return 0;
}

const char *oracle_podman_refuses(const struct oracle_inspected *i)
{
	_argv_ struct oracle_argv twin = { 0 };

	if (i->unit)
		return "systemd starts it by a unit of its own, which would start it again";
	if (i->removes_self)
		return "it was made with --rm: stopped, it is gone";
	if (i->create.cnt == 0)
		return "podman doesn't know the command line that it was made with";
	if (oracle_argv_twin(&i->create, "x", "x", true, &twin) < 0)
		return "the command line that it was made with can't be read";
	return NULL;
}

/* --- steps -------------------------------------------------------------------------------------- */

static const char *production(const struct store_oracle *o)
{
	const char *name = "";

	(void)oracle_engine_of(o->production, &name);
	return name;
}

static char *twin_name(const struct store_oracle *o)
{
	return text_format(ORACLE_TWIN_PREFIX "%s", production(o));
}

static char *file_of(const struct oracle_run *run, const char *what)
{
	return oracle_file(run->dir, run->o->workload, what);
}

static int read_inspected(const char *path, struct oracle_inspected *ret)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = path ? file_read_at(AT_FDCWD, path, INSPECT_MAX, &text, &len) : -ENOMEM;

	return r < 0 ? r : oracle_inspected_parse(text, len, ret);
}

/* podman with production's own global options, which say where it is and what runs it; then `words`. 1,
 * or negative errno. */
static int begin(struct oracle_run *run, const struct oracle_argv *create,
		 const struct oracle_argv *words, const struct oracle_child_out *out)
{
	_argv_ struct oracle_argv argv = { 0 };
	_free_ char *podman = NULL;
	int r = oracle_child_find("podman", &podman);

	if (r == 0)
		r = oracle_argv_add(&argv, podman);
	if (r == 0 && create)
		r = oracle_argv_global(create, &argv);
	if (r == 0)
		r = oracle_argv_adds(&argv, (const char *const *)words->word);
	if (r == 0)
		r = oracle_child_run((const char *const *)argv.word, out, &run->child);
	return r < 0 ? r : 1;
}

/* The same for a few words of which the last one is hostile. */
static int begin_words(struct oracle_run *run, const struct oracle_argv *create,
		       const char *const *words, const char *name,
		       const struct oracle_child_out *out)
{
	_argv_ struct oracle_argv argv = { 0 };
	int r = oracle_argv_adds(&argv, words);

	if (r == 0)
		r = oracle_argv_add(&argv, "--");
	if (r == 0)
		r = oracle_argv_add(&argv, name);
	return r < 0 ? r : begin(run, create, &argv, out);
}

static int inspect(struct oracle_run *run, const char *name, const char *what)
{
	static const char *const words[] = { "inspect", "--type", "container", NULL };
	_free_ char *path = file_of(run, what);
	const struct oracle_child_out out = { path, false };

	return name && path ? begin_words(run, NULL, words, name, &out) : -ENOMEM;
}

/* What the inspect of production said, which was the first step. */
static int inspected(struct oracle_run *run, struct oracle_inspected *ret)
{
	_free_ char *path = file_of(run, "production");

	if (run->code != 0)
		return -ENOENT;
	return read_inspected(path, ret);
}

static const char *const stop_words[] = { "stop", "-t", "10", NULL };

/* A command of production, with its options. */
static int begin_inspected(struct oracle_run *run, const char *const *words)
{
	_inspected_ struct oracle_inspected i = { 0 };
	int r = inspected(run, &i);

	return r < 0 ? r : begin_words(run, &i.create, words, production(run->o), &nowhere);
}

/* An action of two steps: production as it is now, then one command. */
static int go_once(struct oracle_run *run, const char *const *words)
{
	if (run->step == 0)
		return inspect(run, production(run->o), "production");
	if (run->step > 1)
		return run->code == 0 ? 0 : -EIO;
	return begin_inspected(run, words);
}

static int go_stop(struct oracle_run *run)
{
	return go_once(run, stop_words);
}

/* Whatever there is of a twin is in production's place. A first generation is in force from a new start
 * on only. That is a stop and a start: `podman restart` leaves the root file system mounted where it
 * was, which may be a mount namespace that isn't this one's. */
static int go_start(struct oracle_run *run)
{
	static const char *const rm[] = { "rm", "-f", "-v", "-i", "-t", "0", NULL };
	static const char *const start[] = { "start", NULL };
	_free_ char *twin = twin_name(run->o);
	bool anew = run->o->loops == 0;

	if (!twin)
		return -ENOMEM;
	switch (run->step) {
	case 0:
		return begin_words(run, NULL, rm, twin, &nowhere);
	case 1:
		return inspect(run, production(run->o), "production");
	case 2:
		return begin_inspected(run, anew ? stop_words : start);
	default:
		if (run->code != 0)
			return -EIO;
		return anew && run->step == 3 ? begin_inspected(run, start) : 0;
	}
}

static int go_twin(struct oracle_run *run)
{
	_inspected_ struct oracle_inspected i = { 0 };
	_argv_ struct oracle_argv argv = { 0 };
	_free_ char *name = twin_name(run->o);
	_free_ char *path = file_of(run, "run");
	const struct oracle_child_out out = { path, true };
	int r;

	if (run->step == 0)
		return inspect(run, production(run->o), "production");
	if (run->step > 1)
		return run->code == 0 ? 0 : -EIO;
	r = name && path ? inspected(run, &i) : -ENOMEM;
	if (r == 0)
		r = oracle_argv_twin(&i.create, name, run->o->hardened, run->o->is_image, &argv);
	return r < 0 ? r : begin(run, &i.create, &argv, &out);
}

static int go_wait(struct oracle_run *run)
{
	static const char *const words[] = { "wait", NULL };
	_free_ char *name = twin_name(run->o);

	if (run->step > 0)
		return 0;
	return name ? begin_words(run, NULL, words, name, &nowhere) : -ENOMEM;
}

/* An action that was done before, or in part, leaves what is known. */
static bool is_known(const struct oracle_run *run, const char *what)
{
	_inspected_ struct oracle_inspected i = { 0 };
	_free_ char *path = file_of(run, what);

	return read_inspected(path, &i) == 0;
}

static int go_untwin(struct oracle_run *run)
{
	static const char *const stop[] = { "stop", "-i", "-t", "10", NULL };
	static const char *const logs[] = { "logs", "--tail", LINES, NULL };
	static const char *const rm[] = { "rm", "-f", "-v", "-i", "-t", "0", NULL };
	_free_ char *name = twin_name(run->o);
	_free_ char *log = file_of(run, "log");
	const struct oracle_child_out out = { log, true };

	if (!name || !log)
		return -ENOMEM;
	if (run->step == 0 && is_known(run, "after"))
		run->step = 4;
	if (run->step == 0 && is_known(run, "before"))
		run->step = 1;
	switch (run->step) {
	case 0:
		return inspect(run, name, "before");
	case 1:
		return begin_words(run, NULL, stop, name, &nowhere);
	case 2:
		return begin_words(run, NULL, logs, name, &out);
	case 3:
		return inspect(run, name, "after");
	case 4:
		return begin_words(run, NULL, rm, name, &nowhere);
	default:
		return run->code == 0 ? 0 : -EIO;
	}
}

static int podman_go(struct oracle_run *run)
{
	switch (run->action) {
	case ORACLE_DO_STOP:
		return go_stop(run);
	case ORACLE_DO_START:
		return go_start(run);
	case ORACLE_DO_TWIN:
		return go_twin(run);
	case ORACLE_DO_WAIT_TWIN:
		return go_wait(run);
	default:
		return go_untwin(run);
	}
}

/* --- afterwards --------------------------------------------------------------------------------- */

/* A container's exit code is 128 and the signal that its first process died by. */
static int podman_twin(const struct store_oracle *o, const char *dir, struct oracle_twin *ret)
{
	_inspected_ struct oracle_inspected before = { 0 }, after = { 0 };
	_free_ char *first = oracle_file(dir, o->workload, "before");
	_free_ char *last = oracle_file(dir, o->workload, "after");
	int r = read_inspected(first, &before);

	if (r == 0)
		r = read_inspected(last, &after);
	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? -ENOENT : r;
	*ret = (struct oracle_twin){
		.was_up = before.running || after.code == 0,
		.ended = !before.running,
		.killed = after.code > 128 && after.code < 128 + 65,
		.code = after.code,
	};
	if (ret->killed)
		ret->code -= 128;
	return oracle_file_log(dir, o->workload, ret);
}

static char *podman_twin_key(const struct store_oracle *o)
{
	return text_format("podman/" ORACLE_TWIN_PREFIX "%s", production(o));
}

const struct oracle_engine oracle_podman = {
	.prefix = "container:",
	.go = podman_go,
	.twin = podman_twin,
	.twin_key = podman_twin_key,
};
