/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/export_all.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/policy_load.h"
#include "cli/render.h"

#define BASE_MAX (4u << 20)

struct export_options {
	struct policy_options policy;
	struct render render;
	const char *base_path;
	bool all;
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

static void warn(const struct render *r, const struct policy *p)
{
	if (evidence_is_partial(p->evidence))
		log_warn("%s: partial, the policy may lack calls; see 'tamis show'", p->workload);
	(void)emit_caveats(p, warn_caveat, (void *)p->workload);
	(void)emit_limits(r->format, p, warn_limit, NULL);
	if (r->emit.base)
		(void)docker_base_limits(r->emit.base, p, warn_limit, NULL);
}

/* ------------------------------------------------------------------------------------------ */

static int load_base(const char *path, struct docker_base **ret)
{
	_free_ char *text = NULL, *why = NULL;
	size_t len = 0;
	int r = file_read(path, BASE_MAX, &text, &len);

	if (r == 0)
		r = docker_base_parse(text, len, ret, &why);
	if (r < 0)
		log_err("%s: %s", path, why ?: strerror(-r));
	return r;
}

static int export(const char *workload, struct export_options *o)
{
	_policy_loaded_ struct policy_loaded loaded = { 0 };

	if (policy_load(workload, &o->policy, &loaded) < 0 ||
	    render_policy(&o->render, &loaded.policy) < 0)
		return EXIT_FAIL;
	warn(&o->render, &loaded.policy);
	return EXIT_OK;
}

/* --- all of them -------------------------------------------------------------------------- */

/* What such files are called. */
static const char *suffix_of(const struct render *r)
{
	static const char *const suffix[][2] = {
		{ "oci", ".json" },	{ "docker", ".json" }, { "spo", ".yaml" },
		{ "systemd", ".conf" }, { "bpf", ".bpf" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffix) && !r->json; i++)
		if (strcmp(r->format->name, suffix[i][0]) == 0)
			return suffix[i][1];
	return r->json ? ".json" : ".txt";
}

static int export_one(struct store *s, struct store_row *row, const struct export_options *o,
		      struct export_all *to)
{
	_policy_loaded_ struct policy_loaded loaded = { 0 };
	_free_ char *text = NULL;
	size_t len = 0;
	int r = policy_load_row(s, row, &o->policy, &loaded);

