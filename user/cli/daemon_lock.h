/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Two daemons would take each other's units and events: a directory is one's alone. The lock ends with
 * the descriptor, or the process. Negative errno, logged. */
int daemon_lock(const char *dir, int *ret);

/* The same of a directory that is made when it isn't there, for root alone. */
int daemon_lock_made(const char *dir, int *ret);
