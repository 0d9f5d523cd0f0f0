/* SPDX-License-Identifier: Apache-2.0 */
/* Options of compose that change what was learned before it is composed. Pure. */
#pragma once

#include <stddef.h>

#include "model/learned.h"

/* Groups of calls of which a libc may use another one tomorrow (policies/widen/): open, openat,
 * openat2; the stat family; epoll and poll variants; ... */
#define WIDEN_GROUPS_MAX 64
struct widen_group {
	struct sysset calls[TAMIS_ABI_MAX];
};

/* Of each group that a stage has a call of, the stage gets all calls of that ABI; never one that is
 * in `but` (TAMIS_ABI_MAX sets: guarded ones; may be NULL). Idempotent. */
void learned_widen(struct learned *l, const struct widen_group *g, size_t cnt,
		   const struct sysset *but);

/* What was learned on one machine for another (x86-64 and aarch64, and their 32-bit companions), by
 * name; calls that are spelled otherwise there (open: openat, stat: newfstatat, fork: clone, ...) by
 * policies/widen/translate. `ret_lost` (may be NULL): calls of the source that the target has under
 * no name. -EOPNOTSUPP for an ABI that isn't native anywhere. */
struct translation {
	enum tamis_abi from, to;
	uint32_t nr, nr_to;
};
int learned_translate(const struct learned *l, enum tamis_abi to, const struct translation *t,
		      size_t cnt, struct learned *ret, struct sysset ret_lost[TAMIS_ABI_MAX]);
