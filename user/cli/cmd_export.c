/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/policy_load.h"
#include "cli/render.h"

struct export_options {
	struct policy_options policy;
	struct render render;
};

static int take_stage(const char *name, void *ctx)
{
	struct emit_options *o = ctx;
	enum tamis_stage stage;

	if (strcmp(name, "all") == 0) {
		o->stages = (1u << TAMIS_STAGE_MAX) - 1;
		return 0;
	}
	if (stage_from_name(name, &stage) == 0) {
		o->stages |= 1u << stage;
		return 0;
	}
	log_err("unknown stage \"%s\"", name);
	return -EINVAL;
}

/* --- warnings ----------------------------------------------------------------------------- */

static void warn_limit(void *ctx, const char *line)
{
	log_warn("%s", line);
}

static void warn_caveat(void *ctx, const char *line)
{
	log_warn("%s: %s", (const char *)ctx, line);
}

static void warn(const struct emit_format *format, const struct policy *p)
{
	if (evidence_is_partial(p->evidence))
		log_warn("%s: partial, the policy may lack calls; see 'tamis show'", p->workload);
	(void)emit_caveats(p, warn_caveat, (void *)p->workload);
	(void)emit_limits(format, p, warn_limit, NULL);
}

/* ------------------------------------------------------------------------------------------ */

static int export(const char *workload, const struct export_options *o)
{
	_policy_loaded_ struct policy_loaded loaded = { 0 };

	if (policy_load(workload, &o->policy, &loaded) < 0 ||
	    render_policy(&o->render, &loaded.policy) < 0)
		return EXIT_FAIL;
	warn(o->render.format, &loaded.policy);
	return EXIT_OK;
}

static int show_help(void)
{
	printf("usage: tamis %s %s\n\n", cmd_export.name, cmd_export.args);
	for (const struct emit_format *e = emit_formats; e->name; e++)
		printf("  -f %-22s %s\n", e->name, e->what);
	puts("  -o FILE                   replaced at once; default: standard output\n"
	     "  --state DIR               default: " DEFAULT_STATE_DIR "\n"
	     "  --runtime NAME[@VERSION]  whose start must be possible, may be repeated;\n"
	     "                            default: those installed here\n"
	     "  --without-sessions        leave out what only came in by exec\n"
	     "  --stage STAGE             with -f names: setup, gate, workload, session or all\n"
	     "  --engine-profile FILE     the profile that the engine uses by itself\n"
	     "  --json                    the policy inside an object with what it is worth");
	return EXIT_OK;
}

/* What doesn't go together. */
static int check_options(const struct render *r)
{
	if (!r->format) {
		log_err("export: -f FORMAT is missing");
		return -EINVAL;
	}
	if (r->emit.stages && strcmp(r->format->name, "names") != 0) {
		log_err("export: --stage goes with -f names only");
		return -EINVAL;
	}
	return render_check(r);
}

static int run(int argc, char **argv)
{
	struct export_options o = { 0 };
	const struct option_row options[] = {
		{ "format", 'f', .take = render_take_format, .ctx = &o.render },
		{ "output", 'o', .text = &o.render.output },
		{ "runtime", .take = policy_take_runtime, .ctx = &o.policy },
		{ "without-sessions", .flag = &o.policy.without_sessions },
		{ "stage", .take = take_stage, .ctx = &o.render.emit },
		{ "engine-profile", .text = &o.policy.engine_profile },
		OPTION_JSON(&o.render.json),
		OPTION_STATE(&o.policy.state),
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };

	if (options_parse(&cmd_export, options, argc, argv, &args) != EXIT_OK ||
	    check_options(&o.render) < 0)
		return EXIT_USAGE;
	return export(args.arg[0], &o);
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "WORKLOAD -f FORMAT [-o FILE] [OPTION]...",
	.help = "write a workload's policy in one of ten formats",
	.run = run,
	.show_help = show_help,
};
