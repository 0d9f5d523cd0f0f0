/* SPDX-License-Identifier: Apache-2.0 */
/* policies/widen/groups: a group on each line. */
#include <errno.h>
#include <string.h>

#include "model/widen.h"
#include "policy/data.h"
#include "policy/data_text.h"

int data_widen(struct widen_group *ret, size_t *ret_cnt)
{
	_free_ struct widen_group *group = calloc(WIDEN_GROUPS_MAX, sizeof(*group));
	struct data_text text = data_text_widen(), line;
	size_t cnt = 0;

	if (!group)
		return -ENOMEM;
	while (data_line(&text, &line)) {
		int r = cnt < WIDEN_GROUPS_MAX ? data_list(line, group[cnt].calls) : -EINVAL;

		if (r < 0)
			return r;
		cnt++;
	}
	memcpy(ret, group, cnt * sizeof(*group));
	*ret_cnt = cnt;
	return 0;
}
