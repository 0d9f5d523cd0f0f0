/* SPDX-License-Identifier: Apache-2.0 */
/* policies/never/units: the syntax is in the file. */
#include <fnmatch.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/data.h"
#include "policy/data_text.h"

static const struct class
{
	const char *name, *why;
	bool alone; /* with its descendants it is another matter */
} classes[] = {
	{ "init", "it starts and holds everything else" },
	{ "login", "it is the way into this machine", true },
	{ "engine", "containers run under it, and its policy would bind them all" },
	{ "tamis", "it is part of tamis, which has to let go of a bad policy" },
};

static const struct class *class_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(classes[i].name, name) == 0)
			return &classes[i];
	return NULL;
}

static bool line_matches(struct data_text *line, const char *unit)
{
	char pattern[DATA_WORD];

	while (data_word(line, pattern) > 0)
		if (fnmatch(pattern, unit, 0) == 0)
			return true;
	return false;
}

static const struct class *class_of(const char *unit)
{
	struct data_text text = data_text_never(), line;
	char word[DATA_WORD];

	while (data_line(&text, &line))
		if (data_word(&line, word) > 0 && line_matches(&line, unit))
			return class_find(word);
	return NULL;
}

bool data_never(const char *unit, const char **ret_why)
{
	const struct class *c = class_of(unit);

	if (c)
		*ret_why = c->why;
	return c;
}

bool data_never_alone(const char *unit)
{
	const struct class *c = class_of(unit);

	return c && c->alone;
}
