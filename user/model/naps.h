/* SPDX-License-Identifier: Apache-2.0 */
/* When nobody watched although what runs ran: the rests of a duty cycle (learn/duty.h). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A stretch of time with one nap or several in it. Times are seconds since the epoch. */
struct nap {
	int64_t began, ended;
	int64_t slept_ms; /* of that; naps are taken to be spread evenly */
};

struct naps {
	struct nap *nap; /* growing by `began` */
	size_t cnt;
};

void naps_done(struct naps *n);
#define _naps_ __attribute__((cleanup(naps_done)))

/* How much of the time between was slept, in ms. */
int64_t naps_slept(const struct naps *n, int64_t from, int64_t to);
