/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/storage_conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "base/text.h"
#include "identity/state.h"
#include "identity/toml.h"

#define CONF_MAX (256U << 10)

void storage_conf_done(struct storage_conf *c)
{
	free(c->graphroot);
	free(c->runroot);
	free(c->rootless);
	free(c->driver);
	*c = STORAGE_CONF_INIT;
}

static void take(const char *text, const char *name, char **field)
{
	if (!*field)
		*field = toml_text(text, "storage", name);
}

static void drop_unless_absolute(char **path)
{
	if (*path && **path != '/')
		free(TAKE_PTR(*path));
}

void storage_conf_parse(const char *text, struct storage_conf *c)
{
	take(text, "graphroot", &c->graphroot);
	take(text, "runroot", &c->runroot);
	take(text, "rootless_storage_path", &c->rootless);
	take(text, "driver", &c->driver);
	drop_unless_absolute(&c->graphroot);
	drop_unless_absolute(&c->runroot);
	/* It becomes part of a path. */
	if (c->driver && (strchr(c->driver, '/') || !*c->driver))
		free(TAKE_PTR(c->driver));
}

/* $HOME, $UID or $USER at the start of s, whose length goes to *ret_len. Nobody's home has the
 * user's name for certain, so that one is its last part. */
static const char *variable(const char *s, const char *home, const char *uid, size_t *ret_len)
{
	const char *slash = strrchr(home, '/');
	const struct {
		const char *name, *value;
	} known[] = { { "$HOME", home }, { "$UID", uid }, { "$USER", slash ? slash + 1 : home } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		*ret_len = strlen(known[i].name);
		if (strncmp(s, known[i].name, *ret_len) == 0)
			return known[i].value;
	}
	return NULL;
}

char *storage_conf_expand(const char *text, const char *home, uid_t uid)
{
	char number[16], *out = NULL;
	size_t len, out_len;
	FILE *f = stream_open(&out, &out_len);

	if (!f)
		return NULL;
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	while (*text) {
		const char *value = variable(text, home, number, &len);

		if (value)
			fputs(value, f);
		else
			fputc(*text, f);
		text += value ? len : 1;
	}
	if (fclose(f) != 0 || *out != '/')
		free(TAKE_PTR(out));
	return out;
}

static bool read_conf(const char *root, uid_t uid, const char *dir, struct storage_conf *c)
{
	_free_ char *text = NULL;

	if (state_read_at(root, uid, dir, "storage.conf", CONF_MAX, &text, NULL) < 0)
		return false;
	storage_conf_parse(text, c);
	return true;
}

/* The administrator's file stands in for the distribution's as a whole. */
static void read_roots(const char *root, struct storage_conf *c)
{
	if (!read_conf(root, 0, "/etc/containers", c))
		(void)read_conf(root, 0, "/usr/share/containers", c);
}

static int find_roots(const char *root, struct storage_conf *c)
{
	read_roots(root, c);
	if (!c->graphroot)
		c->graphroot = strdup("/var/lib/containers/storage");
	if (!c->runroot)
		c->runroot = strdup("/run/containers/storage");
	return c->graphroot && c->runroot ? 0 : -ENOMEM;
}

/* root's driver is no user's: theirs shows in what is there. */
static int find_users(const char *root, uid_t uid, struct storage_conf *c)
{
	_storage_conf_ struct storage_conf above = STORAGE_CONF_INIT;
	_free_ char *home = NULL, *dir = NULL;

	if (state_home(root, uid, &home) < 0)
		return -ENOENT;
	dir = text_format("%s/.config/containers", home);
	if (dir)
		(void)read_conf(root, uid, dir, c);
	read_roots(root, &above);
	if (!c->graphroot && above.rootless)
		c->graphroot = storage_conf_expand(above.rootless, home, uid);
	if (!c->graphroot)
		c->graphroot = text_format("%s/.local/share/containers/storage", home);
	if (!c->runroot)
		c->runroot = text_format("/run/user/%u/containers", (unsigned)uid);
	return c->graphroot && c->runroot ? 0 : -ENOMEM;
}

int storage_conf_find(const char *root, uid_t uid, struct storage_conf *ret)
{
	_storage_conf_ struct storage_conf c = STORAGE_CONF_INIT;
	int r = uid ? find_users(root, uid, &c) : find_roots(root, &c);

	if (r < 0)
		return r;
	*ret = c;
	c = STORAGE_CONF_INIT;
	return 0;
}
