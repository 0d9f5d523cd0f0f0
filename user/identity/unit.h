/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files of systemd: whether a unit only carries containers, or serves one connection. */
#pragma once

#include <stdbool.h>

#include "identity/place.h"

/* Whether the unit that p's component is, or else the innermost one above it, starts an engine
 * or an engine's command: by its name (docker.service), or by the ExecStart= of its file. */
bool unit_is_carrier(const char *root, const struct place *p);

/* Whether the carrier p's component has its container in its own cgroup (--cgroups=disabled). */
bool unit_is_shared(const char *root, const struct place *p);

/* "sshd@.service" for "sshd@3-10.0.0.1:22-10.0.0.2:5040.service", an instance that systemd made for
 * one connection to sshd.socket; NULL for any other unit. Caller frees. */
char *unit_of_connection(const char *root, const struct place *p);

/* Whether an ExecStart= line of a unit file's text starts an engine; one without a cgroup for its
 * container; whether a socket's says Accept=yes. They may cut text. */
bool unit_text_carries(char *text);
bool unit_text_shares(char *text);
bool unit_text_accepts(char *text);
