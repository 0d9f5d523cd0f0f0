/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/choose.h"

#include <stdarg.h>
#include <string.h>

/* These give every container a profile: one without it chose so. */
static const char *const always_confine[] = { "podman", "docker", "crio" };

static struct choice leave(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static struct choice leave(const char *fmt, ...)
{
	struct choice c = { .kind = CHOICE_LEAVE };
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(c.why, sizeof(c.why), fmt, args);
	va_end(args);
	return c;
}

static bool engine_always_confines(const char *engine)
{
	for (size_t i = 0; engine && i < ARRAY_SIZE(always_confine); i++)
		if (strcmp(engine, always_confine[i]) == 0)
			return true;
	return false;
}

static bool knows_image(const struct generation *g, const struct start_facts *f)
{
	return !f->image_digest || g->image_cnt == 0 || generation_has_image(g, f->image_digest);
}

/* What stands against any generation of it. */
static struct choice look_at_start(const struct applied *a, const struct start_facts *f)
{
	if (f->why_not)
		return leave("%s", f->why_not);
	if (a->unconfined)
		return (struct choice){ .kind = CHOICE_ENFORCE };
	if (f->privileged)
		return leave("it is privileged");
	if (!f->has_profile && engine_always_confines(f->engine))
		return leave("it runs unconfined, as whoever made it chose");
	return (struct choice){ .kind = CHOICE_ENFORCE };
}

/* What its generation lacks asks, so whether that is good or on trial doesn't matter. */
static struct choice probe(const struct applied *a, const struct start_facts *f,
			   const char *because)
{
	struct choice c = { .kind = CHOICE_PROBE, .generation = &a->now };

	if (f->no_probation)
		return leave("%sit can't be in probation here: %s", because, f->no_probation);
	(void)snprintf(c.why, sizeof(c.why), "%sgeneration %u in probation", because,
		       (unsigned)a->now.number);
	return c;
}

static struct choice new_image(const struct applied *a, const struct start_facts *f,
			       const struct generation *g)
{
	if (a->probe_new_image)
		return probe(a, f, "its image is new: ");
	return leave("its image is new: generation %u wasn't learned from it", (unsigned)g->number);
}

static struct choice enforce(const struct applied *a, const struct start_facts *f,
			     const struct generation *g)
{
	struct choice c = { .kind = CHOICE_ENFORCE, .generation = g };

	if (!a->keep_new_image && !knows_image(g, f))
		return new_image(a, f, g);
	(void)snprintf(c.why, sizeof(c.why), "generation %u", (unsigned)g->number);
	return c;
}

/* The good one instead of `now`, if there is one. */
static struct choice fall_back(const struct applied *a, const struct start_facts *f,
			       const char *because)
{
	struct choice c;

	if (!a->has_good)
		return leave("generation %u %s, and there is no good one before it",
			     (unsigned)a->now.number, because);
	c = enforce(a, f, &a->good);
	if (c.kind == CHOICE_ENFORCE)
		(void)snprintf(c.why, sizeof(c.why), "generation %u, for %u %s",
			       (unsigned)a->good.number, (unsigned)a->now.number, because);
	return c;
}

static struct choice failed(const struct applied *a, const struct start_facts *f,
			    const struct trial_said *said)
{
	char because[128] = "failed";
	struct choice c;

	if (said && said->verdict == TRIAL_FAILED)
		(void)snprintf(because, sizeof(because), "failed: %s", said->why);
	c = fall_back(a, f, because);
	c.failed = true;
	return c;
}

static struct choice on_trial(const struct applied *a, const struct start_facts *f,
			      const struct trial_said *said)
{
	struct choice c;

	if (said && said->verdict == TRIAL_FAILED)
		return failed(a, f, said);
	if (said && said->verdict == TRIAL_PASSED)
		return enforce(a, f, &a->now);
	if (!f->can_keep_trial)
		return fall_back(a, f, "is on trial, which can't be kept here");
	c = enforce(a, f, &a->now);
	c.trial = c.kind == CHOICE_ENFORCE;
	return c;
}

static struct choice on_probation(const struct applied *a, const struct start_facts *f)
{
	if (!a->keep_new_image && !knows_image(&a->now, f))
		return new_image(a, f, &a->now);
	return probe(a, f, "");
}

struct choice choose(const struct applied *a, const struct start_facts *f,
		     const struct trial_said *said)
{
	struct choice c;

	if (a->mode == MODE_SHADOW) {
		c = leave("shadow: it is only watched");
		c.quiet = true;
		return c;
	}
	c = look_at_start(a, f);
	if (c.kind == CHOICE_LEAVE)
		return c;
	if (a->mode == MODE_PROBATION)
		return on_probation(a, f);
	switch (a->now.state) {
	case GENERATION_GOOD:
		return enforce(a, f, &a->now);
	case GENERATION_TRIAL:
		return on_trial(a, f, said);
	default:
		return failed(a, f, said);
	}
}
