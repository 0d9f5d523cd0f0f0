/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's drop-in: its text, and its file. */
#include "apply/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/meet.h"
#include "apply/unit_calls.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "model/calls.h"

#define NAME_ROOM 256 /* as systemd's */

/* --- names ------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What identity/key.h escaped: "%XX". A cut key ("%+") has no way back. */
static int unescape(const char *s, char ret[NAME_ROOM])
{
	size_t len = 0;

	for (; *s; s++, len++) {
		int high = *s == '%' ? hex_digit(s[1]) : 0;
		int low = *s == '%' && high >= 0 ? hex_digit(s[2]) : 0;

		if (len + 1 >= NAME_ROOM || high < 0 || low < 0)
			return -EINVAL;
		ret[len] = *s == '%' ? (char)(high << 4 | low) : *s;
		if (*s == '%')
			s += 2;
	}
	ret[len] = '\0';
	return 0;
}

/* systemd's own letters; neither a path nor a line of a file can be made of them. */
static bool is_service(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";
	const char *dot = strrchr(name, '.');

	return dot && dot > name && name[0] != '.' && name[0] != '@' &&
	       strcmp(dot, ".service") == 0 && name[strspn(name, letters)] == '\0';
}

int unit_name(const char *key, char **ret, char **ret_why)
{
	static const char engine[] = "systemd/";
	char name[NAME_ROOM];

	if (strncmp(key, engine, strlen(engine)) != 0)
		return text_why(-EINVAL, ret_why, "%s is no unit", key);
	key += strlen(engine);
	if (*key == '~')
		return text_why(
			-EINVAL, ret_why,
			"it is a user's unit: only the system manager's can have a drop-in");
	if (unescape(key, name) < 0 || !is_service(name))
		return text_why(-EINVAL, ret_why, "it has not the name of a service");
	*ret = strdup(name);
	return *ret ? 0 : -ENOMEM;
}

/* --- text -------------------------------------------------------------------------------- */

/* Nothing in it has a meaning in a unit's file: no space, quote, backslash, '%', '$'. */
static bool is_plain_path(const char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/._:+=,@~-";

	return path && *path == '/' && path[strspn(path, letters)] == '\0';
}

/* "-": the unit starts whatever becomes of it. "+": without the filter, as root. */
static void print_watch(const char *line, const char *command, const char *name,
			const struct unit_options *o, FILE *f)
{
	fprintf(f, "%s=-+%s %s \"", line, o->start, command);
	for (; *name; name++)
		fprintf(f, *name == '\\' ? "\\\\" : "%c", *name);
	fprintf(f, "\" --state %s\n", o->state);
}

static int print_trial(const struct applied *a, const struct unit_options *o, FILE *f)
{
	_free_ char *name = NULL, *why = NULL;
	int r = unit_name(a->key, &name, &why);

	if (r < 0 || !name)
		return r;
	if (!is_plain_path(o->start) || !is_plain_path(o->state))
		return -EINVAL;
	fputs("# On trial: its ends are noted, and a bad one takes it back.\n", f);
	print_watch("ExecStartPre", "unit-started", name, o, f);
	print_watch("ExecStopPost", "unit-stopped", name, o, f);
	return 0;
}

static int print_all(const struct applied *a, const struct generation *g,
		     const struct unit_options *o, const struct filter *filter, FILE *f)
{
	int r;

	fprintf(f, "# tamis: generation %u of %s\n# %s\n[Service]\n", g->number, a->key, g->digest);
	r = unit_print_calls(filter, g, f);
	if (r == 0 && g->state == GENERATION_TRIAL && o->start)
		r = print_trial(a, o, f);
	return r;
}

/* What systemd calls between the filter and the exec; of write, to say that it came so far, it knows
 * by itself from 256 on. */
