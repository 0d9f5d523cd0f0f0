/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/project.h"

#include <string.h>

#define DIGITS "0123456789"
#define ALNUM  "abcdefghijklmnopqrstuvwxyz" DIGITS

/* s after `text` and one '-' or '_', or NULL. */
static const char *after(const char *s, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || strncmp(s, text, len) != 0 || (s[len] != '-' && s[len] != '_'))
		return NULL;
	return s + len + 1;
}

static bool is_all(const char *s, const char *set)
{
	return *s && s[strspn(s, set)] == '\0';
}

bool project_made(const char *name, const char *project, const char *service)
{
	const char *s = after(name, project), *run;

	s = s ? after(s, service) : NULL;
	if (!s)
		return false;
	run = after(s, "run");
	return is_all(s, DIGITS) || (run && is_all(run, ALNUM));
}

bool project_is_task(const char *name, const char *service)
{
	size_t len = strlen(service), slot;

	if (len == 0 || strncmp(name, service, len) != 0 || name[len] != '.')
		return false;
	name += len + 1;
	slot = strspn(name, ALNUM);
	return slot > 0 && name[slot] == '.' && is_all(name + slot + 1, ALNUM);
}
