/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_text.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define ROOM_FIRST 4096 /* for most of what is written */

/* Into a buffer that is large enough nothing can fail. */
char *json_text(const json_t *json, size_t flags)
{
	for (size_t room = ROOM_FIRST;;) {
		_free_ char *text = malloc(room);
		size_t len = text ? json_dumpb(json, text, room - 1, flags) : 0;

		if (len == 0)
			return NULL;
		if (len < room) {
			text[len] = '\0';
			return TAKE_PTR(text);
		}
		room = len + 1;
	}
}
