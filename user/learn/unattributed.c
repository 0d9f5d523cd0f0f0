/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/unattributed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"

#define META "unattributed"

int unattributed_get(struct store *s, uint64_t *ret)
{
	_free_ char *text = NULL;
	int r = store_meta_get(s, META, &text);

	if (r == 0)
		*ret = text ? strtoull(text, NULL, 10) : 0;
	return r;
}

int unattributed_add(struct store *s, uint64_t more)
{
	_free_ char *text = NULL;
	uint64_t before;
	int r = unattributed_get(s, &before);

	if (r < 0)
		return r;
	text = text_format("%" PRIu64, before > UINT64_MAX - more ? UINT64_MAX : before + more);
	return text ? store_meta_set(s, META, text) : -ENOMEM;
}
