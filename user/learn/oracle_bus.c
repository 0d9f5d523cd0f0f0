/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/oracle_bus.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SYSTEMD	   "org.freedesktop.systemd1"
#define MANAGER	   SYSTEMD ".Manager"
#define MANAGER_AT "/org/freedesktop/systemd1"
#define ANSWER_US  (10ull * 1000 * 1000)

int oracle_bus_open(sd_bus **ret)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = sd_bus_open_system(&bus);

	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, ANSWER_US);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

/* --- units that are there ------------------------------------------------------------------ */

static int fold(int r, sd_bus_error *error)
{
	bool missing = sd_bus_error_has_name(error, SYSTEMD ".NoSuchUnit");

	sd_bus_error_free(error);
	return r >= 0 ? 0 : missing ? -ENOENT : r;
}

int oracle_bus_job(sd_bus *bus, const char *method, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, SYSTEMD, MANAGER_AT, MANAGER, method, &error, NULL, "ss",
				   unit, "replace");

	return fold(r, &error);
}

int oracle_bus_reset(sd_bus *bus, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, SYSTEMD, MANAGER_AT, MANAGER, "ResetFailedUnit", &error,
				   NULL, "s", unit);

	return fold(r, &error);
}

static int get_number(sd_bus *bus, const char *path, const char *name, char type, void *ret)
{
	return sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Service", name, NULL, type,
					   ret);
}

/* A job that is queued may not have begun. */
static int has_job(sd_bus *bus, const char *path, bool *ret)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *reply = NULL;
	uint32_t id = 0;
	int r = sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Unit", "Job", NULL, &reply,
				    "(uo)");

	if (r >= 0)
		r = sd_bus_message_read(reply, "(uo)", &id, NULL);
	*ret = id != 0;
	return r;
}

/* systemd makes an object of any name that it is asked for: one of nothing is inactive. */
int oracle_bus_state(sd_bus *bus, const char *unit, struct oracle_unit_state *ret)
{
	_free_ char *path = NULL, *active = NULL;
	int32_t code = 0, status = 0;
	uint32_t pid = 0;
	bool job = false;
	int r = sd_bus_path_encode(MANAGER_AT "/unit", unit, &path);

	if (r >= 0)
		r = has_job(bus, path, &job);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "ActiveState",
					       NULL, &active);
	if (r < 0)
		return r;
	if (get_number(bus, path, "ExecMainCode", 'i', &code) < 0 ||
	    get_number(bus, path, "ExecMainStatus", 'i', &status) < 0 ||
	    get_number(bus, path, "MainPID", 'u', &pid) < 0)
		code = status = 0;
	*ret = (struct oracle_unit_state){
		.is_moving = job || !strcmp(active, "activating") ||
			     !strcmp(active, "deactivating") || !strcmp(active, "reloading"),
		.is_active = !job && !strcmp(active, "active"),
		.is_failed = !job && !strcmp(active, "failed"),
		.is_gone = !job && !strcmp(active, "inactive"),
		.has_main = pid != 0,
		.killed = code == CLD_KILLED || code == CLD_DUMPED,
		.code = status,
	};
	return 0;
}

int oracle_bus_lasts(sd_bus *bus, const char *unit)
{
	_free_ char *path = NULL, *load = NULL;
	int transient = 0;
	int r = sd_bus_path_encode(MANAGER_AT "/unit", unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "LoadState",
					       NULL, &load);
	if (r >= 0)
		r = sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Unit", "Transient",
						NULL, 'b', &transient);
	if (r < 0)
		return r;
	return strcmp(load, "not-found") == 0 ? -ENOENT : !transient;
}

/* --- transient ones ------------------------------------------------------------------------ */

int oracle_bus_transient(sd_bus *bus, const char *unit, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, MANAGER_AT, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "replace");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

int oracle_bus_begin(sd_bus *bus, sd_bus_message *m)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_close_container(m);

	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, NULL);
	return fold(r, &error);
}

int oracle_bus_text(sd_bus_message *m, const char *name, const char *value)
{
	return sd_bus_message_append(m, "(sv)", name, "s", value);
}

static int open_property(sd_bus_message *m, const char *name, const char *type)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	return r < 0 ? r : sd_bus_message_open_container(m, 'v', type);
}

static int close_property(sd_bus_message *m)
{
	int r = sd_bus_message_close_container(m);

	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_exec(sd_bus_message *m, const char *const *argv)
{
	int r = sd_bus_message_open_container(m, 'a', "(sasb)");

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sasb");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = sd_bus_message_append_strv(m, (char **)argv);
	if (r >= 0)
		r = sd_bus_message_append(m, "b", 0);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int oracle_bus_exec(sd_bus_message *m, const char *const *argv)
{
	int r = open_property(m, "ExecStart", "a(sasb)");

	if (r >= 0)
		r = append_exec(m, argv);
	return r < 0 ? r : close_property(m);
}

int oracle_bus_output(sd_bus_message *m, const char *path, bool errors)
{
	int r = oracle_bus_text(m, path ? "StandardOutputFile" : "StandardOutput", path ?: "null");

	if (r >= 0)
		r = oracle_bus_text(m, path && errors ? "StandardErrorFile" : "StandardError",
				    path && errors ? path : "null");
	return r;
}

/* 1: there is something to copy. What isn't set is "" there, which not every version takes back. */
static int is_set(sd_bus_message *reply, const char *type)
{
	const char *text = "";
	int r;

	if (strcmp(type, "s") != 0)
		return 1;
	r = sd_bus_message_read(reply, "s", &text);
	if (r >= 0)
		r = sd_bus_message_rewind(reply, false);
	return r < 0 ? r : *text != '\0';
}

int oracle_bus_copy(sd_bus *bus, sd_bus_message *m, const char *unit, const char *name,
		    const char *type)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *reply = NULL;
	_free_ char *path = NULL;
	int r = sd_bus_path_encode(MANAGER_AT "/unit", unit, &path);

	if (r >= 0)
		r = sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Service", name, NULL, &reply,
					type);
	if (r >= 0)
		r = is_set(reply, type);
	if (r <= 0)
		return r;
	r = open_property(m, name, type);
	if (r >= 0)
		r = sd_bus_message_copy(m, reply, 1);
	return r < 0 ? r : close_property(m);
}
