/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* RFC 4648, on one line, in fresh memory; NULL when there is none. */
char *base64_encode(const void *data, size_t len);
