/* SPDX-License-Identifier: Apache-2.0 */
/* The last phase: which of the learned calls the tests do without. */
#include <errno.h>

#include "base/text.h"
#include "mine/mine_internal.h"

int mine_minimise(struct mine *m)
{
	return text_why(-EOPNOTSUPP, &m->ret->why, "minimising isn't there yet");
}
