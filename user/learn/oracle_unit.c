/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Production is a unit of the system's systemd; the twin a transient one with production's user,
 * directories and environment that runs another command. What is left in `dir` of a twin, N its workload:
 * N.before, how it was before it was stopped, and N.log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle.h"
#include "learn/oracle_argv.h"
#include "learn/oracle_bus.h"
#include "learn/oracle_files.h"

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

/* --- the twin ----------------------------------------------------------------------------------- */

/* What makes it the same place for another program. */
static int add_copies(sd_bus *bus, sd_bus_message *m, const struct oracle_run *run)
{
	static const struct {
		const char *name, *type;
	} copies[] = {
		{ "User", "s" },
		{ "Group", "s" },
		{ "SupplementaryGroups", "as" },
		{ "WorkingDirectory", "s" },
		{ "RootDirectory", "s" },
		{ "Environment", "as" },
		{ "EnvironmentFiles", "a(sb)" },
		{ "RuntimeDirectory", "as" },
		{ "StateDirectory", "as" },
		{ "CacheDirectory", "as" },
		{ "LogsDirectory", "as" },
		{ "ConfigurationDirectory", "as" },
		{ "LimitNOFILE", "t" },
		{ "LimitNOFILESoft", "t" },
		{ "AmbientCapabilities", "t" },
		{ "CapabilityBoundingSet", "t" },
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(copies); i++)
		r = oracle_bus_copy(bus, m, production(run->o), copies[i].name, copies[i].type);
	return r;
}

static int add_own(sd_bus_message *m, const struct oracle_run *run, const char *log)
{
	_argv_ struct oracle_argv argv = { 0 };
	int r = oracle_argv_split(run->o->hardened, &argv);

	if (r >= 0)
		r = oracle_bus_exec(m, (const char *const *)argv.word);
	if (r >= 0)
		r = oracle_bus_text(m, "Description", "tamis: an oracle's twin");
	/* how it ended can be asked then */
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "RemainAfterExit", "b", 1);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", UINT64_C(10000000));
	return r < 0 ? r : oracle_bus_output(m, log, true);
}

static int begin_twin(sd_bus *bus, const struct oracle_run *run, const char *name)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *m = NULL;
	_free_ char *log = oracle_file(run->dir, run->o->workload, "log");
	int r = log ? oracle_bus_transient(bus, name, &m) : -ENOMEM;

	if (log)
		(void)unlink(log);
	if (r >= 0)
		r = add_own(m, run, log);
	if (r >= 0)
		r = add_copies(bus, m, run);
	return r < 0 ? r : oracle_bus_begin(bus, m);
}

/* 1: it is still there; 0: it is gone, also from systemd's memory. */
static int remove_twin(sd_bus *bus, const char *name)
{
	struct oracle_unit_state u = { 0 };
	int r = oracle_bus_state(bus, name, &u);

	if (r < 0)
		return r;
	if (u.is_failed)
		(void)oracle_bus_reset(bus, name);
	if (u.is_active)
		(void)oracle_bus_job(bus, "StopUnit", name);
	return u.is_gone ? 0 : 1;
}

static int go_twin(sd_bus *bus, struct oracle_run *run, const char *name)
{
	struct oracle_unit_state u = { 0 };
	int r;

	if (run->step == 0) {
		r = remove_twin(bus, name);
		if (r == 0)
			r = begin_twin(bus, run, name);
		else
			return r;
		run->step = 1;
		return r < 0 ? r : 1;
	}
	r = oracle_bus_state(bus, name, &u);
	return r < 0 ? r : u.is_moving ? 1 : 0;
}

/* 1: it runs. */
static int go_wait(sd_bus *bus, const char *name)
{
	struct oracle_unit_state u = { 0 };
	int r = oracle_bus_state(bus, name, &u);

	return r < 0 ? r : (u.is_active && u.has_main) || u.is_moving;
}

