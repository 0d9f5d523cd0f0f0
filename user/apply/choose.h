/* SPDX-License-Identifier: Apache-2.0 */
/* What a start gets. Pure, tested as a table. */
#pragma once

#include "apply/applied.h"
#include "apply/trial.h"

/* What is known of the container that is about to start. */
struct start_facts {
	const char *engine;	  /* of identity */
	const char *image_digest; /* NULL: not known */
	const char *why_not;	  /* identity says that it can't be enforced */
	bool has_profile;	  /* the engine gave it a filter */
	bool privileged;	  /* all capabilities: nobody confines it on purpose */
	bool can_keep_trial;	  /* root, with a place to write */
	const char *
		no_probation; /* why it can't be had here (no keeper, rootless, the runtime), or NULL */
};

enum choice_kind {
	CHOICE_LEAVE, /* as the engine made it */
	CHOICE_ENFORCE,
	CHOICE_PROBE, /* enforce in probation: `generation` whatever its state is, never on trial */
};

struct choice {
	enum choice_kind kind;
	const struct generation *generation; /* to enforce; a's now or good */
	bool trial;			     /* this start is counted */
	bool failed; /* `now` failed its trial: `good` is taken, or nothing is */
	bool quiet;  /* leaving it is what was asked for (shadow): nothing to say */
	char why[160];
};

/*
 * Leaves it: shadow; why_not; an image digest that the generation doesn't know, unless
 * keep_new_image (a generation without digests, or a start without one, asks nothing); no profile
 * although the engine always gives one (podman, docker, crio), or privileged, unless a->unconfined.
 * `said` is trial_judge_next of `now`'s starts, NULL: nothing is known. FAILED takes `good`, without
 * one leaves it; so does `now` on trial where no trial can be kept.
 *
 * In probation (and for a new image with probe_new_image) the same things leave it, and so does
 * no_probation.
 */
struct choice choose(const struct applied *a, const struct start_facts *f,
		     const struct trial_said *said);
