/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the syscall program may rest: something runs, all of it was started in probation or enforce
 * (learn/under.h), and nothing was made for REST_QUIET_MS. It wakes with the first cgroup that is
 * made, from the thread that reads the ring: a program is attached in 0.15 ms, a container's first
 * exec comes some 14 ms after its cgroup (measured, runc 1.1.5).
 *
 * With a duty cycle (learn/duty.h) it also naps while nothing is new in what runs without a filter, and
 * wakes besides with the exec of an executable that is new to its cgroup.
 */
#pragma once

#include "learn/duty.h"
#include "learn/under.h"
#include "sensor/sensor.h"

#define REST_QUIET_MS 3000

struct rest;
int rest_new(struct sensor *sensor, const struct under *under, struct rest **ret);
void rest_free(struct rest *r); /* awake again */
/* After each drain. 1: it changed, *ret_resting says to what. */
int rest_look(struct rest *r, int64_t now_ms, bool *ret_resting);
/* From any thread: a cgroup was made; an executable was new to one, which ends a nap alone. */
void rest_wake(struct rest *r);
void rest_wake_nap(struct rest *r);

/* --- the duty cycle, by the thread that looks --------------------------------------------- */

/* Off until then. */
void rest_duty(struct rest *r, int64_t sample_ms, unsigned percent);
/* What the next looks go by: whether all that runs without a filter is converged, until this is said
 * anew; and that something was new, or started, since the last look. */
void rest_converged(struct rest *r, bool converged);
void rest_news(struct rest *r, bool started);
bool rest_naps(const struct rest *r);
/* What was napped since this was asked last, in ms. */
int64_t rest_napped(struct rest *r, int64_t now_ms);
