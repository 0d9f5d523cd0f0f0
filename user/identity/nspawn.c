/* SPDX-License-Identifier: Apache-2.0 */
/* systemd-nspawn, by path only: UNIT/payload below machine.slice; UNIT/supervisor is itself. */
#include <errno.h>
#include <string.h>

#include "identity/engine.h"
#include "identity/key.h"

/* The machine's name within the name of its unit. */
static size_t machine(const struct place *unit, const char **ret)
{
	static const struct {
		const char *prefix, *suffix;
	} shapes[] = { { "systemd-nspawn@", ".service" }, { "machine-", ".scope" } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t prefix = strlen(shapes[i].prefix), suffix = strlen(shapes[i].suffix);

		if (!place_starts(unit, shapes[i].prefix) || !place_ends(unit, shapes[i].suffix) ||
		    unit->end - unit->start <= prefix + suffix)
			continue;
		*ret = unit->path + unit->start + prefix;
		return unit->end - unit->start - prefix - suffix;
	}
	return 0;
}

/* Asked at the unit, so that a watch on it can't come first. */
static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *name, *rest = p->path + p->end;
	size_t len;

	if (p->kind != PLACE_SYSTEM || p->depth != 1 || !place_top_is(p, "machine.slice"))
		return MATCH_NONE;
	len = machine(p, &name);
	if (len == 0)
		return MATCH_NONE;
	if (strcmp(rest, "/supervisor") == 0)
		return MATCH_MONITOR;
	if (strncmp(rest, "/payload", strlen("/payload")) != 0)
		return MATCH_NONE;
	rest += strlen("/payload");
	if (*rest && *rest != '/')
		return MATCH_NONE;
	engine_claim(p, name, len, ret);
	ret->len = (size_t)(rest - p->path);
	return MATCH_CONTAINER;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The byte that "\xNN" stands for; 0 for anything else, "\x00" too. */
static char escaped_byte(const char *s)
{
	int high, low;

	if (s[0] != '\\' || s[1] != 'x')
		return '\0';
	high = hex_digit(s[2]);
	low = high < 0 ? -1 : hex_digit(s[3]);
	return low < 0 ? '\0' : (char)(high * 16 + low);
}

/* systemd writes '-' and other bytes of a name so. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		char byte = escaped_byte(s);

		*out++ = byte ? byte : *s;
		s += byte ? strlen("\\xNN") : 1;
	}
	*out = '\0';
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	ret->name = strdup(ret->container);
	if (!ret->name)
		return -ENOMEM;
	unescape(ret->name);
	return engine_key(ret, 0, false, NULL);
}

const struct engine engine_nspawn = { "nspawn", false, match, fill };
