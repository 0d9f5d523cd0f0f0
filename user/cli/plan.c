/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "apply/unit.h"
#include "base/log.h"
#include "cli/calls_text.h"
#include "cli/lookup.h"
#include "learn/probation.h"
#include "learn/shadow.h"

void plan_done(struct plan *p)
{
	generation_done(&p->now);
	generation_done(&p->before);
}

/* --- the generation ---------------------------------------------------------------------- */

static void compare(struct plan *p)
{
	struct sysset before[TAMIS_ABI_MAX];

	calls_of(&p->before, before);
	calls_of(&p->before, p->gone);
	calls_of(&p->now, p->added);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		sysset_remove(&p->gone[abi], &p->added[abi]);
		sysset_remove(&p->added[abi], &before[abi]);
	}
}

/* The one that is applied, else the newest there was. */
static int load_before(struct applying *a, struct plan *p)
{
	uint32_t number = p->was.generation;

	if (number == 0 || number == p->now.number)
		number = p->now.number - 1;
	return number ? store_generation_get(a->store, a->row.id, number, &p->before) : 0;
}

/* What is seen and in no verdict; what is denied isn't pending any more. */
static int find_pending(struct applying *a, struct plan *p)
{
	struct sysset refused[TAMIS_ABI_MAX];
	struct verdicts said;
	int r = shadow_refused(a->store, a->row.id, &p->now, refused, p->pending);

	if (r == 0)
		r = store_verdicts(a->store, a->row.id, &said);
	if (r == 0)
		memcpy(p->mined, said.mined, sizeof(p->mined));
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++)
		sysset_remove(&p->pending[abi], &p->now.denied[abi]);
	return r;
}

/* The same calls as the newest: that one again, unless it failed. */
static int take_same(struct applying *a, const struct plan_options *o, struct plan *p)
{
	uint32_t number = p->now.number;
	int r = store_generation_get(a->store, a->row.id, number, &p->now);

	if (r < 0)
		return lookup_failed(a->store, r);
	applying_judge(a->state, a->store, &a->row, a->config.trial_s, &p->now);
	if (p->now.state == GENERATION_FAILED && !o->again && o->mode == MODE_ENFORCE) {
		log_err("%s: not applied: generation %" PRIu32
			", of the same calls, failed (%s); --force tries it again",
			a->row.key, number, p->now.failed ?: "its workload didn't live under it");
		return -EINVAL;
	}
	return 0;
}

/* A person's word, or one more try. */
static int set_state(struct applying *a, const struct plan_options *o, struct plan *p)
{
	enum generation_state state = o->make.good ? GENERATION_GOOD : p->now.state;
	int r;

	p->again = p->now.state == GENERATION_FAILED && o->again;
	if (p->again && !o->make.good)
		state = GENERATION_TRIAL;
	p->now.state = state;
	if (state != GENERATION_FAILED) {
		free(p->now.failed);
		p->now.failed = NULL;
	}
	r = store_generation_state(a->store, a->row.id, p->now.number, state, p->now.failed);
	return r < 0 ? lookup_failed(a->store, r) : 0;
}

static int add(struct applying *a, const struct plan_options *o, struct plan *p)
{
	int r = make_generation(a->store, &a->row, &o->make, time(NULL), &p->now);

	if (r == 0)
		r = store_generation_add(a->store, a->row.id, &p->now);
	if (r < 0)
		return lookup_failed(a->store, r);
	p->same = r > 0;
	r = p->same ? take_same(a, o, p) : 0;
	return r == 0 && p->same ? set_state(a, o, p) : r;
}

/* What a start falls back to: what was applied and good, else the newest good one. */
static int find_good(struct applying *a, struct plan *p)
{
	_generation_ struct generation g = { 0 };
	int r;

	p->is.good = 0;
	if (p->was.mode == MODE_ENFORCE && p->was.generation != p->now.number) {
		r = store_generation_get(a->store, a->row.id, p->was.generation, &g);
		if (r < 0)
			return lookup_failed(a->store, r);
		applying_judge(a->state, a->store, &a->row, a->config.trial_s, &g);
		if (g.state == GENERATION_GOOD) {
			p->is.good = g.number;
			return 0;
		}
	}
	return applying_newest_good(a, p->now.number, &p->is.good);
}

