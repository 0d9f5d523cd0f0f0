/* SPDX-License-Identifier: Apache-2.0 */
#include "start/start.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/applied.h"
#include "apply/choose.h"
#include "apply/gate.h"
#include "apply/meet.h"
#include "apply/trial.h"
#include "base/text.h"
#include "emit/emit.h"
#include "start/answer.h"
#include "start/report.h"
#include "start/spec.h"

#define _identity_ __attribute__((cleanup(identity_donep)))

/* Of START_WAIT_MS: a runtime that isn't known yet is asked for its version. */
#define GATE_WAIT_MS 120

struct start {
	const struct start_options *options;
	const struct identity_start *from;
	struct identity id;
	struct applied applied;
	struct spec spec;
	struct choice choice;
};

static void start_done(struct start *s)
{
	identity_done(&s->id);
	applied_done(&s->applied);
	spec_done(&s->spec);
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

/* 1: something is to be enforced. 0: having said why not, where that isn't what was asked for. */
static int choose_for(struct start *s)
{
	const struct applied *a = &s->applied;
	struct trial_said said = { 0 };
	const struct start_facts f = {
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
	s->choice = choose(a, &f, &said);
	if (s->choice.kind == CHOICE_ENFORCE)
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
	r = o->runtime ? gate_of_runtime(o->state, o->runtime, GATE_WAIT_MS, gate, NULL)
		       : gate_of_installed(o->state, GATE_WAIT_MS, gate, NULL);
	return r < 0 ? r : meet_generation(s->choice.generation, engine, gate, ret);
}

static int print_filter(const struct start *s, const struct filter *filter, char **ret)
{
	const struct policy p = { .workload = s->id.key, .engine = s->id.engine, .filter = filter };
	const struct emit_options options = { 0 };
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = emit_find("oci")->write(&p, &options, f);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		*ret = TAKE_PTR(text);
	return r;
}

static int make_spec(const struct start *s, char **ret, size_t *ret_len, char **ret_why)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *ours = NULL, *profile = NULL;
	int r = compose_filter(s, &filter, ret_why);

	if (r == 0)
		r = print_filter(s, filter, &ours);
	if (r == 0)
		r = spec_profile(ours, s->spec.seccomp, s->spec.seccomp_len, &profile);
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

static int enforce(const struct start *s, char **ret, size_t *ret_len)
{
	_free_ char *text = NULL, *why = NULL;
	size_t len = 0;
	int r = make_spec(s, &text, &len, &why);

	if (r < 0)
		return leave(s, "its policy", r, why);
	r = answer_check(s->spec.text, s->spec.len, text, len);
	if (r < 0)
		return leave(s, "its policy", r, "the profile made of it is none");
	r = count_start(s);
	if (r < 0)
		return leave(s, "its trial", r, NULL);
	if (s->choice.failed)
		report_fault(s->id.key, "%s; started under generation %u", s->choice.why,
			     s->choice.generation->number);
	else
		report_done(s->id.key, "started under generation %u%s",
			    s->choice.generation->number, s->choice.trial ? ", on trial" : "");
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

/* --- a start ----------------------------------------------------------------------------- */

int start_spec(const struct start_options *o, const struct identity_start *from, char **ret,
	       size_t *ret_len)
{
	__attribute__((cleanup(start_done))) struct start s = { .options = o, .from = from };
	_free_ char *why = NULL, *why_spec = NULL;
	int r = identity_of_start(&o->identity, from, &s.id);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return leave(&s, "its identity", r, NULL);
	r = applied_read(o->state, s.id.key, &s.applied, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return leave(&s, "what is applied", r, why);
	r = spec_read(from->text, from->len, &s.spec, &why_spec);
	if (r < 0)
		return leave(&s, "config.json", r, why_spec);
	r = choose_for(&s);
	if (r > 0)
		r = enforce(&s, ret, ret_len);
	if (r == 0 || !s.choice.trial)
		note_other(&s);
	return r;
}
