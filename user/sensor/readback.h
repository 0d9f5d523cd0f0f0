/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes out of maps and ring, bounded. Pinned objects may be another version's or anybody's,
 * and names are whatever a container chose: nothing here trusts a length, a number or a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/* No counter is larger: sums of many still fit what a store can hold. */
#define READBACK_COUNT_MAX (UINT64_C(1) << 48)

/* At most READBACK_COUNT_MAX. */
uint64_t readback_number(uint64_t n);
/* One record of the ring. *ret is its head: text_len is what `text` really holds, comm ends with a
 * NUL; its own text is not there. False for one that makes no sense, both are untouched then. */
bool readback_event(const void *data, size_t len, struct tamis_event *ret,
		    char text[TAMIS_TEXT_PATH + 1]);
bool readback_key(const struct tamis_key *key);
/* A set as the legacy door keeps it; `unit` is the current one. Of 32 calls that share a word the
 * last unit is kept, as the programs do. */
void readback_legacy(const struct tamis_legacy_set *kept, uint32_t unit, struct tamis_set *ret);
/* A copy that the caller frees. -ENOENT when there is no path in it. */
int readback_path(const struct tamis_path *path, char **ret);
/* False for one that makes no sense, or was never counted. */
bool readback_denied(const struct tamis_denied_key *key, const struct tamis_denied *d,
		     struct tamis_denied *ret);
struct tamis_loss readback_loss(const struct tamis_loss *loss);
/* False when nobody left. */
bool readback_leave(const struct tamis_leave *leave, struct tamis_leave *ret);