/* How it ended, before it is stopped. One that was asked before stays as it was then. */
static int note_twin(sd_bus *bus, const struct oracle_run *run, const char *name)
{
	_free_ char *path = oracle_file(run->dir, run->o->workload, "before");
	struct oracle_unit_state u = { 0 };
	char text[64];
	int r = path ? 0 : -ENOMEM;

	if (r < 0 || access(path, F_OK) == 0)
		return r;
	r = oracle_bus_state(bus, name, &u);
	if (r < 0 || u.is_gone)
		return r;
	snprintf(text, sizeof(text), "%d %d %d\n", u.is_active && u.has_main, u.killed, u.code);
	return file_replace(path, text, strlen(text), 0600);
}

static int go_untwin(sd_bus *bus, struct oracle_run *run, const char *name)
{
	int r = run->step == 0 ? note_twin(bus, run, name) : 0;

	if (r < 0)
		return r;
	run->step = 1;
	return remove_twin(bus, name);
}

/* --- production --------------------------------------------------------------------------------- */

/* A job is begun, and asked for until it is over. It may have failed: what production does under its
 * generation isn't for a start to say. */
static int go_job(sd_bus *bus, struct oracle_run *run, const char *method, bool stops)
{
	struct oracle_unit_state u = { 0 };
	int r;

	if (run->step == 0) {
		r = oracle_bus_job(bus, method, production(run->o));
		run->step = 1;
		return r < 0 ? r : 1;
	}
	r = oracle_bus_state(bus, production(run->o), &u);
	if (r < 0 || (stops && (u.is_gone || u.is_failed)))
		return r < 0 ? r : 0;
	if (stops)
		return u.is_active ? -EIO : 1;
	/* what says "ready" may never come to that under its generation */
	return u.is_moving && !u.has_main ? 1 : 0;
}

/* Whatever there is of a twin is in production's place. A first generation is in force from a new start
 * on only. */
static int go_start(sd_bus *bus, struct oracle_run *run, const char *twin)
{
	int r = run->step == 0 ? remove_twin(bus, twin) : 0;

	if (r != 0)
		return r;
	/* what ended too often isn't started any more */
	if (run->step == 0)
		(void)oracle_bus_reset(bus, production(run->o));
	return go_job(bus, run, run->o->loops ? "StartUnit" : "RestartUnit", false);
}

/* ------------------------------------------------------------------------------------------------ */

static int unit_go(struct oracle_run *run)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	_free_ char *twin = twin_name(run->o);
	int r = twin ? oracle_bus_open(&bus) : -ENOMEM;

	if (r < 0)
		return r;
	switch (run->action) {
	case ORACLE_DO_STOP:
		return go_job(bus, run, "StopUnit", true);
	case ORACLE_DO_START:
		return go_start(bus, run, twin);
	case ORACLE_DO_TWIN:
		return go_twin(bus, run, twin);
	case ORACLE_DO_WAIT_TWIN:
		return go_wait(bus, twin);
	default:
		return go_untwin(bus, run, twin);
	}
}

static int unit_twin(const struct store_oracle *o, const char *dir, struct oracle_twin *ret)
{
	_free_ char *path = oracle_file(dir, o->workload, "before"), *text = NULL;
	int running, killed, code;
	int r = path ? file_read_at(AT_FDCWD, path, 64, &text, NULL) : -ENOMEM;

	if (r < 0)
		return r;
	if (sscanf(text, "%d %d %d", &running, &killed, &code) != 3)
		return -ENOENT;
	*ret = (struct oracle_twin){
		.was_up = running || (!killed && code == 0),
		.ended = !running,
		.killed = !running && killed,
		.code = running ? 0 : code,
	};
	return oracle_file_log(dir, o->workload, ret);
}

static char *unit_twin_key(const struct store_oracle *o)
{
	return text_format("systemd/" ORACLE_TWIN_PREFIX "%s", production(o));
}

const struct oracle_engine oracle_unit = {
	.prefix = "unit:",
	.go = unit_go,
	.twin = unit_twin,
	.twin_key = unit_twin_key,
};
