/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keeper.h"

#include <stdlib.h>

int keeper_run(const struct keeper_options *o)
{
	(void)o;
	return EXIT_FAILURE;
}
