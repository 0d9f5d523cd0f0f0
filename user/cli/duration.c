/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/duration.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define DAY	    86400
#define SECONDS_MAX (100LL * 365 * DAY)

int duration_parse(const char *text, int64_t *ret_seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY }, { 'w', 7 * DAY } };
	size_t len = strlen(text);
	_free_ char *digits = len ? strndup(text, len - 1) : NULL;
	uint64_t number;
	int r;

	if (!digits)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (text[len - 1] != units[i].letter)
			continue;
		r = text_u64(digits, (uint64_t)(SECONDS_MAX / units[i].seconds), &number);
		if (r == 0)
			*ret_seconds = (int64_t)number * units[i].seconds;
		return r;
	}
	return -EINVAL;
}
