/* SPDX-License-Identifier: Apache-2.0 */
/* Container names that nobody chose: the words in policies/names/engine-made. */
#pragma once

#include <stdbool.h>

/* "happy_curie", "happy_curie3". */
bool names_is_made(const char *name);

/* The name of a podman pod's own container, "0123456789ab-infra", "0123456789ab-service". */
bool names_is_infra(const char *name);
