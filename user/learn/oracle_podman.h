/* SPDX-License-Identifier: Apache-2.0 */
/* What `podman inspect` says of a container: hostile, as far as its owner chose it. Pure. */
#pragma once

#include "learn/oracle_argv.h"

struct oracle_inspected {
	struct oracle_argv create; /* its command line; none: not made by podman's run or create */
	bool running;
	int code;	   /* of its last run */
	bool removes_self; /* --rm */
	char *unit;	   /* PODMAN_SYSTEMD_UNIT: systemd starts it; NULL: nobody says so */
};
void oracle_inspected_done(struct oracle_inspected *i);
#define _inspected_ __attribute__((cleanup(oracle_inspected_done)))

/* -EINVAL: not what podman prints of one container. */
int oracle_inspected_parse(const char *text, size_t len, struct oracle_inspected *ret);

/* Why production can't be this container, one sentence without a period; NULL: it can. */
const char *oracle_podman_refuses(const struct oracle_inspected *i);
