/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_lost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"

#define META	"denials-lost"
#define EVERY_S 60

int daemon_lost_get(struct store *s, uint64_t *ret)
{
	_free_ char *text = NULL;
	int r = store_meta_get(s, META, &text);

	if (r == 0)
		*ret = text ? strtoull(text, NULL, 10) : 0;
	return r;
}

static int keep(struct store *s, uint64_t lost)
{
	_free_ char *text = text_format("%" PRIu64, lost);
	int r = text ? store_begin(s) : -ENOMEM;

	if (r < 0)
		return r;
	r = store_meta_set(s, META, text);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

static bool is_recent(const struct daemon_lost *l, time_t now)
{
	return l->at && now >= l->at && now - l->at < EVERY_S;
}

/* Maps that were made anew count from nothing. */
int daemon_lost_tell(struct daemon_lost *l, struct store *s, uint64_t lost, time_t now)
{
	int r = l->is_known ? 0 : daemon_lost_get(s, &l->told);

	if (r < 0)
		return r;
	l->is_known = true;
	if (lost == l->told || is_recent(l, now))
		return 0;
	r = keep(s, lost);
	if (r < 0)
		return r;
	if (lost > l->told) {
		l->at = now;
		log_warn("%" PRIu64 " refused calls found no room to be kept: 'tamis denials' "
			 "lacks them",
			 lost - l->told);
	}
	l->told = lost;
	return 0;
}
