/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "apply/features.h"
#include "apply/may.h"
#include "apply/reach.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/plan.h"
#include "cli/running.h"
#include "cli/wayin.h"

#define ASK_WAIT_MS   2000
#define REACH_WAIT_MS 500

struct apply_options {
	const char *state, *config;
	struct plan_options plan;
	bool dry_run, force;
};

/* --- may it ------------------------------------------------------------------------------ */

struct reasons {
	char **why;
	size_t cnt;
	bool failed;
};

static void reasons_donep(struct reasons *r)
{
	for (size_t i = 0; i < r->cnt; i++)
		free(r->why[i]);
	free(r->why);
}

static void take_reason(void *ctx, const char *why)
{
	struct reasons *r = ctx;
	char **more = reallocarray(r->why, r->cnt + 1, sizeof(*more));
	char *copy = strdup(why);

	if (more)
		r->why = more;
	if (more && copy)
		r->why[r->cnt++] = copy;
	else
		free(copy);
	r->failed |= !more || !copy;
}

static bool is_opted_out(const struct applying *a)
{
	const struct auto_rule *rule = auto_find(&a->config.rules, a->row.key);

	return a->row.opted_out || (rule && rule->mode == MODE_OBSERVE);
}

/* Shadow refuses nothing, so that all it needs is to be asked for. */
static int ask_may(const struct applying *a, const struct apply_options *o)
{
	__attribute__((cleanup(reasons_donep))) struct reasons reasons = { 0 };
	struct learned learned;
	const struct may_in in = {
		.engine = a->row.engine,
		.key = a->row.key,
		.name = a->row.name,
		.evidence = &a->row.evidence,
		.calls = a->row.calls,
		.why_not = a->row.why_not,
		.with_descendants = o->plan.make.descendants,
		.opted_out = is_opted_out(a),
		.probation = o->plan.mode == MODE_PROBATION,
		.learned = &learned,
	};
	enum may_answer answer;
	bool shadow = o->plan.mode == MODE_SHADOW;
	int r = store_learned(a->store, a->row.id, &learned);

	if (r < 0)
		return lookup_failed(a->store, r);
	answer = may_enforce(&in, take_reason, &reasons);
	if (reasons.failed)
		return log_err_errno(-ENOMEM, "%s", a->row.key);
	for (size_t i = 0; i < reasons.cnt; i++) {
		if (shadow)
			log_warn("%s: not to be enforced yet: %s", a->row.key, reasons.why[i]);
		else if (answer == MAY_FORCED && o->force)
			log_warn("%s: applied all the same (--force): %s", a->row.key,
				 reasons.why[i]);
		else
			log_err("%s: not applied: %s%s", a->row.key, reasons.why[i],
				answer == MAY_FORCED ? " (--force applies all the same)" : "");
	}
	return shadow || answer == MAY || (answer == MAY_FORCED && o->force) ? 0 : -EPERM;
}

/* --- what may stand in its way ------------------------------------------------------------ */

static bool always_confines(const char *engine)
{
	static const char *const engines[] = { "podman", "docker", "crio" };

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (engine && strcmp(engine, engines[i]) == 0)
			return true;
	return false;
}

static void warn_unconfined(const struct applying *a)
{
	struct running now;

	if (!a->row.running || running_find("/proc", a->row.container, &now) < 0)
		return;
	if (now.privileged)
		log_warn("%s runs privileged: it is left alone without --unconfined", a->row.key);
	else if (now.unconfined && always_confines(a->row.engine))
		log_warn("%s runs without any filter, so somebody wanted none: it is left alone "
			 "without --unconfined",
			 a->row.key);
}

static void warn_keeper(const struct applying *a)
{
	const char *listener = a->ways.listener ?: KEEPER_SOCKET;
	int r = reach_keeper(listener, REACH_WAIT_MS);

	if (r < 0)
		log_warn("%s: tamis-keeper can't be reached at %s (%s): until it can, starts are "
			 "left to the engine's own profile",
			 a->row.key, listener,
			 r == -EPERM ? "who listens there isn't root" : strerror(-r));
}

/* What is asked now is remembered: a start has little time for it. */
static void warn_runtimes(const struct applying *a)
{
	struct features f = { 0 };

	if (features_of_installed(a->state, ASK_WAIT_MS, &f) < 0)
		return;
	if (!f.notify)
		log_warn("%s: not every runtime installed here can have calls ask (%s): starts may "
			 "be left to the engine's own profile",
			 a->row.key, f.other ? "only runc and crun" : "SCMP_ACT_NOTIFY");
	else if (!f.wait_killable)
		log_warn("%s: a signal may interrupt a call that asks, which then is EINTR: not "
			 "every runtime installed here has WAIT_KILLABLE_RECV",
			 a->row.key);
}

