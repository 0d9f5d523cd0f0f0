/* SPDX-License-Identifier: Apache-2.0 */
#include "start/argv.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

enum option {
	OPTION_FLAG,  /* nothing follows it */
	OPTION_VALUE, /* one argument follows it, or is attached */
	OPTION_BUNDLE,
	OPTION_CONFIG,
	OPTION_SYSTEMD, /* a flag */
	OPTION_CGROUPS, /* a value: which cgroup manager */
};

struct known {
	const char *name;
	char letter;
	enum option kind;
};

/* Of runc 1.1-1.4, crun 1.8-1.26, youki 0.5. */
static const struct known before[] = {
	{ "root", 'r', OPTION_VALUE },
	{ "log", 'l', OPTION_VALUE },
	{ "log-format", 0, OPTION_VALUE },
	{ "log-level", 0, OPTION_VALUE },
	{ "criu", 0, OPTION_VALUE },
	{ "rootless", 0, OPTION_VALUE },
	{ "cgroup-manager", 0, OPTION_CGROUPS },
	{ "systemd-cgroup", 's', OPTION_SYSTEMD },
	{ "debug", 0, OPTION_FLAG },
	{ 0 },
};

static const struct known after[] = {
	{ "bundle", 'b', OPTION_BUNDLE },
	{ "config", 'f', OPTION_CONFIG },
	{ "console-socket", 'c', OPTION_VALUE },
	{ "pid-file", 'p', OPTION_VALUE },
	{ "pidfd-socket", 0, OPTION_VALUE },
	{ "preserve-fds", 0, OPTION_VALUE },
	{ "no-pivot", 0, OPTION_FLAG },
	{ "no-new-keyring", 0, OPTION_FLAG },
	{ "no-subreaper", 0, OPTION_FLAG },
	{ "detach", 'd', OPTION_FLAG },
	{ "keep", 0, OPTION_FLAG },
	{ 0 },
};

struct line {
	int argc, at;
	char *const *argv;
	struct runtime_call *call;
};

static const struct known *find_long(const struct known *table, const char *name, size_t len)
{
	for (; table->name; table++) {
		if (strncmp(table->name, name, len) == 0 && !table->name[len])
			return table;
	}
	return NULL;
}

static const struct known *find_letter(const struct known *table, char letter)
{
	for (; table->name; table++) {
		if (table->letter == letter)
			return table;
	}
	return NULL;
}

static bool has_value(const struct known *k)
{
	return k->kind != OPTION_FLAG && k->kind != OPTION_SYSTEMD;
}

/* `attached`: what the option's own word says of its value, NULL: nothing. */
static void take(struct line *l, const struct known *k, const char *attached)
{
	const char *value = attached;

	if (has_value(k) && !value) {
		if (l->at >= l->argc) {
			l->call->certain = false;
			return;
		}
		value = l->argv[l->at++];
	}
	if (k->kind == OPTION_BUNDLE)
		l->call->bundle = value;
	else if (k->kind == OPTION_CONFIG)
		l->call->config = value;
	else if (k->kind == OPTION_SYSTEMD)
		l->call->systemd = !value || strcmp(value, "false") != 0;
	else if (k->kind == OPTION_CGROUPS)
		l->call->systemd = strcmp(value, "systemd") == 0;
}

/* A name that isn't known may take the next word for its value; with one attached it can't. */
static void read_long(struct line *l, const struct known *table, const char *name)
{
	size_t len = strcspn(name, "=");
	const struct known *k = find_long(table, name, len);
	const char *attached = name[len] ? name + len + 1 : NULL;

	if (k)
		take(l, k, attached);
	else if (!attached)
		l->call->certain = false;
}

/* "-b X", "-b=X" (runc), "-bX" (crun). Go's runtimes also take "-bundle X", which is "-b undle" for
 * the others. */
static void read_letter(struct line *l, const struct known *table, const char *word)
{
	const struct known *k = find_letter(table, word[0]);
	const char *rest = word[1] == '=' ? word + 2 : word[1] ? word + 1 : NULL;

	if (!k || find_long(before, word, strcspn(word, "=")) ||
	    find_long(after, word, strcspn(word, "=")) || (rest && !has_value(k)))
		l->call->certain = false;
	else
		take(l, k, rest);
}

/* Options until a word that is none, which it returns. */
static const char *read_options(struct line *l, const struct known *table)
{
	while (l->at < l->argc) {
		const char *word = l->argv[l->at++];

		if (word[0] != '-' || !word[1])
			return word;
		if (strcmp(word, "--") == 0)
			return l->at < l->argc ? l->argv[l->at++] : NULL;
		if (word[1] == '-')
			read_long(l, table, word + 2);
		else
			read_letter(l, table, word + 1);
	}
	return NULL;
}

static bool is_start(const char *command)
{
	return command && (strcmp(command, "create") == 0 || strcmp(command, "run") == 0);
}

void runtime_call_read(int argc, char *const argv[], struct runtime_call *ret)
{
	struct line l = { argc, 1, argv, ret };
	const char *more;

	*ret = (struct runtime_call){ .bundle = ".", .certain = true };
	ret->command = read_options(&l, before);
	/* Options of other commands are other ones, and nobody asks about them. */
	if (!is_start(ret->command))
		return;
	ret->id = read_options(&l, after);
	more = ret->id ? read_options(&l, after) : NULL;
	if (more || (ret->id && !*ret->id))
		ret->certain = false;
}

bool runtime_call_starts(const struct runtime_call *c)
{
	return is_start(c->command) && c->certain && c->id;
}
