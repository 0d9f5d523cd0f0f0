/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complain.h"

#include <string.h>

#include "base/log.h"

#define EVERY_S 60

void complain(time_t *last, int r, const char *what, const struct store *s, const char *then)
{
	time_t now = time(NULL);

	if (now - *last < EVERY_S && now >= *last)
		return;
	*last = now;
	log_err("%s: %s (%s); %s", what, strerror(-r), store_error(s), then);
}
