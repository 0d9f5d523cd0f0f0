/* SPDX-License-Identifier: Apache-2.0 */
/*
 * podman's precreate hook: the spec on standard input, what it is to be on standard output. A hook
 * that says nothing, or fails, stops the container: so whatever happens, the spec goes back as it
 * came.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "start/ask.h"
#include "start/guard.h"
#include "start/report.h"
#include "start/spec.h"
#include "start/start.h"
#include "start/stream.h"

/* Seconds that this process gives itself; podman gives a hook ten. */
#define PATIENCE 4

static struct stream given;
static volatile int begun; /* something was written: it can't be taken back */

static void write_given(void)
{
	if (begun++)
		return;
	if (stream_write(STDOUT_FILENO, given.text, given.len) && given.more)
		stream_pass(STDIN_FILENO, STDOUT_FILENO);
}

static void give_up(void)
{
	write_given();
	guard_report();
	_exit(0);
}

static void answer(const struct start_options *o, const struct identity_start *s)
{
	_free_ char *text = NULL, *line = NULL;
	const char *fault = NULL;
	size_t len = 0;

	if (ask_spec(o, s, &text, &len, &fault) > 0 && !begun++)
		(void)stream_write(STDOUT_FILENO, text, len);
	else
		write_given();
	if (!fault)
		return;
	line = text_format("the worker %s; started under the engine's own profile", fault);
	ask_report(o, s, line ? line : fault);
}

int start_precreate(const char *state)
{
	struct start_options o = { .state = state };
	struct identity_start s;

	stream_read(STDIN_FILENO, 4 * SPEC_MAX, &given);
	guard_set(give_up, PATIENCE);
	s = (struct identity_start){ .text = given.text, .len = given.len };
	report_to(state, "tamis-start");
	if (given.more || given.len > SPEC_MAX || given.len == 0) {
		write_given();
		ask_report(&o, NULL,
			   given.len ? "the spec is too large; started under the "
				       "engine's own profile"
				     : "there is no spec");
		return 0;
	}
	answer(&o, &s);
	return 0;
}
