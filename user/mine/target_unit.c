/* SPDX-License-Identifier: Apache-2.0 */
/* A unit: restarted where it is. A policy that is tried is a drop-in below /run, which no boot sees. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle_bus.h"
#include "mine/stop.h"
#include "mine/target_internal.h"

#define SYSTEMD	 "org.freedesktop.systemd1"
#define DROP_IN	 "zzz-tamis-mine.conf" /* behind the one that `tamis apply` makes */
#define POLL_MS	 50
#define CLEAN_MS 30000

static int fail(int r, char **ret_why, const char *what)
{
	return r == -EINTR ? r : text_why(r, ret_why, "%s: %s", what, strerror(-r));
}

/* --- systemd -------------------------------------------------------------------------------- */

static int reload(sd_bus *bus)
{
	int r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
				   "Reload", NULL, NULL, "");

	return r < 0 ? r : 0;
}

static int main_pid(sd_bus *bus, const char *unit, pid_t *ret)
{
	_free_ char *path = NULL;
	uint32_t pid = 0;
	int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Service", "MainPID",
						NULL, 'u', &pid);
	if (r < 0)
		return r;
	*ret = (pid_t)pid;
	return 0;
}

/* A job, until systemd is done with it. */
static int job(sd_bus *bus, const struct target *t, const char *method, int64_t limit_ms,
	       int stop_fd)
{
	int64_t end = run_now_ms() + limit_ms;
	struct oracle_unit_state state = { 0 };
	int r = oracle_bus_job(bus, method, t->o.name);

	while (r == 0) {
		r = oracle_bus_state(bus, t->o.name, &state);
		if (r < 0 || !state.is_moving)
			break;
		r = run_now_ms() > end ? -ETIMEDOUT : stop_sleep(stop_fd, POLL_MS);
	}
	return r;
}

/* --- the drop-in ---------------------------------------------------------------------------- */

static int put_drop_in(struct target *t, const char *text)
{
	_free_ char *dir = strdup(t->drop_in);
	int r = dir ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	*strrchr(dir, '/') = '\0';
	r = file_mkdirs(dir, 0755);
	return r < 0 ? r : file_replace(t->drop_in, text, strlen(text), 0644);
}

static bool remove_drop_in(struct target *t)
{
	_free_ char *dir = t->drop_in ? strdup(t->drop_in) : NULL;

	if (!dir || unlink(t->drop_in) < 0)
		return false;
	*strrchr(dir, '/') = '\0';
	(void)rmdir(dir);
	return true;
}

/* --- the kind ------------------------------------------------------------------------------- */

static int open_unit(struct target *t, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	_free_ char *owned = text_format("/%s", t->o.name);
	struct oracle_unit_state state = { 0 };
	int r = oracle_bus_open(&bus);

	if (r < 0)
		return fail(r, ret_why, "systemd can't be asked");
	if (strchr(t->o.name, '/') || !owned)
		return text_why(-EINVAL, ret_why, "that is no unit's name");
	r = oracle_bus_state(bus, t->o.name, &state);
	if (r == -ENOENT || (r == 0 && state.is_gone))
		return text_why(-ENOENT, ret_why, "no such unit");
	t->was_active = state.is_active;
	t->drop_in = text_format("/run/systemd/system/%s.d/" DROP_IN, t->o.name);
	if (r == 0)
		r = t->drop_in ? oracle_argv_add(&t->owned, owned) : -ENOMEM;
	return r < 0 ? fail(r, ret_why, t->o.name) : 0;
}

static int start_unit(struct target *t, const char *profile, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = oracle_bus_open(&bus);

	t->starts++;
	if (r == 0)
		r = profile ? put_drop_in(t, profile) : (remove_drop_in(t), 0);
	if (r == 0)
		r = reload(bus);
	if (r == 0)
		(void)oracle_bus_reset(bus, t->o.name);
	if (r == 0)
		r = job(bus, t, "RestartUnit", t->o.limit_ms, t->o.stop_fd);
	if (r == 0)
		r = main_pid(bus, t->o.name, &t->pid);
	return r < 0 ? fail(r, ret_why, t->o.name) : 0;
}

static int stop_unit(struct target *t, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = oracle_bus_open(&bus);

	if (r == 0)
		r = job(bus, t, "StopUnit", t->o.limit_ms, t->o.stop_fd);
	return r < 0 ? fail(r, ret_why, t->o.name) : 0;
}

/* As it was before. */
static int clean_unit(struct target *t, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	bool had = remove_drop_in(t);
	int r;

	if (!t->drop_in || (!had && !t->starts))
		return 0;
	r = oracle_bus_open(&bus);
	if (r == 0)
		r = reload(bus);
	if (r == 0)
		(void)oracle_bus_reset(bus, t->o.name);
	if (r == 0)
		r = job(bus, t, t->was_active ? "RestartUnit" : "StopUnit", CLEAN_MS, -1);
	return r < 0 ? fail(r, ret_why, "it isn't as it was before") : 0;
}

static int status_of_unit(struct target *t)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	struct oracle_unit_state state = { 0 };

	if (oracle_bus_open(&bus) < 0 || oracle_bus_state(bus, t->o.name, &state) < 0)
		return 255;
	return state.killed ? 128 + state.code : state.code;
}

static int exec_in_unit(struct target *t, const char *const *argv, int64_t limit_ms,
			struct run_result *ret)
{
	_free_ char *pid = text_format("%d", (int)t->pid);
	const char *const enter[] = { "nsenter", "-m", "-t", pid, "--", NULL };
	_argv_ struct oracle_argv words = { 0 };
	struct run_options o = { .limit_ms = limit_ms, .stop_fd = t->o.stop_fd };
	int r = pid ? oracle_argv_adds(&words, enter) : -ENOMEM;

	if (r == 0)
		r = oracle_argv_adds(&words, argv);
	o.argv = (const char *const *)words.word;
	return r < 0 ? r : run_program(&o, ret);
}

static int log_of_unit(struct target *t, char **ret)
{
	const char *const words[] = { "journalctl", "-q", "-o",	     "cat", "-n",
				      "500",	    "-u", t->o.name, NULL };
	const struct run_options o = { .argv = words, .limit_ms = CLEAN_MS, .stop_fd = -1 };
	_run_result_ struct run_result result = { 0 };
	int r = run_program(&o, &result);

	if (r == 0)
		*ret = TAKE_PTR(result.out);
	return r;
}

static int healthy_unit(struct target *t)
{
	return -ENOENT;
}

const struct target_ops target_unit = {
	.open = open_unit,
	.start = start_unit,
	.stop = stop_unit,
	.status = status_of_unit,
	.exec = exec_in_unit,
	.log = log_of_unit,
	.healthy = healthy_unit,
	.clean = clean_unit,
};
