/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in groups: policies/keep/calls, policies/risk/subsystems. */
#include <stdlib.h>
#include <string.h>

#include "policy/data.h"
#include "policy/data_text.h"

static const char *find_name(const char *const *names, const char *word)
{
	for (; *names; names++)
		if (strcmp(*names, word) == 0)
			return *names;
	return NULL;
}

/* Cuts "NAME:" or "NAME N:" off the front; no number leaves *ret_number as it is. */
const char *data_group_line(struct data_text *line, const char *const *names, double *ret_number)
{
	const char *colon = memchr(line->p, ':', (size_t)(line->end - line->p));
	char word[DATA_WORD], number[DATA_WORD];
	struct data_text head;
	const char *name;

	if (!colon)
		return NULL;
	head = (struct data_text){ line->p, colon };
	if (data_word(&head, word) <= 0)
		return NULL;
	name = find_name(names, word);
	if (name && ret_number && data_word(&head, number) > 0)
		*ret_number = strtod(number, NULL);
	line->p = colon + 1;
	return name;
}

static bool line_has(struct data_text line, const char *call)
{
	char word[DATA_WORD];

	while (data_word(&line, word) > 0)
		if (strcmp(word, call) == 0)
			return true;
	return false;
}

const char *data_group(struct data_text text, const char *const *names, const char *call)
{
	struct data_text line;

	while (data_line(&text, &line)) {
		const char *name = data_group_line(&line, names, NULL);

		if (name && line_has(line, call))
			return name;
	}
	return NULL;
}
