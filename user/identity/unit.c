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
	"podman",
	"podman-compose",
	"docker",
	"docker-compose",
	"dockerd",
	"nerdctl",
	"containerd",
	"ctr",
	"buildah",
	"buildkitd",
	"runc",
	"crun",
	"conmon",
	"crio",
	"cri-dockerd",
	"kubelet",
	"kubelite",
	"k3s",
	"k0s",
	"rke2",
	"lxc-start",
	"lxc-autostart",
	"lxd",
	"incusd",
	"systemd-nspawn",
	"rootlesskit",
	"dockerd-rootless.sh",
	"containerd-rootless.sh",
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
	size_t len = strcspn(s, " \t\r\n"), i;

	for (i = 0; i < len; i++)
		if (s[i] == '/')
			base = s + i + 1;
	return is_carrier(base, len - (size_t)(base - s));
}

/* What follows NAME and '=' on a line; NULL when that says something else. */
static const char *value_of(const char *line, const char *name)
{
	const char *s = line + strspn(line, " \t");

	if (strncmp(s, name, strlen(name)) != 0)
		return NULL;
	s += strlen(name);
	s += strspn(s, " \t");
	return *s == '=' ? s + 1 : NULL;
}

bool unit_text_carries(char *text)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		const char *command = value_of(line, "ExecStart");

		if (command && starts_carrier(command))
			return true;
	}
	return false;
}

/* A line that ends in a backslash goes on. */
static size_t command_len(const char *s)
{
	const char *end = s + strcspn(s, "\n");

	while (*end && end > s && end[-1] == '\\')
		end += 1 + strcspn(end + 1, "\n");
	return (size_t)(end - s);
}

static bool holds(const char *s, size_t len, const char *word)
{
	return memmem(s, len, word, strlen(word)) != NULL;
}

bool unit_text_shares(char *text)
{
	const char *line = text;

	while (*line) {
		const char *command = value_of(line, "ExecStart");
		size_t len = command_len(line);

		if (command && starts_carrier(command) &&
		    (holds(line, len, "--cgroups=disabled") ||
		     holds(line, len, "--cgroups disabled")))
			return true;
		line += len;
		line += *line == '\n';
	}
	return false;
}

static bool is_true(const char *s)
{
	static const char *const words[] = { "yes", "true", "on", "1", "y", "t" };
	size_t i, len = strcspn(s += strspn(s, " \t"), " \t\r");

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && strncasecmp(s, words[i], len) == 0)
			return true;
	return false;
}

bool unit_text_accepts(char *text)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);
	bool accepts = false;

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		const char *value = value_of(line, "Accept");

		accepts = value ? is_true(value) : accepts;
	}
	return accepts;
}

/* What is asked of the text of a unit's file. */
struct question {
	const char *root, *unit;
	bool (*test)(char *text);
};

/* 1: yes, 0: no, -ENOENT: there is no such file. */
static int ask_file(const struct question *q, uid_t uid, const char *dir)
{
	_free_ char *text = NULL;

	if (state_read_at(q->root, uid, dir, q->unit, UNIT_MAX, &text, NULL) < 0)
		return -ENOENT;
	return q->test(text);
}

static int ask_dirs(const struct question *q, const char *const *dirs)
{
	int r = -ENOENT;

	for (; *dirs && r == -ENOENT; dirs++)
		r = ask_file(q, 0, *dirs);
	return r;
}

/* A user's own units say what they like, of the user's own containers. */
static int ask_users(const struct question *q, uid_t uid)
{
	_free_ char *home = NULL;
	_free_ char *run = text_format("/run/user/%u/systemd/generator", (unsigned)uid);
	_free_ char *conf = NULL;
	int r = run ? ask_file(q, uid, run) : -ENOENT;

	if (r == -ENOENT && state_home(q->root, uid, &home) == 0)
		conf = text_format("%s/.config/systemd/user", home);
	if (conf)
		r = ask_file(q, uid, conf);
	return r == -ENOENT ? ask_dirs(q, user_dirs) : r;
}

static int ask(const struct place *p, const struct question *q)
{
	return p->kind == PLACE_USER ? ask_users(q, p->uid) : ask_dirs(q, system_dirs);
}

/* "foo@bar.service" -> "foo@.service". NULL when it is no instance. */
static char *template_of(const char *unit)
{
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');

	if (!at || !dot || dot <= at + 1)
		return NULL;
	return text_format("%.*s%s", (int)(at + 1 - unit), unit, dot);
}

/* Of the unit's own file, or its template's. */
static int ask_either(const struct place *p, const char *root, const char *unit,
		      bool (*test)(char *text))
{
	_free_ char *template = NULL;
	struct question q = { root, unit, test };
	int r = ask(p, &q);

	if (r == -ENOENT)
		q.unit = template = template_of(unit);
	return template ? ask(p, &q) : r;
}

bool unit_is_carrier(const char *root, const struct place *p)
{
	_free_ char *unit = place_is_unit(p) ? place_text(p) : place_unit(p);
	const char *dot = unit ? strrchr(unit, '.') : NULL;

	if (!dot)
		return false;
	return is_carrier(unit, (size_t)(dot - unit)) ||
	       ask_either(p, root, unit, unit_text_carries) > 0;
}

bool unit_is_shared(const char *root, const struct place *p)
{
	_free_ char *unit = place_text(p);

	return unit && ask_either(p, root, unit, unit_text_shares) > 0;
}

/* systemd counts the connections and adds who is at both ends: "3-10.0.0.1:22-10.0.0.2:5040",
 * "7-1234-1000". */
static bool is_connection(const char *unit)
{
	const char *instance = strchr(unit, '@') + 1, *dot = strrchr(unit, '.'), *s;
	size_t dashes = 0;

	if (strspn(instance, "0123456789") == 0)
		return false;
	for (s = instance; s < dot; s++) {
		if (!strchr("0123456789abcdefABCDEF.:_-%", *s))
			return false;
		dashes += *s == '-';
	}
	return dashes >= 2;
}

char *unit_of_connection(const char *root, const struct place *p)
{
	_free_ char *unit = place_text(p), *template = unit ? template_of(unit) : NULL;
	_free_ char *socket = NULL;
	struct question q = { root, NULL, unit_text_accepts };

	if (!template || !is_connection(unit))
		return NULL;
	q.unit = socket = text_format("%.*s.socket", (int)strcspn(unit, "@"), unit);
	return socket && ask(p, &q) > 0 ? TAKE_PTR(template) : NULL;
}
