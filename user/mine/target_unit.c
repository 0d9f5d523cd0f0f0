/* SPDX-License-Identifier: Apache-2.0 */
/* A unit: restarted where it is. A policy that is tried is a drop-in below /run, which no boot sees. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "learn/oracle_bus.h"
#include "mine/stop.h"
#include "mine/target_internal.h"

#define SYSTEMD	  "org.freedesktop.systemd1"
#define UNITS	  "/org/freedesktop/systemd1/unit"
#define LIFE	  16			/* bytes of an invocation's id */
#define DROP_IN	  "zzz-tamis-mine.conf" /* behind the one that `tamis apply` makes */
#define POLL_MS	  50
#define CLEAN_MS  90000
#define EMPTY_MS  10000
#define RELOAD_US (90ull * 1000 * 1000)

static int fail(int r, char **ret_why, const char *what)
{
	return r == -EINTR ? r : text_why(r, ret_why, "%s: %s", what, strerror(-r));
}

/* --- systemd -------------------------------------------------------------------------------- */

/* Reading all units anew takes a slow machine longer than an answer may otherwise. */
static int reload(sd_bus *bus)
{
	int r;

	(void)sd_bus_set_method_call_timeout(bus, RELOAD_US);
	r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
			       "Reload", NULL, NULL, "");
	return r < 0 ? r : 0;
}

static int main_pid(sd_bus *bus, const char *path, pid_t *ret)
{
	uint32_t pid = 0;
	int r = sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Service", "MainPID", NULL,
					    'u', &pid);

	if (r < 0)
		return r;
	*ret = (pid_t)pid;
	return 0;
}

/* What its first ExecStart= runs; NULL where it has none. */
static int program_of(sd_bus *bus, const char *path, char **ret)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *program = NULL;
	int r = sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Service", "ExecStart", NULL,
				    &reply, "a(sasbttttuii)");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(sasbttttuii)");
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'r', "sasbttttuii");
	if (r > 0)
		r = sd_bus_message_read(reply, "s", &program);
	if (r <= 0)
		return r;
	*ret = strdup(strrchr(program, '/') ? strrchr(program, '/') + 1 : program);
	return *ret ? 0 : -ENOMEM;
}

/* What it logs is told from what it logged in earlier lives by this. */
static int life_of(sd_bus *bus, const char *path, char **ret)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const void *bytes = NULL;
	char hex[2 * LIFE + 1];
	size_t len = 0;
	int r = sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Unit", "InvocationID", NULL,
				    &reply, "ay");

	if (r >= 0)
		r = sd_bus_message_read_array(reply, 'y', &bytes, &len);
	if (r < 0)
		return r;
	if (len != LIFE)
		return -ENOENT;
	for (size_t i = 0; i < LIFE; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
	*ret = text_format("_SYSTEMD_INVOCATION_ID=%s", hex);
	return *ret ? 0 : -ENOMEM;
}

/* What is known of a life that has begun. */
static int look_at(struct target *t, sd_bus *bus)
{
	_free_ char *path = NULL;
	int r = sd_bus_path_encode(UNITS, t->o.name, &path);

	if (r >= 0)
		r = main_pid(bus, path, &t->pid);
	if (r >= 0)
		r = program_of(bus, path, &t->facts.program);
	return r < 0 ? r : 0;
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

/* As systemd calls it: of an alias its own name, which cgroups and drop-ins have. */
static int find_name(struct target *t, sd_bus *bus, char **ret_why)
{
	_free_ char *given =
		text_format("%s%s", t->o.name, strchr(t->o.name, '.') ? "" : ".service");
	_free_ char *path = NULL;
	int r = given ? sd_bus_path_encode(UNITS, given, &path) : -ENOMEM;

	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "Id", NULL,
					       &t->unit);
	if (r < 0)
		return fail(r, ret_why, "systemd doesn't know it");
	t->o.name = t->unit;
	if (!strchr(t->unit, '/') && !strcmp(strrchr(t->unit, '.') ?: "", ".service"))
		return 0;
	return text_why(-EINVAL, ret_why, "only a service can be mined");
}

