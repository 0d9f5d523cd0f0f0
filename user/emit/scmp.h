/* SPDX-License-Identifier: Apache-2.0 */
/* libseccomp's view of a call; scmp_build and scmp_is_exact are in emit.h. */
#pragma once

#include "model/abi.h"

/* The number as the kernel and libseccomp have it: with bit 30 for x32, ARM's own calls where
 * they really are. */
uint32_t scmp_number(enum tamis_abi abi, uint32_t nr);

/* Whether the libseccomp of this host has the name, so that an engine on it can say it. */
bool scmp_knows(enum tamis_abi abi, const char *name);

/* Whether libseccomp lets i386's socketcall or ipc in together with this name. */
bool scmp_is_multiplexed(const char *name);
