/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/envelope.h"
#include "cli/policy_load.h"
#include "emit/emit.h"

struct export_options {
	struct policy_options policy;
	struct emit_options emit;
	const struct emit_format *format;
	const char *workload;
	const char *output; /* NULL: stdout */
	bool json;
};

static int parse_format(const char *name, struct export_options *o)
{
	o->format = emit_find(name);
	if (o->format)
		return 0;
	log_err("unknown format \"%s\"", name);
	return -EINVAL;
}

static int parse_stage(const char *name, struct export_options *o)
{
	enum tamis_stage stage;

	if (strcmp(name, "all") == 0) {
		o->emit.stages = (1u << TAMIS_STAGE_MAX) - 1;
		return 0;
	}
	if (stage_from_name(name, &stage) == 0) {
		o->emit.stages |= 1u << stage;
		return 0;
	}
	log_err("unknown stage \"%s\"", name);
	return -EINVAL;
}

static int parse_option(int c, struct export_options *o)
{
	switch (c) {
	case 'f':
		return parse_format(optarg, o);
	case 'o':
		o->output = optarg;
		return 0;
	case 's':
		o->policy.state = optarg;
		return 0;
	case 'r':
		return policy_options_runtime(&o->policy, optarg);
	case 'w':
		o->policy.without_sessions = true;
		return 0;
	case 'S':
		return parse_stage(optarg, o);
	case 'e':
		o->policy.engine_profile = optarg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	}
	return -EINVAL;
}

/* --- warnings ----------------------------------------------------------------------------- */

static void warn_limit(void *ctx, const char *line)
{
	log_warn("%s", line);
}

static void warn(const struct export_options *o, const struct policy *p)
{
	if (evidence_is_partial(p->evidence))
		log_warn("%s: partial, the policy may lack calls; see 'tamis show'", p->workload);
	(void)emit_limits(o->format, p, warn_limit, NULL);
}

/* --- output ------------------------------------------------------------------------------- */

static int render(const struct export_options *o, const struct policy *p, char **ret,
		  size_t *ret_len)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = o->format->write(p, &o->emit, f);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (o->json) {
		r = envelope(p, o->format, text, len, ret);
		if (r >= 0)
			*ret_len = strlen(*ret);
		return r;
	}
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static int put(const struct export_options *o, const char *text, size_t len)
{
	if (o->output)
		return file_write_atomic(o->output, text, len, 0644);
	if (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0)
		return -errno;
	return 0;
}

static int export(const struct export_options *o)
{
	_policy_loaded_ struct policy_loaded loaded = { 0 };
	_free_ char *text = NULL;
	size_t len;
	int r = policy_load(o->workload, &o->policy, &loaded);

	if (r < 0)
		return EXIT_FAIL;
	r = render(o, &loaded.policy, &text, &len);
	if (r < 0) {
		(void)log_err_errno(r, "%s: can't be said as %s", loaded.policy.workload,
				    o->format->name);
		return EXIT_FAIL;
	}
	r = put(o, text, len);
	if (r < 0) {
		(void)log_err_errno(r, "%s", o->output ?: "standard output");
		return EXIT_FAIL;
	}
	warn(o, &loaded.policy);
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
static int check_options(const struct export_options *o)
{
	if (!o->format) {
		log_err("export: -f FORMAT is missing");
		return EXIT_USAGE;
	}
	if (o->emit.stages && strcmp(o->format->name, "names") != 0) {
		log_err("export: --stage goes with -f names only");
		return EXIT_USAGE;
	}
	if (strcmp(o->format->name, "bpf") == 0 && !o->json && !o->output &&
	    isatty(STDOUT_FILENO)) {
		log_err("a BPF program is not for a terminal; use -o FILE");
		return EXIT_FAIL;
	}
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "output", required_argument, NULL, 'o' },
		{ "state", required_argument, NULL, 's' },
		{ "runtime", required_argument, NULL, 'r' },
		{ "without-sessions", no_argument, NULL, 'w' },
		{ "stage", required_argument, NULL, 'S' },
		{ "engine-profile", required_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct export_options o = { 0 };
	int c, code;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":f:o:", options, NULL)) >= 0) {
		if (c == '?' || c == ':')
			return cmd_bad_option(&cmd_export, c, argv);
		if (parse_option(c, &o) < 0)
			return EXIT_USAGE;
	}
	if (optind != argc - 1)
		return cmd_bad_argument(&cmd_export, optind < argc ? argv[optind + 1] : NULL);
	code = check_options(&o);
	if (code != EXIT_OK)
		return code;
	o.workload = argv[optind];
	return export(&o);
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "WORKLOAD -f oci|text|names|bpf|pfc [-o FILE] [OPTION]...",
	.help = "write a workload's policy in one of five formats",
	.run = run,
	.show_help = show_help,
};
