/* SPDX-License-Identifier: Apache-2.0 */
/* When a service may be asked: a port that takes a connection, a line in its log, its healthcheck, a
 * command that succeeds; without one of these said, whatever it has of healthcheck and ports, or else
 * that it made no new call for a second. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct target;

struct ready_options {
	uint16_t port;	      /* 0: not asked */
	const char *log_line; /* extended regular expression; NULL likewise */
	const char *const *command;
	bool health;
	int64_t limit_ms;
	int stop_fd;
	/* Grows when a new call was seen; NULL: not known. */
	uint64_t (*seen)(void *arg);
	void *arg;
};
/* -ETIMEDOUT, -ECHILD (it ended before: *ret_why has its exit and the end of its log), -EINTR. */
int ready_wait(struct target *t, const struct ready_options *o, char **ret_why);