/* fnmatch's, of exactly this name: an escape in it is no escape there. */
static int watch_cgroup(struct target *t)
{
	size_t n = 0;
	char *to = calloc(1, 2 * strlen(t->unit) + 3);

	if (!to)
		return -ENOMEM;
	t->pattern = to;
	to[n++] = '*';
	to[n++] = '/';
	for (const char *c = t->unit; *c; c++) {
		if (strchr("\\*?[", *c))
			to[n++] = '\\';
		to[n++] = *c;
	}
	t->watch[0] = t->pattern;
	return 0;
}

static int open_unit(struct target *t, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	struct oracle_unit_state state = { 0 };
	_free_ char *owned = NULL;
	int r = oracle_bus_open(&bus);

	if (r < 0)
		return fail(r, ret_why, "systemd can't be asked");
	r = find_name(t, bus, ret_why);
	if (r < 0)
		return r;
	r = oracle_bus_lasts(bus, t->unit);
	if (r == -ENOENT)
		return text_why(r, ret_why, "no such unit");
	if (r == 0)
		return text_why(-EINVAL, ret_why, "it is transient: gone once it has stopped");
	if (r > 0)
		r = oracle_bus_state(bus, t->unit, &state);
	t->was_active = state.is_active || state.is_moving;
	t->drop_in = text_format("/run/systemd/system/%s.d/" DROP_IN, t->unit);
	owned = text_format("/%s", t->unit);
	if (r == 0)
		r = t->drop_in && owned ? oracle_argv_add(&t->owned, owned) : -ENOMEM;
	if (r == 0)
		r = watch_cgroup(t);
	return r < 0 ? fail(r, ret_why, t->unit) : 0;
}

/* What is in a cgroup that was there before isn't seen from its start: systemd keeps it over a restart,
 * and removes it only some time after a stop. One that others live in stays. */
static int stop_whole(struct target *t, sd_bus *bus)
{
	_free_ char *path = NULL, *cgroup = NULL, *mount = NULL, *dir = NULL;
	int64_t end = run_now_ms() + EMPTY_MS;
	int r = sd_bus_path_encode(UNITS, t->o.name, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Service",
					       "ControlGroup", NULL, &cgroup);
	if (r >= 0)
		r = job(bus, t, "StopUnit", t->o.limit_ms, t->o.stop_fd);
	if (r < 0 || !*cgroup || cgroups_find(&mount) < 0 || !mount)
		return r;
	dir = text_format("%s%s", mount, cgroup);
	if (!dir)
		return -ENOMEM;
	while (r == 0 && access(dir, F_OK) == 0 && run_now_ms() < end)
		r = stop_sleep(t->o.stop_fd, POLL_MS);
	return r;
}

static int start_unit(struct target *t, const char *profile, char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = oracle_bus_open(&bus);

	t->starts++;
	if (r == 0)
		r = stop_whole(t, bus);
	if (r == 0)
		r = profile ? put_drop_in(t, profile) : (remove_drop_in(t), 0);
	if (r == 0)
		r = reload(bus);
	if (r == 0)
		(void)oracle_bus_reset(bus, t->o.name);
	if (r == 0)
		r = job(bus, t, "StartUnit", t->o.limit_ms, t->o.stop_fd);
	if (r == 0)
		r = look_at(t, bus);
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
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	_free_ char *path = NULL, *life = NULL;
	const char *words[] = { "journalctl", "-q", "-o", "cat", "-n", "500", NULL, NULL };
	const struct run_options o = { .argv = words, .limit_ms = CLEAN_MS, .stop_fd = -1 };
	_run_result_ struct run_result result = { 0 };
	int r = oracle_bus_open(&bus);

	if (r == 0)
		r = sd_bus_path_encode(UNITS, t->o.name, &path);
	if (r >= 0)
		r = life_of(bus, path, &life);
	if (r < 0)
		return r;
	words[6] = life;
	r = run_program(&o, &result);
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
