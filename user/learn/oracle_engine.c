/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "learn/oracle.h"

static const struct oracle_engine *const engines[] = { &oracle_podman, &oracle_unit };

const struct oracle_engine *oracle_engine_of(const char *production, const char **ret_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		size_t len = strlen(engines[i]->prefix);

		if (strncmp(production, engines[i]->prefix, len) != 0)
			continue;
		if (ret_name)
			*ret_name = production + len;
		return engines[i];
	}
	return NULL;
}
