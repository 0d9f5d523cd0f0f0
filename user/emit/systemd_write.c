/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drop-in for a unit. systemd takes names alone: one list for all ABIs, no conditions, one errno,
 * and it allows @default whatever the list says.
 */
#include <errno.h>
#include <string.h>

#include "emit/formats.h"
#include "emit/oci_names.h"
#include "emit/scmp.h"
#include "model/calls.h"

#define LINE 96

/* @default of systemd 257: earlier ones have less. */
static const char *const implied[] = {
	"arch_prctl",
	"brk",
	"cacheflush",
	"clock_getres",
	"clock_getres_time64",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"execve",
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"futex_waitv",
	"get_robust_list",
	"get_thread_area",
	"getegid",
	"getegid32",
	"geteuid",
	"geteuid32",
	"getgid",
	"getgid32",
	"getgroups",
	"getgroups32",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getrandom",
	"getresgid",
	"getresgid32",
	"getresuid",
	"getresuid32",
	"getrlimit",
	"getsid",
	"gettid",
	"gettimeofday",
	"getuid",
	"getuid32",
	"membarrier",
	"mmap",
	"mmap2",
	"mprotect",
	"munmap",
	"nanosleep",
	"pause",
	"prlimit64",
	"restart_syscall",
	"riscv_flush_icache",
	"riscv_hwprobe",
	"rseq",
	"rt_sigreturn",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"set_thread_area",
	"set_tid_address",
	"set_tls",
	"sigreturn",
	"time",
	"ugetrlimit",
	"uretprobe",
};

static bool is_allowed(const struct oci_call *c)
{
	return c->name && rules_allow(c->rule, c->rule_cnt);
}

static int print_calls(const struct oci_names *n, FILE *out)
{
	size_t column = 0;

	for (size_t i = 0; i < n->cnt; i++) {
		const char *name = n->call[i].name;

		if (!is_allowed(&n->call[i]))
			continue;
		if (column && column + 1 + strlen(name) > LINE) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%s%s", column ? " " : "SystemCallFilter=", name);
	}
	if (!column)
		return -EOPNOTSUPP;
	fputc('\n', out);
	return 0;
}

/* Without a number it kills the process. */
static void print_errno(const struct filter *f, FILE *out)
{
	const char *name = strerrorname_np((int)f->default_errno);

	if (f->default_action != FILTER_ERRNO)
		fputs("SystemCallErrorNumber=\n", out);
	else if (name)
		fprintf(out, "SystemCallErrorNumber=%s\n", name);
	else
		fprintf(out, "SystemCallErrorNumber=%u\n", f->default_errno);
}

/* The machine's own ABI is "native": what hardening is judged by. */
static void print_abis(const struct filter *f, FILE *out)
{
	static const char *const names[TAMIS_ABI_MAX] = {
		[TAMIS_ABI_X86_64] = "native",	[TAMIS_ABI_I386] = "x86", [TAMIS_ABI_X32] = "x32",
		[TAMIS_ABI_AARCH64] = "native", [TAMIS_ABI_ARM] = "arm",
	};
	const char *between = "=";

	fputs("SystemCallArchitectures=\nSystemCallArchitectures", out);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!(f->abis >> abi & 1))
			continue;
		fprintf(out, "%s%s", between, names[abi]);
		between = " ";
	}
	fputc('\n', out);
}

int systemd_filter_print(const struct filter *f, FILE *out)
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	bool both = f->abis >> TAMIS_ABI_X86_64 & f->abis >> TAMIS_ABI_AARCH64 & 1;
	int r = filter_action_passes(f->default_action) || !f->abis || both ? -EOPNOTSUPP
									    : oci_names_new(f, &n);

	if (r < 0)
		return r;
	fputs("SystemCallFilter=\n", out);
	r = print_calls(n, out);
	if (r < 0)
		return r;
	print_errno(f, out);
	print_abis(f, out);
	return ferror(out) ? -EIO : 0;
}

int systemd_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	fputs("[Service]\n", f);
	return systemd_filter_print(p->filter, f);
}

/* --- what it can't say ------------------------------------------------------------------- */

static bool is_nameless(const struct filter *f, const struct oci_call *c)
{
	return !c->name && rules_allow(c->rule, c->rule_cnt);
}

static bool is_too_new(const struct filter *f, const struct oci_call *c)
{
	return is_allowed(c) && !scmp_knows(c->abi, c->name);
}

/* Allowed on an ABI of the filter that has the call and doesn't allow it. */
static bool is_widened(const struct filter *f, const struct oci_call *c)
{
	for (unsigned abi = 0; is_allowed(c) && abi < TAMIS_ABI_MAX; abi++) {
		const struct filter_rule *rule;
		int nr = calls_number(abi, c->name);
		size_t cnt = nr < 0 || !(f->abis >> abi & 1) ? 0 : filter_find(f, abi, nr, &rule);

		if (nr >= 0 && (f->abis >> abi & 1) && (!cnt || !rules_allow(rule, cnt)))
			return true;
	}
	return false;
}

static bool is_conditional(const struct filter *f, const struct oci_call *c)
{
	return is_allowed(c) && rules_have_conditions(c->rule, c->rule_cnt);
}

static bool has_own_answer(const struct filter *f, const struct oci_call *c)
{
	return c->name && !rules_allow(c->rule, c->rule_cnt) && c->rule_cnt == 1 &&
	       c->rule->action != FILTER_NOTIFY &&
	       (c->rule->action != f->default_action || c->rule->errno_ret != f->default_errno);
}

static void widened_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_widened);
}

static void conditional_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_conditional);
}

static void nameless_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_nameless);
}

static void new_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_too_new);
}

static void own_answers(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, has_own_answer);
}

static bool allows(const struct filter *f, const char *name)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct filter_rule *rule;
		int nr = calls_number(abi, name);
		size_t cnt = nr < 0 || !(f->abis >> abi & 1) ? 0 : filter_find(f, abi, nr, &rule);

		if (cnt && rules_allow(rule, cnt))
			return true;
	}
	return false;
}

static bool exists(const struct filter *f, const char *name)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if ((f->abis >> abi & 1) && calls_number(abi, name) >= 0)
			return true;
	}
	return false;
}

static void implied_calls(const struct policy *p, FILE *f)
{
	struct list l = { f };

	for (size_t i = 0; i < ARRAY_SIZE(implied); i++) {
		if (exists(p->filter, implied[i]) && !allows(p->filter, implied[i]))
			list_add(&l, implied[i]);
	}
}

const struct emit_limit systemd_limits[] = {
	{ "it allows these by itself", implied_calls },
	{ "conditions can't be said, so allowed whatever their arguments are", conditional_calls },
	{ "names are shared by all ABIs listed, so allowed more widely on some", widened_calls },
	{ "calls without a name can't be said and are refused", nameless_calls },
	{ "this host's libseccomp doesn't know these names, a systemd that uses it will refuse "
	  "them",
	  new_calls },
	{ "refused with the list's errno instead of their own", own_answers },
	{ "nobody can be asked, so refused in the form that asks", list_asking },
	{ "takes the place of the unit's own SystemCallFilter=", NULL },
	{ 0 },
};