static void take_gate(struct sysset ret[TAMIS_ABI_MAX])
{
	static const char *const names[] = { "execve", "write" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sysset_add(&ret[abi_native()], (unsigned)calls_number(abi_native(), names[i]));
}

int unit_print(const struct applied *a, const struct generation *g, const struct unit_options *o,
	       char **ret)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f;
	int r;

	take_gate(gate);
	r = meet_generation(g, NULL, gate, &filter);

	if (r < 0)
		return r;
	f = stream_open(&text, &len);
	if (!f)
		return -ENOMEM;
	r = print_all(a, g, o, filter, f);
	if (fclose(f) != 0)
		return -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

int unit_text(const struct applied *a, const struct generation *g, const struct unit_options *o,
	      char **ret, char **ret_why)
{
	_free_ char *name = NULL;
	char *text = NULL;
	int r = g ? unit_name(a->key, &name, ret_why) : 0;

	if (r < 0)
		return r;
	r = g ? unit_print(a, g, o, &text) : 0;
	if (r == -EINVAL)
		return text_why(r, ret_why, "%s and %s can't both stand in a unit's file",
				o->start ? o->start : "tamis-start", o->state);
	if (r < 0)
		return text_why(r, ret_why, "%s", strerror(-r));
	*ret = text;
	return 0;
}

/* --- file -------------------------------------------------------------------------------- */

static int open_dir(int at, const char *name, const char *path, char **ret_why)
{
	_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return text_why(-errno, ret_why, "%s: %s", path,
				errno == ELOOP || errno == ENOTDIR ? "a link, or not a directory"
								   : strerror(errno));
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return text_why(-EPERM, ret_why, "%s: others than root may change it", path);
	return TAKE_FD(fd);
}

/* Where the drop-in is, or will be. */
struct spot {
	char *name, *base, *path;
	int dir;
};

static void spot_done(struct spot *s)
{
	free(s->name);
	free(s->base);
	free(s->path);
	cleanup_closep(&s->dir);
}
#define _spot_ __attribute__((cleanup(spot_done)))

static int spot_open(const char *key, const struct unit_options *o, struct spot *ret,
		     char **ret_why)
{
	const char *dir = o->dir ? o->dir : UNIT_DIR;
	int r = unit_name(key, &ret->name, ret_why);

	if (r < 0)
		return r;
	ret->base = text_format("%s.d", ret->name);
	ret->path = text_format("%s/%s.d", dir, ret->name);
	if (!ret->base || !ret->path)
		return -ENOMEM;
	ret->dir = open_dir(AT_FDCWD, dir, dir, ret_why);
	if (ret->dir == -ENOENT)
		return text_why(-ENOENT, ret_why, "%s: no such directory", dir);
	return ret->dir < 0 ? ret->dir : 0;
}

static int write_at(const struct spot *s, const char *text, char **ret_why)
{
	bool made = mkdirat(s->dir, s->base, 0755) == 0;
	_close_ int fd = -1;
	int r;

	if (!made && errno != EEXIST)
		return text_why(-errno, ret_why, "%s: %s", s->path, strerror(errno));
	fd = open_dir(s->dir, s->base, s->path, ret_why);
	if (fd < 0)
		return TAKE_FD(fd);
	/* whatever the umask is */
	r = made && fchmod(fd, 0755) < 0 ? -errno : 0;
	if (r == 0)
		r = file_replace_at(fd, UNIT_DROP_IN, text, strlen(text), 0644);
	return r < 0 ? text_why(r, ret_why, "%s/" UNIT_DROP_IN ": %s", s->path, strerror(-r)) : 0;
}

static int remove_at(const struct spot *s, char **ret_why)
{
	_close_ int fd = open_dir(s->dir, s->base, s->path, ret_why);

	if (fd < 0)
		return fd == -ENOENT ? 0 : TAKE_FD(fd);
	if (unlinkat(fd, UNIT_DROP_IN, 0) < 0 && errno != ENOENT)
		return text_why(-errno, ret_why, "%s/" UNIT_DROP_IN ": %s", s->path,
				strerror(errno));
	(void)fsync(fd);
	(void)unlinkat(s->dir, s->base, AT_REMOVEDIR);
	return 0;
}

int unit_place(const char *key, const char *text, const struct unit_options *o, char **ret_why)
{
	_spot_ struct spot s = { .dir = -1 };
	int r = spot_open(key, o, &s, ret_why);

	if (r < 0)
		return r;
	return text ? write_at(&s, text, ret_why) : remove_at(&s, ret_why);
}

const struct generation *unit_choose(const struct applied *a)
{
	if (a->mode == MODE_SHADOW)
		return NULL;
	if (a->now.state != GENERATION_FAILED)
		return &a->now;
	return a->has_good ? &a->good : NULL;
}
