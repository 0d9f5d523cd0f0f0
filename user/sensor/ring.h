/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's ring buffer, read through a small window. libbpf maps all of it, twice, which is resident
 * memory of the daemon's for as long as it lives; nearly always nothing is in it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define RING_RECORD_MAX 2048 /* no record is handed over with more: the rest is cut */

struct ring;

/* `size` is the map's max_entries. */
int ring_new(int map_fd, uint32_t size, struct ring **ret);
void ring_free(struct ring *r);
CLEANUP_DEFINE(struct ring *, ring_free);

/* Readable when the kernel rang: an epoll descriptor. */
int ring_fd(const struct ring *r);

/* Hands over all records that wait, one thread at a time. Negative errno. */
typedef void (*ring_fn)(const void *record, size_t len, void *arg);
int ring_read(struct ring *r, ring_fn fn, void *arg);