static void warn(const struct applying *a, const struct apply_options *o)
{
	const char *missing = wayin_missing("", a->row.engine, a->config.kubelet_dir);

	if (o->plan.mode == MODE_SHADOW)
		return;
	if (o->plan.mode == MODE_PROBATION) {
		warn_keeper(a);
		warn_runtimes(a);
	}
	if (missing)
		log_warn("%s: no way into its engine's starts is known here; '%s' makes one",
			 a->row.key, missing);
	if (!o->plan.unconfined)
		warn_unconfined(a);
	if (strcmp(a->row.engine ?: "", "systemd") != 0 && strstr(a->row.key, "/~") &&
	    !o->plan.make.good && o->plan.mode == MODE_ENFORCE)
		log_warn("%s: a user's starts can't keep a trial: it waits for --no-trial",
			 a->row.key);
}

/* ------------------------------------------------------------------------------------------ */

static int apply(const struct apply_options *o, const char *name)
{
	_applying_ struct applying a = { 0 };
	_plan_ struct plan plan = { 0 };
	int r = applying_open(o->state, o->config, name, &a);

	if (r == 0)
		r = ask_may(&a, o);
	if (r == 0)
		r = plan_make(&a, &o->plan, &plan);
	if (r == 0 && !o->dry_run)
		r = applying_commit(&a, &plan.is);
	if (r < 0)
		return EXIT_FAIL;
	if (plan.again && !o->dry_run)
		applying_try_again(&a);
	plan_print(&a, &plan, o->dry_run);
	warn(&a, o);
	return EXIT_OK;
}

static int take_mode(const char *name, void *ctx)
{
	enum policy_mode *mode = ctx;

	if (policy_mode_from_name(name, mode) == 0 && *mode != MODE_OBSERVE)
		return 0;
	log_err("apply: \"%s\" is no mode: shadow, probation or enforce ('tamis release' applies "
		"nothing)",
		name);
	return -EINVAL;
}

static int take_rule(const char *name, void *ctx)
{
	struct plan_options *plan = ctx;

	plan->has_rule = true;
	if (probation_rule_from_name(name, &plan->rule) == 0)
		return 0;
	log_err("apply: \"%s\" is no rule: learn, ask or deny", name);
	return -EINVAL;
}

static int run(int argc, char **argv)
{
	char maker[32] = "root";
	struct apply_options o = {
		.state = DEFAULT_STATE_DIR,
		.config = DAEMON_CONFIG,
		.plan = { .mode = MODE_ENFORCE, .make.maker = maker },
	};
	const struct option_row options[] = {
		{ "mode", .take = take_mode, .ctx = &o.plan.mode },
		{ "rule", .take = take_rule, .ctx = &o.plan },
		{ "dry-run", .flag = &o.dry_run },
		{ "force", .flag = &o.force },
		{ "no-trial", .flag = &o.plan.make.good },
		{ "replace", .flag = &o.plan.replace },
		{ "unconfined", .flag = &o.plan.unconfined },
		{ "with-descendants", .flag = &o.plan.make.descendants },
		{ "widen", .flag = &o.plan.make.widen },
		{ "keep-new-image", .flag = &o.plan.keep_new_image },
		{ "config", .text = &o.config },
		OPTION_STATE(&o.state),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_apply, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (o.plan.has_rule && o.plan.mode != MODE_PROBATION) {
		log_err("apply: --rule says what probation answers: it goes with --mode probation");
		return EXIT_USAGE;
	}
	if (geteuid() != 0)
		snprintf(maker, sizeof(maker), "uid %u", (unsigned)geteuid());
	o.plan.again = o.force;
	return apply(&o, args.arg[0]);
}

const struct cmd cmd_apply = {
	.name = "apply",
	.args = "WORKLOAD [--mode shadow|probation|enforce] [--rule learn|ask|deny] [--dry-run] "
		"[--force] [--no-trial] [--replace] [--unconfined] [--with-descendants] [--widen] "
		"[--keep-new-image] [--config FILE] [--state DIR]",
	.help = "make a generation of what was learned, in force at the next start",
	.run = run,
};