	if (r < 0)
		return r;
	r = render_text(&o->render, &loaded.policy, &text, &len);
	if (r < 0)
		return log_err_errno(r, "%s: can't be said as %s", loaded.row.key,
				     o->render.format->name);
	r = export_all_add(to, loaded.row.key, suffix_of(&o->render), text, len);
	if (r < 0)
		return log_err_errno(r, "%s: can't be written", loaded.row.key);
	if (evidence_is_partial(&loaded.row.evidence))
		log_warn("%s: partial, the policy may lack calls; see 'tamis show'",
			 loaded.row.key);
	return 0;
}

/* One that can't be said keeps no other from being written. */
static int export_rows(struct store *s, const struct export_options *o, struct export_all *to)
{
	struct store_row *row = NULL;
	size_t cnt = 0;
	bool failed = false;
	int r = store_list(s, &row, &cnt);

	if (r < 0)
		return lookup_failed(s, r);
	for (size_t i = 0; i < cnt; i++) {
		failed |= export_one(s, &row[i], o, to) < 0;
		store_row_done(&row[i]);
	}
	free(row);
	r = export_all_commit(to);
	if (r < 0)
		return log_err_errno(r, "%s", o->render.output);
	return failed ? -EIO : 0;
}

static int export_everything(struct export_options *o)
{
	_cleanup_(store_close) struct store *s = NULL;
	_cleanup_(export_all_free) struct export_all *to = NULL;
	_cleanup_(policy_shared_free) struct policy_shared *shared = NULL;
	int r = lookup_open(o->policy.state ?: DEFAULT_STATE_DIR, STORE_READ, &s);

	if (r < 0)
		return EXIT_FAIL;
	r = policy_shared_new(&shared);
	o->policy.shared = shared;
	if (r == 0)
		r = export_all_new(o->render.output, &to);
	if (r < 0) {
		log_err_errno(r, "%s", o->render.output);
		return EXIT_FAIL;
	}
	return export_rows(s, o, to) < 0 ? EXIT_FAIL : EXIT_OK;
}

static int export_what(const char *workload, struct export_options *o)
{
	_cleanup_(docker_base_free) struct docker_base *base = NULL;

	if (o->base_path && load_base(o->base_path, &base) < 0)
		return EXIT_FAIL;
	o->render.emit.base = base;
	return o->all ? export_everything(o) : export(workload, o);
}

/* ------------------------------------------------------------------------------------------ */

static int show_help(void)
{
	printf("usage: tamis %s %s\n\n", cmd_export.name, cmd_export.args);
	for (const struct emit_format *e = emit_formats; e->name; e++)
		printf("  -f %-22s %s\n", e->name, e->what);
	puts("  -o FILE                   replaced at once; default: standard output\n"
	     "  --all                     every workload that is known, each to a file of its own\n"
	     "                            in the directory that -o names\n"
	     "  --state DIR               default: " DEFAULT_STATE_DIR "\n"
	     "  --runtime NAME[@VERSION]  whose start must be possible, may be repeated;\n"
	     "                            default: those installed here\n"
	     "  --without-sessions        leave out what only came in by exec\n"
	     "  --stage STAGE             with -f names: what was seen in setup, gate, workload,\n"
	     "                            session or all, pending calls too\n"
	     "  --engine-profile FILE     the profile that the engine uses by itself\n"
	     "  --base FILE               with -f docker: a profile of docker's; its entries "
	     "stay,\n"
	     "                            but for what the policy doesn't allow\n"
	     "  --widen                   with the calls that a libc may use instead tomorrow\n"
	     "                            (openat2 beside open, statx beside stat, ...)\n"
	     "  --arch aarch64|x86_64     for that machine: the same calls by name, or those that\n"
	     "                            programs use there instead\n"
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

static int check_changes(const struct export_options *o)
{
	if (o->base_path && strcmp(o->render.format->name, "docker") != 0) {
		log_err("export: --base goes with -f docker only");
		return -EINVAL;
	}
	if (o->render.emit.stages && (o->policy.widen || o->policy.other_machine)) {
		log_err("export: --stage shows what was seen: not with --widen or --arch");
		return -EINVAL;
	}
	return 0;
}

/* One, or all. */
static int check_which(const struct export_options *o, int args)
{
	if (o->all && args)
		log_err("export: --all, or a workload, not both");
	else if (!o->all && !args)
		log_err("export: which workload? (or --all)");
	else if (o->all && !o->render.output)
		log_err("export: --all needs -o DIR");
	else
		return 0;
	return -EINVAL;
}

static int run(int argc, char **argv)
{
	struct export_options o = { 0 };
	const struct option_row options[] = {
		{ "format", 'f', .take = render_take_format, .ctx = &o.render },
		{ "output", 'o', .text = &o.render.output },
		{ "all", .flag = &o.all },
		{ "runtime", .take = policy_take_runtime, .ctx = &o.policy },
		{ "without-sessions", .flag = &o.policy.without_sessions },
		{ "stage", .take = take_stage, .ctx = &o.render.emit },
		{ "engine-profile", .text = &o.policy.engine_profile },
		{ "base", .text = &o.base_path },
		{ "widen", .flag = &o.policy.widen },
		{ "arch", .take = policy_take_machine, .ctx = &o.policy },
		OPTION_JSON(&o.render.json),
		OPTION_STATE(&o.policy.state),
		{ 0 },
	};
	struct arguments args = { .max = 1 };

	if (options_parse(&cmd_export, options, argc, argv, &args) != EXIT_OK ||
	    check_which(&o, args.cnt) < 0 || check_options(&o.render) < 0 || check_changes(&o) < 0)
		return EXIT_USAGE;
	return export_what(args.cnt ? args.arg[0] : NULL, &o);
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "WORKLOAD|--all -f FORMAT [-o FILE] [OPTION]...",
	.help = "write a workload's policy in one of ten formats",
	.run = run,
	.show_help = show_help,
};
