/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager's store of descriptors (sd_notify(3), FDSTORE=1): what outlives the keeper. Where
 * there is no manager, or no store, these do nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Kept as "WHAT-NUMBER". With `watched` the manager drops it by itself when it is hung up. */
void fdstore_put(const char *what, uint64_t number, int fd, bool watched);
void fdstore_drop(const char *what, uint64_t number);
/* The number of such a name; false: it is another one. */
bool fdstore_number(const char *name, const char *what, uint64_t *ret);
