/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that mining runs for its own sake (podman, a test, a client), and what it printed. In a
 * session of its own, so that a ^C at the terminal reaches it only through us; its standard input is
 * empty. It ends, with all it started in its process group, when its time is over or a stop is asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define RUN_OUT_MAX (1u << 20) /* bytes of output kept of one: the first half and the last */

struct run_options {
	const char *const *argv;
	const char *const *env; /* "NAME=value", in addition to ours; NULL: none */
	const char *dir;	/* working directory; NULL: ours */
	int64_t limit_ms;	/* 0: none */
	int stop_fd;	  /* readable when everything is to end (mine/stop.h); -1: nobody asks */
	int64_t grace_ms; /* what is under way may still take so long once a stop is asked */
};

struct run_result {
	int status;   /* of waitpid(2) */
	bool hung;    /* its time was over */
	bool stopped; /* by stop_fd */
	char *out;    /* standard output and error together, NUL-terminated; hostile */
	size_t out_len;
	bool cut; /* there was more of it than is kept */
	int64_t took_ms;
};
void run_result_done(struct run_result *r);
#define _run_result_ __attribute__((cleanup(run_result_done)))

/* Runs it to its end, or, where that is sooner, until nobody of its process group is left who could
 * print more. -ENOENT, -EACCES, ... : it could not be started. -EINTR: it was stopped (ret is filled). */
int run_program(const struct run_options *o, struct run_result *ret);

/* Whether it ended by itself, with 0. */
bool run_succeeded(const struct run_result *r);
/* Its last line that isn't blank, at most `max` bytes of it: there it says what is wrong. "": none.
 * Caller frees. NULL: -ENOMEM. */
char *run_last_line(const struct run_result *r, size_t max);
/* CLOCK_MONOTONIC. */
int64_t run_now_ms(void);
