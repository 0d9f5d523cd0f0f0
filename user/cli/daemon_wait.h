/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting outside of the event loop. */
#pragma once

#include <stdbool.h>

/* A second. False: SIGTERM or SIGINT, which are blocked, came meanwhile. */
bool daemon_wait(void);
