/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the syscall program may rest: something runs, all of it was started in probation or enforce
 * (learn/under.h), and nothing was made for REST_QUIET_MS. It wakes with the first cgroup that is
 * made, from the thread that reads the ring: a program is attached in 0.15 ms, a container's first
 * exec comes some 14 ms after its cgroup (measured, runc 1.1.5).
 */
#pragma once

#include "learn/under.h"
#include "sensor/sensor.h"

#define REST_QUIET_MS 3000

struct rest;
int rest_new(struct sensor *sensor, const struct under *under, struct rest **ret);
void rest_free(struct rest *r); /* awake again */
/* After each drain. 1: it changed, *ret_resting says to what. */
int rest_look(struct rest *r, int64_t now_ms, bool *ret_resting);
/* From any thread: a cgroup was made. */
void rest_wake(struct rest *r);