int plan_make(struct applying *a, const struct plan_options *o, struct plan *ret)
{
	int r = store_applied_get(a->store, a->row.id, &ret->was);

	if (r < 0)
		return lookup_failed(a->store, r);
	r = add(a, o, ret);
	if (r < 0)
		return r;
	ret->is = (struct store_applied){
		.mode = o->mode,
		.generation = ret->now.number,
		.replace = o->replace,
		.unconfined = o->unconfined,
		.keep_new_image = o->keep_new_image || a->config.keep_new_image,
		.probe_new_image = !o->keep_new_image && a->config.probe_new_image,
		.rule = o->has_rule ? o->rule : probation_rule_of(&a->config.probation, a->row.key),
		.since = time(NULL),
	};
	r = load_before(a, ret);
	if (r == 0)
		r = find_pending(a, ret);
	if (r < 0)
		return lookup_failed(a->store, r);
	compare(ret);
	return find_good(a, ret);
}

/* --- for people -------------------------------------------------------------------------- */

static void print_list(const char *label, const struct sysset *set, const char *after)
{
	if (calls_count(set) == 0)
		return;
	printf("  %s ", label);
	calls_write(stdout, set, UINT_MAX);
	printf("%s\n", after);
}

static void print_denied(const struct plan *p)
{
	struct sysset said[TAMIS_ABI_MAX];

	memcpy(said, p->now.denied, sizeof(said));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_remove(&said[abi], &p->mined[abi]);
	print_list("denied:", said, "");
	print_list("denied by mining:", p->mined, " (its tests pass without)");
}

static void print_generation(const struct applying *a, const struct plan *p)
{
	const struct generation *g = &p->now;
	struct sysset calls[TAMIS_ABI_MAX];
	unsigned cnt;

	calls_of(g, calls);
	cnt = calls_count(calls);
	printf("%s: generation %" PRIu32 ": %u call%s (%.19s)\n", a->row.key, g->number, cnt,
	       cnt == 1 ? "" : "s", g->digest);
	if (p->same)
		printf("  nothing new since it was made\n");
	if (p->before.number)
		printf("  against generation %" PRIu32 ": %u more, %u less\n", p->before.number,
		       calls_count(p->added), calls_count(p->gone));
	print_list("+", p->before.number ? p->added : calls, "");
	print_list("-", p->gone, "");
	print_list("pending:", p->pending, " ('tamis allow' lets them in)");
	print_denied(p);
	if (g->descendants)
		printf("  processes that leave it are bound too: all but guarded calls pass\n");
}

/* What it means, for who doesn't know the word. */
static void print_probation(const struct applying *a, const struct plan *p, const char *verb)
{
	static const char *const rules[PROBATION_MAX] = {
		[PROBATION_LEARN] = "goes on, and is learned",
		[PROBATION_ASK] = "is refused, until 'tamis allow' says otherwise",
		[PROBATION_DENY] = "is refused, and 'tamis denials' tells of it",
	};

	printf("%s in probation when %s next starts: what is learned passes; any other call %s "
	       "(rule %s)\n",
	       verb, a->shown, rules[p->is.rule], probation_rule_name(p->is.rule));
	puts("guarded calls, and what the engine's own profile refuses, are refused; no trial: "
	     "what is new is free from the start after that");
}

static void print_effect(const struct applying *a, const struct plan *p, const char *verb)
{
	if (p->is.mode == MODE_PROBATION) {
		print_probation(a, p, verb);
		return;
	}
	if (p->is.mode == MODE_SHADOW) {
		printf("%s in shadow: nothing is refused, 'tamis history' tells what it would "
		       "have been\n",
		       verb);
		return;
	}
	printf("%s in force when %s next starts", verb, a->shown);
	if (p->now.state == GENERATION_GOOD)
		puts(", without a trial");
	else if (p->is.good)
		printf(", on trial for %u s; generation %" PRIu32 " takes its place if it fails\n",
		       a->config.trial_s, p->is.good);
	else
		printf(", on trial for %u s; the engine's own profile takes its place if it "
		       "fails\n",
		       a->config.trial_s);
	if (p->is.replace)
		puts("the engine's own profile is ignored (--replace): what it refuses and was "
		     "learned passes");
}

static void print_places(const struct applying *a)
{
	_free_ char *path = NULL;
	const char *key = a->row.key;

	if (applied_path(key, &path) == 0)
		printf("to be written: %s/%s\n", a->state, path);
	if (strncmp(key, "systemd/", 8) == 0)
		printf("to be written: %s/%s.d/" UNIT_DROP_IN "\n", a->ways.unit_dir ?: UNIT_DIR,
		       key + 8);
	if (strncmp(key, "kubernetes/", 11) == 0 && a->ways.kubelet_dir)
		printf("to be written: %s/%s.json\n", a->ways.kubelet_dir, key + 11);
}

void plan_print(const struct applying *a, const struct plan *p, bool dry_run)
{
	print_generation(a, p);
	print_effect(a, p, dry_run ? "would be" : "is");
	if (dry_run)
		print_places(a);
}
