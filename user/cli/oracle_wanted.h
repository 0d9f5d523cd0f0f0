/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a workload can have an oracle. For the command and the daemon. */
#pragma once

#include "learn/oracle.h"

/* What runs it, from its key: "container:NAME" or "unit:NAME". Caller frees; NULL: nothing that an
 * oracle could stop and start, or out of memory. */
char *oracle_wanted_production(const struct store_row *row);

/* One sentence without a period why not; NULL: it can. Caller frees. `hardened` as is. Not asked:
 * whether there is such a container. */
char *oracle_wanted_refuses(const struct store_row *row, const char *production,
			    const char *hardened);

/* Asks podman or systemd about production, which may take a second, and whether there is a way into its
 * starts: as above. `state`: for what podman says. */
char *oracle_wanted_asks(const char *state, const struct store_row *row, const char *production);
