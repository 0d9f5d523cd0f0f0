/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/oracle_wanted.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "apply/may.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/wayin.h"
#include "learn/oracle_bus.h"
#include "learn/oracle_child.h"
#include "learn/oracle_files.h"
#include "learn/oracle_podman.h"

#define ASK_S	   10
#define LOOK_US	   20000
#define ANSWER_MAX (4u << 20)

static bool is_engine(const struct store_row *row, const char *engine)
{
	return strcmp(row->engine ?: "", engine) == 0;
}

/* "podman/NAME": one that a user's podman runs has its uid there. */
static const char *name_of(const char *key, const char *engine)
{
	size_t len = strlen(engine);

	if (strncmp(key, engine, len) != 0 || key[len] != '/' || !key[len + 1] ||
	    strchr(key + len + 1, '/'))
		return NULL;
	return key + len + 1;
}

char *oracle_wanted_production(const struct store_row *row)
{
	const char *container = name_of(row->key, "podman"), *unit = name_of(row->key, "systemd");

	if (is_engine(row, "podman") && container)
		return text_format("container:%s", container);
	if (is_engine(row, "systemd") && unit)
		return text_format("unit:%s", unit);
	return NULL;
}

/* --- what the store knows ---------------------------------------------------------------------- */

static void take_first(void *ctx, const char *why)
{
	char **first = ctx;

	if (!*first)
		*first = strdup(why);
}

/* What has nothing to do with how much was learned. */
static char *may_not(const struct store_row *row)
{
	const struct evidence whole = { .starts = 1, .leaves = row->evidence.leaves };
	const struct may_in in = {
		.engine = row->engine,
		.key = row->key,
		.name = row->name,
		.evidence = &whole,
		.calls = 1,
		.why_not = row->why_not,
		.opted_out = row->opted_out,
	};
	char *why = NULL;

	(void)may_enforce(&in, take_first, &why);
	return why;
}

static char *not_ours(const struct store_row *row, const char *production)
{
	bool container = production && !strncmp(production, "container:", 10);

	if (strstr(row->key, "/~"))
		return strdup("what a user runs can't be stopped and started for them");
	if (!is_engine(row, "podman") && !is_engine(row, "systemd"))
		return text_format("an oracle stops and starts containers of podman's and units "
				   "of systemd's: none of %s",
				   row->engine ?: "an unknown engine");
	if (!production)
		return strdup("which container it is isn't known: --container NAME says it");
	if (container != is_engine(row, "podman"))
		return text_format("it is none of %s's", container ? "podman" : "systemd");
	return oracle_is_twin(row->key) ? strdup("it is a twin itself") : NULL;
}

char *oracle_wanted_refuses(const struct store_row *row, const char *production,
			    const char *hardened)
{
	char *why = not_ours(row, production);

	if (!why)
		why = may_not(row);
	if (!why && is_engine(row, "systemd") && *hardened != '/')
		why = strdup("the twin of a unit is a command, with its program's whole path");
	return why;
}

/* --- what podman knows -------------------------------------------------------------------------- */

static int wait_for(struct oracle_child *child)
{
	int code = -1;

	for (unsigned us = 0; us < ASK_S * 1000000u; us += LOOK_US) {
		if (oracle_child_ended(child, &code))
			return code == 0 ? 0 : -ENOENT;
		(void)usleep(LOOK_US);
	}
	return -ETIME;
}

static int ask(const char *name, const char *path)
{
	_cleanup_(oracle_child_free) struct oracle_child *child = NULL;
	_free_ char *podman = NULL;
	const struct oracle_child_out out = { path, false };
	int r = oracle_child_find("podman", &podman);
	const char *const argv[] = { podman, "inspect", "--type", "container", "--", name, NULL };

	if (r == 0)
		r = oracle_child_run(argv, &out, &child);
	return r < 0 ? r : wait_for(child);
}

static int inspect(const char *state, const struct store_row *row, const char *name,
		   struct oracle_inspected *ret)
{
	_free_ char *dir = NULL, *path = NULL, *text = NULL;
	size_t len = 0;
	int r = oracle_files_dir(state, &dir);

	if (r == 0 && !(path = oracle_file(dir, row->id, "asked")))
		r = -ENOMEM;
	if (r == 0)
		r = ask(name, path);
	if (r == 0)
		r = file_read_at(AT_FDCWD, path, ANSWER_MAX, &text, &len);
	if (path)
		(void)unlink(path);
	return r < 0 ? r : oracle_inspected_parse(text, len, ret);
}

/* Its own podman may look for hooks elsewhere. */
static bool has_own_hook(const struct oracle_argv *create)
{
	static const char option[] = "--hooks-dir";
	_argv_ struct oracle_argv global = { 0 };
	size_t len = strlen(option);
	bool found = false;

	if (oracle_argv_global(create, &global) < 0)
		return false;
	for (size_t i = 0; i < global.cnt && !found; i++) {
		const char *word = global.word[i];

		if (strncmp(word, option, len) == 0 && word[len] == '=')
			found = wayin_has_hook(word + len + 1);
		else if (strcmp(word, option) == 0 && i + 1 < global.cnt)
			found = wayin_has_hook(global.word[i + 1]);
	}
	return found;
}

static char *no_way_in(const struct store_row *row, const struct oracle_argv *create)
{
	const char *missing = wayin_missing("", row->engine, false);

	if (!missing || has_own_hook(create))
		return NULL;
	return text_format("no way into its starts is known here; '%s' makes one", missing);
}

/* --- what systemd knows -------------------------------------------------------------------------- */

static char *unit_refuses(const char *name)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = oracle_bus_open(&bus);

	if (r >= 0)
		r = oracle_bus_lasts(bus, name);
	if (r == -ENOENT)
		return text_format("systemd knows no unit \"%s\"", name);
	if (r < 0)
		return text_format("systemd can't be asked about \"%s\": %s", name, strerror(-r));
	return r ? NULL : strdup("it is a transient unit: once stopped it can't be started again");
}

/* ------------------------------------------------------------------------------------------------ */

char *oracle_wanted_asks(const char *state, const struct store_row *row, const char *production)
{
	_inspected_ struct oracle_inspected i = { 0 };
	const char *name = "", *why;
	int r;

	if (oracle_engine_of(production, &name) != &oracle_podman)
		return unit_refuses(name);
	r = inspect(state, row, name, &i);
	if (r == -ENOENT)
		return text_format("podman knows no container \"%s\"", name);
	if (r < 0)
		return text_format("podman can't be asked about \"%s\": %s", name, strerror(-r));
	why = oracle_podman_refuses(&i);
	return why ? strdup(why) : no_way_in(row, &i.create);
}
