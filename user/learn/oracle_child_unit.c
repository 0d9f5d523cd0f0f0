/* SPDX-License-Identifier: Apache-2.0 */
/* A program as a transient unit of type oneshot: gone once it did its job, "failed" when it didn't. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "learn/oracle_bus.h"
#include "learn/oracle_child.h"

static int add_properties(sd_bus_message *m, const char *const *argv,
			  const struct oracle_child_out *out)
{
	int r = oracle_bus_exec(m, argv);

	if (r >= 0)
		r = oracle_bus_text(m, "Type", "oneshot");
	if (r >= 0)
		r = oracle_bus_text(m, "Description", "tamis: an oracle's action");
	/* what it started goes on: conmon */
	if (r >= 0)
		r = oracle_bus_text(m, "KillMode", "process");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "Environment", "as", 1, "HOME=/root");
	return r < 0 ? r : oracle_bus_output(m, out->path, out->errors);
}

int oracle_child_unit_run(const char *unit, const char *const *argv,
			  const struct oracle_child_out *out)
{
	_cleanup_(sd_bus_message_unref) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	int r = oracle_bus_open(&bus);

	if (out->path)
		(void)unlink(out->path);
	if (r >= 0)
		r = oracle_bus_transient(bus, unit, &m);
	if (r >= 0)
		r = add_properties(m, argv, out);
	return r < 0 ? r : oracle_bus_begin(bus, m);
}

int oracle_child_unit_ended(const char *unit, int *ret_code)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;
	struct oracle_unit_state u = { 0 };
	int r = oracle_bus_open(&bus);

	if (r >= 0)
		r = oracle_bus_state(bus, unit, &u);
	/* asked again at the next look: its deadline ends that */
	if (r < 0 || (!u.is_failed && !u.is_gone))
		return 0;
	*ret_code = u.is_gone ? 0 : u.killed ? 128 + u.code : u.code ?: 255;
	if (u.is_failed)
		(void)oracle_bus_reset(bus, unit);
	return 1;
}

void oracle_child_unit_end(const char *unit)
{
	_cleanup_(sd_bus_flush_close_unref) sd_bus *bus = NULL;

	if (oracle_bus_open(&bus) < 0)
		return;
	(void)oracle_bus_job(bus, "StopUnit", unit);
	(void)oracle_bus_reset(bus, unit);
}
