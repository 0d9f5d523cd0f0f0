/* SPDX-License-Identifier: Apache-2.0 */
#include "start/start.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "apply/applied.h"
#include "apply/choose.h"
#include "apply/features.h"
#include "apply/gate.h"
#include "apply/meet.h"
#include "apply/reach.h"
#include "apply/started.h"
#include "apply/trial.h"
#include "base/text.h"
#include "emit/emit.h"
#include "identity/state.h"
#include "start/answer.h"
#include "start/report.h"
#include "start/spec.h"

#define _identity_ __attribute__((cleanup(identity_donep)))

/* Of START_WAIT_MS: runtimes that aren't known yet are asked who they are, and what they can do. */
#define ASK_WAIT_MS   120
/* And the keeper's queue may be full for a moment. */
#define REACH_WAIT_MS 30

struct start {
	const struct start_options *options;
	const struct identity_start *from;
	struct identity id;
	struct applied applied;
	struct spec spec;
	struct choice choice;
	struct features features; /* of the runtime, in probation */
	int64_t ask_until;
	char no_probation[160];
};

static void start_done(struct start *s)
{
	identity_done(&s->id);
	applied_done(&s->applied);
	spec_done(&s->spec);
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned ask_left(const struct start *s)
{
	int64_t left = s->ask_until - now_ms();

	return left > 0 ? (unsigned)left : 0;
}

/* One line; then the container starts as it is. */
static int leave(const struct start *s, const char *what, int r, const char *why)
{
	report_fault(s->id.key, "%s: %s; started under the engine's own profile", what,
		     why ? why : strerror(-r));
	return 0;
}

/* --- what is to be done ------------------------------------------------------------------ */

static bool can_keep_trial(const char *state)
{
	struct stat st;

	/* A user's root sees the files of root as nobody's. */
	return geteuid() == 0 && stat(state, &st) == 0 && st.st_uid == 0 &&
	       access(state, W_OK) == 0;
}

/* The start that is about to be made is one more: the container has restarted as often as it
 * started before. */
static int judge(const struct start *s, struct trial_said *ret)
{
	__attribute__((cleanup(trial_done))) struct trial t = { 0 };
	int r = trial_read(s->options->state, s->applied.key, s->applied.now.number, NULL, &t);

	if (r < 0)
		return r;
	*ret = trial_judge_next(t.start, t.cnt, s->applied.trial_s,
				s->id.container ? s->id.container : "");
	return 0;
}

static const char *listener_of(const struct start *s)
{
	return s->applied.listener ? s->applied.listener : KEEPER_SOCKET;
}

/* A listener that nobody listens at is a container that doesn't start. */
static const char *no_keeper(struct start *s)
{
	const char *listener = listener_of(s);
	int r = reach_keeper(listener, REACH_WAIT_MS);

	if (r == 0)
		return NULL;
	(void)snprintf(s->no_probation, sizeof(s->no_probation),
		       "tamis-keeper can't be reached at %s (%s)", listener,
		       r == -EPERM ? "who listens there isn't root" : strerror(-r));
	return s->no_probation;
}

/* Why this start can't be in probation. */
static const char *no_probation(struct start *s)
{
	const struct start_options *o = s->options;
	const char *why;
	int r;

	if (geteuid() != 0 || state_uid_of_host() != 0)
		return "only root's runtime reaches tamis-keeper";
	why = no_keeper(s);
	if (why)
		return why;
	r = o->runtime ? features_of_runtime(o->state, o->runtime, ask_left(s), &s->features)
		       : features_of_installed(o->state, ask_left(s), &s->features);
	if (r < 0)
		return strerror(-r);
	if (s->features.notify)
		return NULL;
	if (s->features.other)
		return "its runtime, or one beside it, is neither runc nor crun: it isn't known "
		       "whether its own calls may ask";
	return s->features.known ? "its runtime can't have calls ask (SCMP_ACT_NOTIFY)"
				 : "it isn't known (yet) whether its runtime can have calls ask "
				   "(SCMP_ACT_NOTIFY)";
}

/* Only who would be in probation is asked whether that can be. */
static void choose_with(struct start *s, struct start_facts *f, const struct trial_said *said)
{
	s->choice = choose(&s->applied, f, said);
	if (s->choice.kind != CHOICE_PROBE)
		return;
	f->no_probation = no_probation(s);
	if (f->no_probation)
		s->choice = choose(&s->applied, f, said);
}

/* 1: something is to be enforced. 0: having said why not, where that isn't what was asked for. */
static int choose_for(struct start *s)
{
	const struct applied *a = &s->applied;
	struct trial_said said = { 0 };
	struct start_facts f = {
		.engine = s->id.engine,
		.image_digest = s->id.image_digest,
		.why_not = s->id.enforceable ? NULL
			   : s->id.why_not   ? s->id.why_not
					     : "its identity is not known",
		.has_profile = s->spec.seccomp != NULL,
		.privileged = s->spec.privileged,
		.can_keep_trial = can_keep_trial(s->options->state),
	};
	int r = 0;

	if (a->mode == MODE_ENFORCE && a->now.state == GENERATION_TRIAL && f.can_keep_trial)
		r = judge(s, &said);
	if (r < 0)
		return leave(s, "its trial", r, NULL);
	choose_with(s, &f, &said);
	if (s->choice.kind != CHOICE_LEAVE)
		return 1;
	if (!s->choice.quiet)
		report_fault(s->id.key, "%s; started under the engine's own profile",
			     s->choice.why);
	return 0;
}

/* --- from a generation to a profile ------------------------------------------------------ */

static int compose_filter(const struct start *s, struct filter **ret, char **ret_why)
{
	const struct start_options *o = s->options;
	_cleanup_(filter_free) struct filter *engine = NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r;

	if (s->spec.seccomp && !s->applied.replace) {
		r = oci_parse(s->spec.seccomp, s->spec.seccomp_len, NULL, &engine, NULL, ret_why);
		if (r < 0)
			return r;
	}
	r = o->runtime ? gate_of_runtime(o->state, o->runtime, ask_left(s), gate, NULL)
		       : gate_of_installed(o->state, ask_left(s), gate, NULL);
	if (r < 0)
		return r;
	if (s->choice.kind == CHOICE_PROBE)
		return meet_probation(s->choice.generation, engine, gate, s->applied.refused, ret);
	return meet_generation(s->choice.generation, engine, gate, ret);
}

static int print_filter(const struct start *s, const struct filter *filter, char **ret)
{
	const struct policy p = { .workload = s->id.key, .engine = s->id.engine, .filter = filter };

	return emit_text(emit_find("oci")->write, &p, NULL, ret, NULL);
}

static int make_profile(const struct start *s, const char *ours, char **ret, char **ret_why)
{
	const struct spec *spec = &s->spec;
	int r;

	if (s->choice.kind != CHOICE_PROBE)
		return spec_profile(ours, spec->seccomp, spec->seccomp_len, ret);
	r = spec_profile_asking(ours, spec->seccomp, spec->seccomp_len, listener_of(s),
				s->features.wait_killable, ret);
	return r == -EBUSY ? text_why(r, ret_why, "its profile has a listener of its own") : r;
}

static int make_spec(const struct start *s, char **ret, size_t *ret_len, char **ret_why)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *ours = NULL, *profile = NULL;
	int r = compose_filter(s, &filter, ret_why);

	if (r == 0)
		r = print_filter(s, filter, &ours);
	if (r == 0)
		r = make_profile(s, ours, &profile, ret_why);
	if (r == 0)
		r = spec_splice(&s->spec, profile, ret, ret_len);
	return r;
}

