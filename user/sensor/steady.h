/* SPDX-License-Identifier: Apache-2.0 */
/* The front door of kernels that preempt tasks inside of raw_tp programs (bpf/steady.bpf.h). */
#pragma once

#include <stdint.h>

struct bpf_link;
struct bpf_program;

/* Whether this kernel is one: > 0, with the number of the event that the door wants. 0 also where that
 * can't be found out. */
int steady_wanted(uint32_t *ret_event);
/* Attaches the program that makes perf's probe pass events on. NULL and errno on failure. */
struct bpf_link *steady_feed(const struct bpf_program *feed, uint32_t event);
