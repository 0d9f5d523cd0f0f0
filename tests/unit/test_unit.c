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
	{ "ExecStart=/usr/bin/docker-compose up\n", true },
	{ "ExecStart=/usr/bin/dockerd-rootless.sh", true },
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

static const struct {
	const char *text;
	bool shares;
} shared[] = {
	{ "ExecStart=/usr/bin/podman run --cgroups=disabled x\n", true },
	{ "[Service]\nExecStart=podman run \\\n  --rm \\\n  --cgroups disabled x\nType=exec\n",
	  true },
	{ "ExecStart=podman run x\n#--cgroups=disabled\n", false },
	{ "ExecStart=podman run --cgroups=split x\n", false },
	{ "ExecStart=/usr/sbin/nginx --cgroups=disabled\n", false },
	{ "ExecStart=podman \\", false },
	{ "ExecStart=/bin/x\n#--cgroups=disabled\n/podman run\n", false },
	{ "ExecStart=x--cgroups=disabled\nExec=/podman run\n", false },
	{ "\\\nExecStart=podman --cgroups=disabled", false }, /* goes on from the line before */
	{ "", false },
};

static void reads_what_is_shared(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shared); i++) {
		_free_ char *text = strdup(shared[i].text);

		if (unit_text_shares(text) != shared[i].shares)
			fail_msg("%s", shared[i].text);
	}
}

static const struct {
	const char *text;
	bool accepts;
} sockets[] = {
	{ "[Socket]\nListenStream=22\nAccept=yes\n", true },
	{ " Accept = TRUE \r\n", true },
	{ "Accept=yes\nAccept=no\n", false }, /* the last one holds */
	{ "Accept=no\n", false },
	{ "Accept=\n", false },
	{ "Accepted=yes\n", false },
	{ "#Accept=yes\n", false },
	{ "Accept", false },
	{ "", false },
};

static void reads_accept(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sockets); i++) {
		_free_ char *text = strdup(sockets[i].text);

		if (unit_text_accepts(text) != sockets[i].accepts)
			fail_msg("%s", sockets[i].text);
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
	recorded_file(r, "/usr/lib/systemd/system/sshd.socket", "[Socket]\nAccept=yes\n");
	recorded_file(r, "/usr/lib/systemd/system/pg.socket", "[Socket]\nAccept=no\n");
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
	const struct recorded *r = recorded_need(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		struct place p, last = { 0 };

		assert_int_equal(place_begin(&p, units[i].path), 0);
		while (place_next(&p))
			last = p;
		if (unit_is_carrier(r->dir, &last) != units[i].carrier)
			fail_msg("%s", units[i].path);
	}
}

static const struct {
	const char *unit, *template;
} connections[] = {
	{ "sshd@3-10.0.0.1:22-10.0.0.2:5040.service", "sshd@.service" },
	{ "sshd@12-fe80::1%2:22-fe80::2%2:5040.service", "sshd@.service" },
	{ "sshd@7-1234-1000.service", "sshd@.service" },
	{ "sshd@main.service", NULL },
	{ "sshd@7.service", NULL },
	{ "sshd@x-1-2.service", NULL },
	{ "sshd@.service", NULL },
	{ "sshd.service", NULL },
	{ "pg@7-1234-1000.service", NULL }, /* no socket that accepts */
	{ "backup@2026-01-01.service", NULL },
};

static void knows_connections(void **state)
{
	const struct recorded *r = recorded_need(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(connections); i++) {
		_free_ char *template = NULL;
		struct place p;
		char path[256];

		snprintf(path, sizeof(path), "/%s", connections[i].unit);
		assert_int_equal(place_begin(&p, path), 0);
		assert_true(place_next(&p));
		template = unit_of_connection(r->dir, &p);
		same_text(path, "template", template, connections[i].template);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_exec_start),  cmocka_unit_test(reads_what_is_shared),
		cmocka_unit_test(reads_accept),	     cmocka_unit_test(looks_units_up),
		cmocka_unit_test(knows_connections),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
