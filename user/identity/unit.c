/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/unit.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/state.h"

#define UNIT_MAX (256U << 10)

static const char *const system_dirs[] = {
	"/etc/systemd/system",		 "/run/systemd/system",
	"/run/systemd/transient",	 "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system",		 NULL,
};

static const char *const user_dirs[] = { "/etc/systemd/user", "/run/systemd/user",
					 "/usr/lib/systemd/user", NULL };

static const char *const carriers[] = {
	"podman",  "docker",	  "nerdctl",	   "ctr",     "runc",	"crun",
	"dockerd", "containerd",  "crio",	   "kubelet", "conmon", "buildkitd",
	"k3s",	   "lxc-start",	  "lxc-autostart", "lxd",     "incusd", "systemd-nspawn",
	"rke2",	   "cri-dockerd", "rootlesskit",
};

static bool is_carrier(const char *base, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(carriers); i++)
		if (strlen(carriers[i]) == len && memcmp(carriers[i], base, len) == 0)
			return true;
	return false;
}

/* "@-:+!" may stand before the program; its arguments don't matter. */
static bool starts_carrier(const char *command)
{
	const char *s = command + strspn(command, " \t@-:+!"), *base = s;
	size_t len = strcspn(s, " \t\r"), i;

	for (i = 0; i < len; i++)
		if (s[i] == '/')
			base = s + i + 1;
	return is_carrier(base, len - (size_t)(base - s));
}

bool unit_text_carries(char *text)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		const char *s = line + strspn(line, " \t");

		if (strncmp(s, "ExecStart", strlen("ExecStart")) != 0)
			continue;
		s += strlen("ExecStart");
		s += strspn(s, " \t");
		if (*s == '=' && starts_carrier(s + 1))
			return true;
	}
	return false;
}

/* 1: it carries, 0: it doesn't, -ENOENT: there is no such file. */
static int file_carries(const char *root, uid_t uid, const char *dir, const char *unit)
{
	_free_ char *text = NULL;

	if (state_read_at(root, uid, dir, unit, UNIT_MAX, &text, NULL) < 0)
		return -ENOENT;
	return unit_text_carries(text);
}

static int find_in_dirs(const char *root, const char *const *dirs, const char *unit)
{
	int r = -ENOENT;

	for (; *dirs && r == -ENOENT; dirs++)
		r = file_carries(root, 0, *dirs, unit);
	return r;
}

/* A user's own units say what they like, of the user's own containers. */
static int find_of_user(const char *root, uid_t uid, const char *unit)
{
	_free_ char *home = NULL;
	_free_ char *run = text_format("/run/user/%u/systemd/generator", (unsigned)uid);
	_free_ char *conf = NULL;
	int r = run ? file_carries(root, uid, run, unit) : -ENOENT;

	if (r == -ENOENT && state_home(root, uid, &home) == 0)
		conf = text_format("%s/.config/systemd/user", home);
	if (conf)
		r = file_carries(root, uid, conf, unit);
	return r == -ENOENT ? find_in_dirs(root, user_dirs, unit) : r;
}

static int find(const char *root, const struct place *p, const char *unit)
{
	if (p->kind == PLACE_USER)
		return find_of_user(root, p->uid, unit);
	return find_in_dirs(root, system_dirs, unit);
}

/* "foo@bar.service" -> "foo@.service". NULL when it is no instance. */
static char *template_of(const char *unit)
{
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');

	if (!at || !dot || dot <= at + 1)
		return NULL;
	return text_format("%.*s%s", (int)(at + 1 - unit), unit, dot);
}

bool unit_is_carrier(const char *root, const struct place *p)
{
	_free_ char *unit = place_is_unit(p) ? place_text(p) : place_unit(p);
	_free_ char *template = NULL;
	const char *dot = unit ? strrchr(unit, '.') : NULL;
	int r;

	if (!dot)
		return false;
	if (is_carrier(unit, (size_t)(dot - unit)))
		return true;
	r = find(root, p, unit);
	if (r == -ENOENT)
		template = template_of(unit);
	if (template)
		r = find(root, p, template);
	return r > 0;
}
