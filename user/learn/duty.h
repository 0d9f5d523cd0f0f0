/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The duty cycle: where all that runs is known well (learn/converged.h) it is watched in samples, with
 * rests between them. Pure.
 *
 *  - Not converged: watched all the time.
 *  - A sample in which nothing was new is followed by a rest, each twice as long as the one before, up
 *    to the longest. Rests are of random length around that, so that what happens every so often isn't
 *    missed again and again.
 *  - Anything new (a call, an executable) ends a rest and begins a sample; the rest that follows is the
 *    shortest again. A start is watched for DUTY_START samples.
 *  - Whatever else wakes it (a cgroup that is nobody's) begins a sample, and the rests go on as they were.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DUTY_START    6
#define DUTY_WAKE_MS  3000 /* watched at least after a wake: whose it was may not be known yet */
#define DUTY_PERCENT  5	   /* default */
#define DUTY_SAMPLE_S 10

enum duty_state { DUTY_WATCH, DUTY_SAMPLE, DUTY_REST };

struct duty {
	int64_t sample_ms, longest_ms; /* a sample, and the longest rest on average */
	enum duty_state state;
	int64_t since_ms, until_ms; /* of the sample or rest under way */
	int64_t rest_ms;	    /* the next one, on average */
};

/* `percent` (1..99) of the time is watched at the least. */
void duty_init(struct duty *d, int64_t sample_ms, unsigned percent);

struct duty_now {
	int64_t ms;	/* a clock that counts on while the machine sleeps */
	bool converged; /* all that runs */
	bool news, started, woken;
	uint32_t random;
};
/* True: rest until the next step says otherwise. */
bool duty_step(struct duty *d, const struct duty_now *now);
