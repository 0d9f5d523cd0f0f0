/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files of systemd, for the one question whether a unit only carries containers. */
#pragma once

#include <stdbool.h>

#include "identity/place.h"

/* Whether the unit that p's component is, or else the innermost one above it, starts an engine
 * or an engine's command: by its name (docker.service), or by the ExecStart= of its file. */
bool unit_is_carrier(const char *root, const struct place *p);

/* Whether an ExecStart= line of a unit file's text starts an engine. Cuts text. */
bool unit_text_carries(char *text);
