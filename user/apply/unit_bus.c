/* SPDX-License-Identifier: Apache-2.0 */
/* Units' drop-ins for who may talk to systemd. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "apply/unit.h"
#include "base/file.h"
#include "base/text.h"

#define MANAGER	    "org.freedesktop.systemd1"
#define RELOAD_US   (60ull * 1000 * 1000)
#define DROP_IN_MAX (1u << 20)

static int fail(int r, char **ret_why, const char *what, const sd_bus_error *error)
{
	*ret_why = text_format("%s: %s", what, error->message ? error->message : strerror(-r));
	return *ret_why ? r : -ENOMEM;
}

static int open_bus(sd_bus **ret, char **ret_why)
{
	static const sd_bus_error none;
	int r = sd_bus_open_system(ret);

	if (r >= 0)
		r = sd_bus_set_method_call_timeout(*ret, RELOAD_US);
	return r < 0 ? fail(r, ret_why, "systemd can't be asked", &none) : 0;
}

static int reload(char **ret_why)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = open_bus(&bus, ret_why);

	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, MANAGER, "/org/freedesktop/systemd1", MANAGER ".Manager",
			       "Reload", &error, NULL, "");
	r = r < 0 ? fail(r, ret_why, "systemd didn't read its units again", &error) : 0;
	sd_bus_error_free(&error);
	return r;
}

/* Whether it has the files as they are. Not known: no. */
static bool is_loaded(const char *key)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	_free_ char *name = NULL, *why = NULL, *path = NULL;
	int needed = 1;

	if (unit_name(key, &name, &why) < 0 || open_bus(&bus, &why) < 0 ||
	    sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path) < 0)
		return false;
	if (sd_bus_get_property_trivial(bus, MANAGER, path, MANAGER ".Unit", "NeedDaemonReload",
					NULL, 'b', &needed) < 0)
		return false;
	return !needed;
}

/* What is there now; NULL: nothing. */
static int read_old(const char *key, const struct unit_options *o, char **ret, char **ret_why)
{
	_free_ char *name = NULL, *path = NULL;
	int r = unit_name(key, &name, ret_why);

	if (r < 0)
		return r;
	path = text_format("%s/%s.d/" UNIT_DROP_IN, o->dir ? o->dir : UNIT_DIR, name);
	if (!path)
		return -ENOMEM;
	r = file_read(path, DROP_IN_MAX, ret, NULL);
	if (r == 0 || r == -ENOENT || r == -ENOTDIR)
		return 0;
	*ret_why = text_format("%s: %s", path, strerror(-r));
	return *ret_why ? r : -ENOMEM;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The file as `text` has it and systemd told, or all as it was. */
static int exchange(const char *key, const char *text, const struct unit_options *o, char **ret_why)
{
	_free_ char *old = NULL, *again = NULL;
	int r = read_old(key, o, &old, ret_why);

	if (r < 0)
		return r;
	if (is_same(old, text) && (!old || o->no_reload || is_loaded(key)))
		return 0;
	r = unit_place(key, text, o, ret_why);
	if (r < 0 || o->no_reload)
		return r;
	r = reload(ret_why);
	if (r < 0)
		(void)unit_place(key, old, o, &again);
	return r;
}

int unit_put(const struct applied *a, const struct unit_options *o, char **ret_why)
{
	_free_ char *text = NULL;
	int r = unit_text(a, unit_choose(a), o, &text, ret_why);

	return r < 0 ? r : exchange(a->key, text, o, ret_why);
}

int unit_remove(const char *key, const struct unit_options *o, char **ret_why)
{
	_free_ char *name = NULL, *why = NULL;

	/* what can't have a drop-in has none */
	if (unit_name(key, &name, &why) == -EINVAL)
		return 0;
	return exchange(key, NULL, o, ret_why);
}
