/* SPDX-License-Identifier: Apache-2.0 */
/* podman's poststop hook: a start on trial has ended, and how. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apply/applied.h"
#include "apply/trial.h"
#include "base/file.h"
#include "base/text.h"
#include "start/podman_end.h"
#include "start/report.h"
#include "start/spec.h"
#include "start/start.h"
#include "start/stream.h"

#define _identity_ __attribute__((cleanup(identity_donep)))

#define STATE_MAX (1u << 20) /* bytes of the runtime's State JSON */
#define PATIENCE  6	     /* seconds; podman gives a hook ten */
#define CLOCKS	  2	     /* seconds that two clocks may be apart */

/* The start of this container that has no end yet, or NULL. */
static const struct trial_start *find_start(const struct trial *t, const char *id)
{
	for (size_t i = t->cnt; i > 0; i--) {
		const struct trial_start *s = &t->start[i - 1];

		if (strcmp(s->id, id) == 0)
			return s->end == TRIAL_EXITED || s->end == TRIAL_KILLED ? NULL : s;
	}
	return NULL;
}

static int note_end(const char *state, const struct applied *a, const char *id)
{
	__attribute__((cleanup(trial_done))) struct trial t = { 0 };
	const struct trial_start *start;
	enum trial_end end = TRIAL_UNKNOWN;
	int r = trial_read(state, a->key, a->now.number, NULL, &t), status, code = 0;

	if (r < 0)
		return r;
	start = find_start(&t, id);
	if (!start)
		return 0;
	if (podman_end_find(id, time(NULL) - start->began_ms / 1000 - CLOCKS, &status) == 0)
		end = podman_end_of_code(status, &code);
	return trial_add_end(state, a->key, id, end, code);
}

static void ended(const char *state, const struct identity *id)
{
	_applied_ struct applied a = { 0 };
	_free_ char *why = NULL;
	int r = applied_read(state, id->key, &a, &why);

	/* What is wrong with it was said at the start. */
	if (r < 0 || a.mode != MODE_ENFORCE || a.now.state != GENERATION_TRIAL || !id->container)
		return;
	r = note_end(state, &a, id->container);
	if (r < 0)
		report_fault(id->key, "its end can't be noted: %s", strerror(-r));
}

int start_poststop(const char *state)
{
	json_auto_t *ended_state = NULL;
	_identity_ struct identity id = { 0 };
	_free_ char *path = NULL, *text = NULL;
	struct identity_start s = { 0 };
	struct stream in;

	(void)alarm(PATIENCE);
	report_to(state, "tamis-start");
	stream_read(STDIN_FILENO, STATE_MAX, &in);
	ended_state = in.more ? NULL : json_loadb(in.text ? in.text : "", in.len, 0, NULL);
	free(in.text);
	s.id = json_string_value(json_object_get(ended_state, "id"));
	s.bundle = json_string_value(json_object_get(ended_state, "bundle"));
	if (!s.id || !s.bundle || *s.bundle != '/')
		return 0;
	path = text_format("%s/config.json", s.bundle);
	if (!path || file_read(path, SPEC_MAX, &text, &s.len) < 0)
		return 0;
	s.text = text;
	if (identity_of_start(&(struct identity_options){ 0 }, &s, &id) == 0)
		ended(state, &id);
	return 0;
}
