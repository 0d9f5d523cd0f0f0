/* SPDX-License-Identifier: Apache-2.0 */
/* What this host supports, asked by trying. Each probe says one thing or more. */
#pragma once

#include <stddef.h>

enum support { SUPPORT_FINE, SUPPORT_DEGRADED, SUPPORT_MISSING, SUPPORT_MAX };

#define PROBE_TEXT_MAX 256

struct finding {
	const char *name;
	enum support level;
	char text[PROBE_TEXT_MAX]; /* how, or what follows from it */
};

#define FINDINGS_MAX 64

struct findings {
	struct finding item[FINDINGS_MAX];
	size_t cnt;
};

void findings_add(struct findings *f, const char *name, enum support level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* All of them, in the order in which they are shown. */
void probes_kernel(struct findings *f);
void probes_tools(struct findings *f);
void probes_ways(struct findings *f);
