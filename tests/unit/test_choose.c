/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/choose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NONE   0 /* leave */
#define NOW    3
#define GOOD   2
#define TRIED  GENERATION_TRIAL
#define KNOWN  "sha256:a"
#define OTHER  "sha256:b"
#define UNSEEN "sha256:c"

static char *now_image[] = { (char[]){ KNOWN } }, *good_image[] = { (char[]){ OTHER } };

struct row {
	const char *name;
	/* applied */
	bool shadow, probation, has_good, images, unconfined, keep_new_image, probe_new_image;
	enum generation_state state;
	/* the start */
	const char *engine, *image, *why_not, *no_probation;
	bool bare, privileged, no_trial;
	enum trial_verdict said;
	/* the choice */
	unsigned want;
	bool trial, failed, quiet, probe;
	const char *why;
};

#define GIVEN .engine = "podman"

static const struct row rows[] = {
	{ "good", GIVEN, .state = GENERATION_GOOD, .want = NOW },
	{ "shadow", GIVEN, .state = GENERATION_GOOD, .shadow = true, .quiet = true,
	  .why = "shadow" },
	{ "on trial", GIVEN, .state = TRIED, .want = NOW, .trial = true },
	{ "passed", GIVEN, .state = TRIED, .said = TRIAL_PASSED, .want = NOW },
	{ "failed", GIVEN, .state = TRIED, .said = TRIAL_FAILED, .failed = true,
	  .why = "it broke" },
	{ "failed, one before", GIVEN, .state = TRIED, .said = TRIAL_FAILED, .has_good = true,
	  .want = GOOD, .failed = true, .why = "it broke" },
	{ "failed in the store", GIVEN, .state = GENERATION_FAILED, .has_good = true, .want = GOOD,
	  .failed = true },
	{ "failed in the store, none before", GIVEN, .state = GENERATION_FAILED, .failed = true },
	{ "passed since, failed in the store", GIVEN, .state = GENERATION_FAILED,
	  .said = TRIAL_PASSED, .failed = true },
	{ "good, whatever a trial says", GIVEN, .state = GENERATION_GOOD, .said = TRIAL_FAILED,
	  .want = NOW },
	{ "no trial possible", GIVEN, .state = TRIED, .no_trial = true, .why = "on trial" },
	{ "no trial possible, one before", GIVEN, .state = TRIED, .no_trial = true,
	  .has_good = true, .want = GOOD },
	{ "no trial needed", GIVEN, .state = GENERATION_GOOD, .no_trial = true, .want = NOW },

	{ "can't be enforced", GIVEN, .state = GENERATION_GOOD, .why_not = "another kernel",
	  .why = "another kernel" },
	{ "can't be enforced, unconfined", GIVEN, .state = GENERATION_GOOD, .unconfined = true,
	  .why_not = "another kernel", .why = "another kernel" },

	{ "known image", GIVEN, .state = GENERATION_GOOD, .images = true, .image = KNOWN,
	  .want = NOW },
	{ "new image", GIVEN, .state = GENERATION_GOOD, .images = true, .image = UNSEEN,
	  .why = "image is new" },
	{ "new image, kept", GIVEN, .state = GENERATION_GOOD, .images = true, .image = UNSEEN,
	  .keep_new_image = true, .want = NOW },
	{ "image not known", GIVEN, .state = GENERATION_GOOD, .images = true, .want = NOW },
	{ "learned from nobody knows what", GIVEN, .state = GENERATION_GOOD, .image = UNSEEN,
	  .want = NOW },
	{ "new image on trial", GIVEN, .state = TRIED, .images = true, .image = UNSEEN,
	  .why = "image is new" },
	{ "the good one's image", GIVEN, .state = TRIED, .said = TRIAL_FAILED, .has_good = true,
	  .images = true, .image = OTHER, .want = GOOD, .failed = true },
	{ "not the good one's image", GIVEN, .state = TRIED, .said = TRIAL_FAILED, .has_good = true,
	  .images = true, .image = KNOWN, .failed = true, .why = "image is new" },

	{ "podman, unconfined", .engine = "podman", .state = GENERATION_GOOD, .bare = true,
	  .why = "unconfined" },
	{ "docker, unconfined", .engine = "docker", .state = GENERATION_GOOD, .bare = true },
	{ "crio, unconfined", .engine = "crio", .state = GENERATION_GOOD, .bare = true },
	{ "unconfined, named", .engine = "docker", .state = GENERATION_GOOD, .bare = true,
	  .unconfined = true, .want = NOW },
	{ "bare runc", .engine = "oci", .state = GENERATION_GOOD, .bare = true, .want = NOW },
	{ "containerd", .engine = "containerd", .state = GENERATION_GOOD, .bare = true,
	  .want = NOW },
	{ "kubernetes", .engine = "kubernetes", .state = GENERATION_GOOD, .bare = true,
	  .want = NOW },
	{ "nobody's", .state = GENERATION_GOOD, .bare = true, .want = NOW },
	{ "privileged", GIVEN, .state = GENERATION_GOOD, .privileged = true, .why = "privileged" },
	{ "privileged bare runc", .engine = "oci", .state = GENERATION_GOOD, .bare = true,
	  .privileged = true, .why = "privileged" },
	{ "privileged, named", .engine = "oci", .state = GENERATION_GOOD, .bare = true,
	  .privileged = true, .unconfined = true, .want = NOW },

	{ "probation", GIVEN, .probation = true, .state = GENERATION_GOOD, .probe = true,
	  .want = NOW, .why = "generation 3 in probation" },
	{ "probation, on trial", GIVEN, .probation = true, .state = TRIED, .probe = true,
	  .want = NOW },
	{ "probation, no trial possible", GIVEN, .probation = true, .state = TRIED,
	  .no_trial = true, .probe = true, .want = NOW },
	{ "probation, failed", GIVEN, .probation = true, .state = GENERATION_FAILED,
	  .has_good = true, .probe = true, .want = NOW },
	{ "probation, whatever a trial says", GIVEN, .probation = true, .state = TRIED,
	  .said = TRIAL_FAILED, .has_good = true, .probe = true, .want = NOW },
	{ "probation, no keeper", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .has_good = true, .no_probation = "nobody listens", .why = "nobody listens" },
	{ "probation, can't be enforced", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .why_not = "another kernel", .why = "another kernel" },
	{ "probation, privileged", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .privileged = true, .why = "privileged" },
	{ "probation, privileged, named", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .privileged = true, .unconfined = true, .probe = true, .want = NOW },
	{ "probation, unconfined", GIVEN, .probation = true, .state = GENERATION_GOOD, .bare = true,
	  .why = "unconfined" },
	{ "probation, known image", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .images = true, .image = KNOWN, .probe = true, .want = NOW },
	{ "probation, new image", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .images = true, .image = UNSEEN, .why = "image is new" },
	{ "probation, new image, kept", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .images = true, .image = UNSEEN, .keep_new_image = true, .probe = true, .want = NOW },
	{ "probation, new image in probation", GIVEN, .probation = true, .state = GENERATION_GOOD,
	  .images = true, .image = UNSEEN, .probe_new_image = true, .probe = true, .want = NOW },

	{ "new image, probation", GIVEN, .state = GENERATION_GOOD, .images = true, .image = UNSEEN,
	  .probe_new_image = true, .probe = true, .want = NOW,
	  .why = "its image is new: generation 3 in probation" },
	{ "known image, probation", GIVEN, .state = GENERATION_GOOD, .images = true, .image = KNOWN,
	  .probe_new_image = true, .want = NOW },
	{ "new image on trial, probation", GIVEN, .state = TRIED, .images = true, .image = UNSEEN,
	  .probe_new_image = true, .probe = true, .want = NOW },
	{ "new image, probation, no keeper", GIVEN, .state = GENERATION_GOOD, .images = true,
	  .image = UNSEEN, .probe_new_image = true, .no_probation = "nobody listens",
	  .why = "image is new: it can't be in probation here: nobody listens" },
	{ "known image, no keeper", GIVEN, .state = GENERATION_GOOD, .images = true, .image = KNOWN,
	  .probe_new_image = true, .no_probation = "nobody listens", .want = NOW },
	{ "new image to the good one too", GIVEN, .state = GENERATION_FAILED, .has_good = true,
	  .images = true, .image = UNSEEN, .probe_new_image = true, .failed = true, .probe = true,
	  .want = NOW },
	{ "the good one's image, probation", GIVEN, .state = GENERATION_FAILED, .has_good = true,
	  .images = true, .image = OTHER, .probe_new_image = true, .failed = true, .want = GOOD },
	{ "shadow, new image", GIVEN, .state = GENERATION_GOOD, .shadow = true, .images = true,
	  .image = UNSEEN, .probe_new_image = true, .quiet = true, .why = "shadow" },
	{ "new image, can't be enforced", GIVEN, .state = GENERATION_GOOD, .images = true,
	  .image = UNSEEN, .probe_new_image = true, .why_not = "another kernel",
	  .why = "another kernel" },
};

