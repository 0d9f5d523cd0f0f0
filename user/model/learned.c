/* SPDX-License-Identifier: Apache-2.0 */
#include "model/learned.h"

bool evidence_is_partial(const struct evidence *e)
{
	return e->starts == 0 || e->lost_full > 0 || e->lost_gaps > 0;
}
