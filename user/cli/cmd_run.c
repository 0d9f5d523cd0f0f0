/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "apply/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "emit/emit.h"
#include "model/calls.h"

#define POLICY_MAX (4u << 20)

/* A policy file: a filter, or else a program. */
struct policy_file {
	struct filter *filter;
	char *program;
	size_t program_len;
};

static void policy_file_done(struct policy_file *p)
{
	filter_free(p->filter);
	free(p->program);
}

static bool is_json(const char *text, size_t len)
{
	size_t blank = strspn(text, " \t\r\n");

	return blank < len && (text[blank] == '{' || text[blank] == '[');
}

static int read_json(const char *path, const char *text, size_t len, struct filter **ret)
{
	_free_ char *why = NULL;
	unsigned unknown = 0;
	int r = oci_parse(text, len, NULL, ret, &unknown, &why);

	if (r < 0)
		log_err("%s: %s", path, why ?: strerror(-r));
	else if (unknown > 0)
		log_warn("%s: %u name%s that no table has %s ignored", path, unknown,
			 unknown == 1 ? "" : "s", unknown == 1 ? "is" : "are");
	return r;
}

static int read_policy(const char *path, struct policy_file *ret)
{
	_free_ char *text = NULL;
	size_t len;
	int r = file_read(path, POLICY_MAX, &text, &len);

	if (r == -EFBIG) {
		log_err("%s: larger than %u MiB", path, POLICY_MAX >> 20);
		return r;
	}
	if (r < 0)
		return log_err_errno(r, "%s", path);
	if (is_json(text, len))
		return read_json(path, text, len, &ret->filter);
	if (len == 0 || len % sizeof(struct sock_filter) != 0) {
		log_err("%s: neither an OCI profile (JSON) nor a BPF program", path);
		return -EINVAL;
	}
	ret->program = TAKE_PTR(text);
	ret->program_len = len;
	return 0;
}

static bool allows_exec(const struct filter *f)
{
	static const uint64_t any[FILTER_ARGS];
	int nr = calls_number(abi_native(), "execve");
	struct filter_verdict v;

	if (nr < 0)
		return true;
	v = filter_verdict(f, abi_native(), nr, any);
	return v.action == FILTER_ALLOW || v.action == FILTER_LOG || v.action == FILTER_TRACE;
}

/* Whoever would answer is given the filter's descriptor, by a runtime: here there is nobody. */
static bool asks(const struct filter *f)
{
	bool any = f->default_action == FILTER_NOTIFY;

	for (size_t i = 0; i < f->rule_cnt; i++)
		any |= f->rule[i].action == FILTER_NOTIFY;
	return any;
}

/* Why nothing can be run under it; NULL: it can. */
static const char *refuses(const struct filter *f)
{
	if (asks(f))
		return "calls ask in it (SCMP_ACT_NOTIFY), and nobody would answer: it is for a "
		       "runtime with a listener";
	return allows_exec(f) ? NULL : "policy does not allow execve: nothing could be started";
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As a shell would find it, but before the filter is on. NULL when there is none. */
static char *find_program(const char *name)
{
	const char *dirs = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin";

	if (strchr(name, '/') || !*name)
		return is_program(name) ? strdup(name) : NULL;
	while (true) {
		size_t len = strcspn(dirs, ":");
		_free_ char *path = text_format("%.*s%s%s", (int)len, dirs, len ? "/" : "", name);

		if (path && is_program(path))
			return TAKE_PTR(path);
		if (!dirs[len])
			return NULL;
		dirs += len + 1;
	}
}

static int confine(const char *path, const struct policy_file *p)
{
	int r = p->filter ? confine_self(p->filter) : confine_self_bpf(p->program, p->program_len);

	if (r == -EINVAL && !p->filter)
		log_err("%s: not a program that the kernel takes", path);
	else if (r == -E2BIG)
		log_err("%s: more rules than fit in a program of the kernel", path);
	else if (r < 0)
		log_err_errno(r, "%s: can't load the policy", path);
	return r;
}

static int run_under(const char *path, char **argv)
{
	__attribute__((cleanup(policy_file_done))) struct policy_file p = { 0 };
	_free_ char *program = NULL;
	const char *why;

	if (read_policy(path, &p) < 0)
		return EXIT_FAIL;
	program = find_program(argv[0]);
	if (!program) {
		log_err("%s: %s", argv[0],
			strchr(argv[0], '/') && access(argv[0], F_OK) == 0 ? "not executable"
									   : "no such command");
		return EXIT_FAIL;
	}
	why = p.filter ? refuses(p.filter) : NULL;
	if (why) {
		log_err("%s: %s", path, why);
		return EXIT_FAIL;
	}
	if (confine(path, &p) < 0)
		return EXIT_FAIL;
	execv(program, argv);
	(void)log_err_errno(-errno, "%s", program);
	return EXIT_FAIL;
}

static int run(int argc, char **argv)
{
	const char *policy = NULL;
	const struct option_row options[] = { { .name = "policy", .text = &policy }, { 0 } };
	struct arguments args = { .min = 1, .max = -1, .own_options = true };

	if (options_parse(&cmd_run, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (!policy)
		return cmd_bad_argument(&cmd_run, NULL);
	return run_under(policy, args.arg);
}

const struct cmd cmd_run = {
	.name = "run",
	.args = "--policy FILE -- CMD...",
	.help = "run CMD under a policy file: OCI JSON or a BPF program",
	.run = run,
};
