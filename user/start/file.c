/* SPDX-License-Identifier: Apache-2.0 */
/* The applied policy as a file, for engines that read one when a container is made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply/applied.h"
#include "apply/gate.h"
#include "apply/meet.h"
#include "emit/emit.h"
#include "start/report.h"
#include "start/start.h"

#define GATE_WAIT_MS 5000

/* Nobody takes a file back: what is on trial isn't for one. */
static const struct generation *choose_generation(const struct applied *a)
{
	if (a->mode == MODE_SHADOW)
		return NULL;
	if (a->now.state == GENERATION_GOOD)
		return &a->now;
	return a->has_good ? &a->good : NULL;
}

static void warn(void *ctx, const char *line)
{
	fprintf(stderr, "tamis-start: %s\n", line);
}

static int write_generation(const struct emit_format *format, const struct applied *a,
			    const struct generation *g, const char *state)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	struct policy p = { .workload = a->key, .learned = &g->learned, .evidence = &g->evidence };
	const struct emit_options options = { 0 };
	int r = gate_of_installed(state, GATE_WAIT_MS, gate, NULL);

	if (r == 0)
		r = meet_generation(g, NULL, gate, &filter);
	p.filter = filter;
	if (r == 0)
		r = emit_limits(format, &p, warn, NULL);
	if (r == 0)
		r = format->write(&p, &options, stdout);
	return r == 0 && fflush(stdout) != 0 ? -errno : r;
}

static int fail(const char *key, const char *why)
{
	fprintf(stderr, "tamis-start: %s: %s\n", key, why);
	return 1;
}

int start_file(const char *state, const char *key, const char *format)
{
	const struct emit_format *f = emit_find(format);
	_applied_ struct applied a = { 0 };
	_free_ char *why = NULL;
	const struct generation *g;
	int r;

	if (!f) {
		fprintf(stderr, "tamis-start: unknown format \"%s\"\n", format);
		return 2;
	}
	r = applied_read(state, key, &a, &why);
	if (r < 0)
		return fail(key, r == -ENOENT ? "nothing is applied to that key" : why);
	g = choose_generation(&a);
	if (!g)
		return fail(a.key, "no generation that is enforced is known to be good");
	r = write_generation(f, &a, g, state);
	return r < 0 ? fail(a.key, strerror(-r)) : 0;
}