/* The line of the trial comes last: a start is counted when nothing can go wrong any more. */
static int count_start(const struct start *s)
{
	_free_ char *cgroup = NULL;

	if (!s->choice.trial)
		return 0;
	(void)identity_start_cgroup(s->from, &cgroup);
	return trial_add_start(s->options->state, s->applied.key, s->choice.generation->number,
			       s->id.container ? s->id.container : "", cgroup);
}

/* The daemon then takes it for one that was left alone, which does no harm. */
static void note_start(const struct start *s)
{
	bool probation = s->choice.kind == CHOICE_PROBE;

	if (s->id.container && geteuid() == 0)
		(void)started_add(s->options->state, s->id.key, s->id.container,
				  s->choice.generation->number,
				  probation ? MODE_PROBATION : MODE_ENFORCE);
}

static void tell(const struct start *s)
{
	unsigned number = s->choice.generation->number;

	if (s->choice.kind == CHOICE_PROBE)
		report_done(s->id.key, "in probation under generation %u", number);
	else if (s->choice.failed)
		report_fault(s->id.key, "%s; started under generation %u", s->choice.why, number);
	else
		report_done(s->id.key, "started under generation %u%s", number,
			    s->choice.trial ? ", on trial" : "");
}

static int enforce(const struct start *s, char **ret, size_t *ret_len)
{
	_free_ char *text = NULL, *why = NULL;
	size_t len = 0;
	int r = make_spec(s, &text, &len, &why);

	if (r < 0)
		return leave(s, "its policy", r, why);
	r = answer_check(s->spec.text, s->spec.len, text, len, listener_of(s));
	if (r < 0)
		return leave(s, "its policy", r, "the profile made of it is none");
	r = count_start(s);
	if (r < 0)
		return leave(s, "its trial", r, NULL);
	note_start(s);
	tell(s);
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 1;
}

/* Not under the generation on trial: that this container lives on says nothing of it. Where it failed,
 * this is the start that it would have been one too many for: who asks later has to see that too. */
static void note_other(const struct start *s)
{
	const struct applied *a = &s->applied;
	_free_ char *cgroup = NULL;

	if (a->now.state != GENERATION_TRIAL || !s->id.container)
		return;
	(void)identity_start_cgroup(s->from, &cgroup);
	if (s->choice.failed)
		(void)trial_add_start(s->options->state, a->key, a->now.number, s->id.container,
				      cgroup);
	(void)trial_add_start(s->options->state, a->key, 0, s->id.container, NULL);
}

/* Nothing is put in place for this start, whatever was for the one before. */
static void note_left(const struct start *s)
{
	if (s->id.container && geteuid() == 0)
		(void)started_leave(s->options->state, s->id.key, s->id.container);
}

/* --- a start ----------------------------------------------------------------------------- */

static int start(struct start *s, char **ret, size_t *ret_len)
{
	_free_ char *why = NULL, *why_spec = NULL;
	int r = applied_read(s->options->state, s->id.key, &s->applied, &why);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return leave(s, "what is applied", r, why);
	r = spec_read(s->from->text, s->from->len, &s->spec, &why_spec);
	if (r < 0)
		return leave(s, "config.json", r, why_spec);
	r = choose_for(s);
	if (r > 0)
		r = enforce(s, ret, ret_len);
	if (r == 0 || !s->choice.trial)
		note_other(s);
	return r;
}

int start_spec(const struct start_options *o, const struct identity_start *from, char **ret,
	       size_t *ret_len)
{
	__attribute__((cleanup(start_done))) struct start s = {
		.options = o,
		.from = from,
		.ask_until = now_ms() + ASK_WAIT_MS,
	};
	int r = identity_of_start(&o->identity, from, &s.id);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return leave(&s, "its identity", r, NULL);
	r = start(&s, ret, ret_len);
	if (r == 0)
		note_left(&s);
	return r;
}
