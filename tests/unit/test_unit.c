/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/unit.h"

#include "recorded.h"

static const struct {
	const char *text;
	bool carries;
} texts[] = {
	{ "[Service]\nExecStart=/usr/bin/podman run --rm img\n", true },
	{ "ExecStart = @-/usr/local/bin/nerdctl nerdctl run\n", true },
	{ "ExecStartPre=/usr/bin/podman pull x\nExecStart=/usr/bin/nginx\n", false },
	{ "#ExecStart=/usr/bin/podman\n", false },
	{ "ExecStart=/usr/bin/podman-remote run\n", false },
	{ "ExecStart=/opt/podman/serve\n", false },
	{ "ExecStart=/usr/bin/env podman\n", false },
	{ "ExecStart=\nExecStart=podman", true },
	{ "ExecStart", false },
	{ "", false },
};

static void reads_exec_start(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		_free_ char *text = strdup(texts[i].text);

		if (unit_text_carries(text) != texts[i].carries)
			fail_msg("%s", texts[i].text);
	}
}

#define PODMAN "[Service]\nExecStart=/usr/bin/podman run x\n"
#define NGINX  "[Service]\nExecStart=/usr/sbin/nginx\n"

static void record(struct recorded *r)
{
	recorded_file(r, "/run/systemd/generator/web.service", PODMAN);
	recorded_file(r, "/run/systemd/generator/over.service", PODMAN);
	recorded_file(r, "/etc/systemd/system/over.service", NGINX);
	recorded_file(r, "/usr/lib/systemd/system/tpl@.service", PODMAN);
	recorded_file(r, "/usr/lib/systemd/system/nginx.service", NGINX);
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = USER;
	recorded_file(r, "/home/u/.config/systemd/user/mine.service", PODMAN);
	recorded_file(r, "/run/user/1000/systemd/generator/quad.service", PODMAN);
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const struct {
	const char *path;
	bool carrier;
} units[] = {
	{ "/system.slice/web.service", true },
	{ "/system.slice/web.service/libpod-payload-x", true },
	{ "/system.slice/over.service", false }, /* the administrator's file goes first */
	{ "/system.slice/system-tpl.slice/tpl@a.service", true },
	{ "/system.slice/nginx.service", false },
	{ "/system.slice/docker.service", true },
	{ "/system.slice/containerd.service", true },
	{ "/system.slice/none.service", false },
	{ "/system.slice/mine.service", false }, /* a user's file says nothing of the system's */
	{ USER_AT "/app.slice/mine.service", true },
	{ USER_AT "/app.slice/quad.service/supervisor", true },
	{ USER_AT "/app.slice/web.service", false },
	{ "/system.slice", false },
};

static void looks_units_up(void **state)
{
	const struct recorded *r = *state;
	size_t i;

	if (!r)
		skip();
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		struct place p, last = { 0 };

		assert_int_equal(place_begin(&p, units[i].path), 0);
		while (place_next(&p))
			last = p;
		if (unit_is_carrier(r->dir, &last) != units[i].carrier)
			fail_msg("%s", units[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_exec_start),
		cmocka_unit_test(looks_units_up),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