static enum policy_mode mode_of(const struct row *w)
{
	if (w->shadow)
		return MODE_SHADOW;
	return w->probation ? MODE_PROBATION : MODE_ENFORCE;
}

static enum choice_kind kind_of(const struct row *w)
{
	if (w->want == NONE)
		return CHOICE_LEAVE;
	return w->probe ? CHOICE_PROBE : CHOICE_ENFORCE;
}

static struct choice choose_row(const struct row *w, const struct applied *a)
{
	const struct start_facts f = {
		.engine = w->engine,
		.image_digest = w->image,
		.why_not = w->why_not,
		.has_profile = !w->bare,
		.privileged = w->privileged,
		.can_keep_trial = !w->no_trial,
		.no_probation = w->no_probation,
	};
	const struct trial_said said = { w->said, "it broke" };

	return choose(a, &f, w->said == TRIAL_OPEN ? NULL : &said);
}

static void check(const struct row *w)
{
	const struct applied a = {
		.mode = mode_of(w),
		.now = { .number = NOW,
			 .state = w->state,
			 .image = now_image,
			 .image_cnt = w->images },
		.has_good = w->has_good,
		.good = { .number = GOOD, .image = good_image, .image_cnt = w->images },
		.unconfined = w->unconfined,
		.keep_new_image = w->keep_new_image,
		.probe_new_image = w->probe_new_image,
	};
	struct choice c = choose_row(w, &a);

	if (c.kind != kind_of(w) || c.trial != w->trial || c.failed != w->failed ||
	    c.quiet != w->quiet || !strstr(c.why, w->why ? w->why : ""))
		fail_msg("%s: %s", w->name, c.why);
	if (w->want == NONE)
		assert_null(c.generation);
	else
		assert_ptr_equal(c.generation, w->want == NOW ? &a.now : &a.good);
	assert_true(c.why[0]);
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
