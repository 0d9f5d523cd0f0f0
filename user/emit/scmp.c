/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "emit/formats.h"
#include "emit/scmp.h"

#define SCMP_ERRNO_MAX	 4094
#define ALTERNATIVES_MAX 64 /* it compares each with each */
#define ABI_IS_32BIT	 ((1u << TAMIS_ABI_I386) | (1u << TAMIS_ABI_X32) | (1u << TAMIS_ABI_ARM))

static void scmp_free(scmp_filter_ctx c)
{
	seccomp_release(c);
}
CLEANUP_DEFINE(scmp_filter_ctx, scmp_free);

static uint32_t token(enum tamis_abi abi)
{
	static const uint32_t tokens[TAMIS_ABI_MAX] = {
		[TAMIS_ABI_X86_64] = SCMP_ARCH_X86_64, [TAMIS_ABI_I386] = SCMP_ARCH_X86,
		[TAMIS_ABI_X32] = SCMP_ARCH_X32,       [TAMIS_ABI_AARCH64] = SCMP_ARCH_AARCH64,
		[TAMIS_ABI_ARM] = SCMP_ARCH_ARM,
	};

	return tokens[abi];
}

uint32_t scmp_number(enum tamis_abi abi, uint32_t nr)
{
	if (abi == TAMIS_ABI_X32)
		return nr | TAMIS_X32_BIT;
	if (abi == TAMIS_ABI_ARM && nr >= TAMIS_ARM_PRIVATE)
		return TAMIS_ARM_NR_BASE + (nr - TAMIS_ARM_PRIVATE);
	return nr;
}

bool scmp_knows(enum tamis_abi abi, const char *name)
{
	return seccomp_syscall_resolve_name_arch(token(abi), name) != __NR_SCMP_ERROR;
}

bool scmp_is_multiplexed(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);

	/* Stand-ins of calls that i386 lacks are below -10000. */
	return nr < -1 && nr > -10000;
}

/*
 * libseccomp's interface takes native numbers only and translates them by name. The number to
 * give it for a call of another ABI is a negative stand-in where this one lacks the call.
 */
static int native_number(enum tamis_abi abi, uint32_t nr, int *ret)
{
	int num = (int)scmp_number(abi, nr), native;
	_free_ char *name = seccomp_syscall_resolve_num_arch(token(abi), num);
	_free_ char *back = NULL;

	/* Multiplexed calls have a stand-in even on their own ABI: it would let both forms in. */
	if (name && seccomp_syscall_resolve_name_arch(token(abi), name) != num)
		return -ENOENT;
	if (abi == abi_native()) {
		*ret = num;
		return 0;
	}
	if (!name)
		return -ENOENT;
	native = seccomp_syscall_resolve_name(name);
	if (native == __NR_SCMP_ERROR)
		return -ENOENT;
	back = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, native);
	if (!back || strcmp(back, name) != 0)
		return -ENOENT;
	*ret = native;
	return 0;
}

/* libseccomp compares the low half only where it takes an ABI for a 32-bit one, and masks the
 * value of a masked comparison; the kernel shows whole registers. */
static bool cond_is_exact(enum tamis_abi abi, const struct filter_cond *c)
{
	if (c->op == FILTER_MASKED_EQ && (c->value_two & ~c->value))
		return false;
	if (abi == TAMIS_ABI_X32)
		return false;
	if (!(ABI_IS_32BIT >> abi & 1))
		return true;
	return c->value <= UINT32_MAX && c->value_two <= UINT32_MAX;
}

/* libseccomp 2.5.4 gets alternatives with conditions wrong, in either direction, or loops on them
 * for ever; only those that are one argument's values each are fine. */
static bool rules_are_simple(const struct filter_rule *rules, size_t cnt)
{
	if (cnt == 1 || rules->cond_cnt == 0)
		return true;
	if (cnt > ALTERNATIVES_MAX)
		return false;
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].cond_cnt != 1 || rules[i].cond[0].op != FILTER_EQ ||
		    rules[i].cond[0].index != rules->cond[0].index)
			return false;
	}
	return true;
}

bool scmp_is_exact(const struct filter_rule *rules, size_t cnt)
{
	int native;

	if (native_number(rules->abi, rules->nr, &native) < 0 || !rules_are_simple(rules, cnt))
		return false;
	for (size_t i = 0; i < cnt; i++) {
		if (rules[i].action != rules->action || rules[i].errno_ret != rules->errno_ret ||
		    rules[i].errno_ret > SCMP_ERRNO_MAX)
			return false;
		for (unsigned j = 0; j < rules[i].cond_cnt; j++) {
			if (!cond_is_exact(rules[i].abi, &rules[i].cond[j]))
				return false;
		}
	}
	return true;
}

static uint32_t scmp_action(enum filter_action a, uint32_t err)
{
	switch (a) {
	case FILTER_KILL_PROCESS:
		return SCMP_ACT_KILL_PROCESS;
	case FILTER_KILL_THREAD:
		return SCMP_ACT_KILL_THREAD;
	case FILTER_TRAP:
		return SCMP_ACT_TRAP;
	case FILTER_ERRNO:
		return SCMP_ACT_ERRNO(err);
	case FILTER_NOTIFY:
		return SCMP_ACT_NOTIFY;
	case FILTER_TRACE:
		return SCMP_ACT_TRACE(err);
	case FILTER_LOG:
		return SCMP_ACT_LOG;
	default:
		return SCMP_ACT_ALLOW;
	}
}

static enum scmp_compare scmp_op(enum filter_op op)
{
	static const enum scmp_compare ops[FILTER_OP_MAX] = {
		[FILTER_NE] = SCMP_CMP_NE,
		[FILTER_LT] = SCMP_CMP_LT,
		[FILTER_LE] = SCMP_CMP_LE,
		[FILTER_EQ] = SCMP_CMP_EQ,
		[FILTER_GE] = SCMP_CMP_GE,
		[FILTER_GT] = SCMP_CMP_GT,
		[FILTER_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	return ops[op];
}

static int add_rule(scmp_filter_ctx c, int native, const struct filter_rule *rule)
{
	struct scmp_arg_cmp args[FILTER_ARGS];

	for (unsigned i = 0; i < rule->cond_cnt; i++)
		args[i] = (struct scmp_arg_cmp){ rule->cond[i].index, scmp_op(rule->cond[i].op),
						 rule->cond[i].value, rule->cond[i].value_two };
	return seccomp_rule_add_exact_array(c, scmp_action(rule->action, rule->errno_ret), native,
					    rule->cond_cnt, args);
}

static int add_call(scmp_filter_ctx c, const struct filter *f, const struct filter_rule *rules,
		    size_t cnt)
{
	int native, r;

	/* What the default says anyway is refused with -EACCES. */
	if (scmp_action(rules->action, rules->errno_ret) ==
	    scmp_action(f->default_action, f->default_errno))
		return 0;
	r = native_number(rules->abi, rules->nr, &native);
	for (size_t i = 0; r >= 0 && i < cnt; i++) {
		r = add_rule(c, native, &rules[i]);
		if (rules[i].cond_cnt == 0)
			break; /* sorted first; the others say less */
	}
	return r;
}

static int context_new(const struct filter *f, enum tamis_abi abi, scmp_filter_ctx *ret)
{
	_cleanup_(scmp_free) scmp_filter_ctx c =
		seccomp_init(scmp_action(f->default_action, f->default_errno));
	int r;

	if (!c)
		return f->default_errno > SCMP_ERRNO_MAX ? -EINVAL : -ENOMEM;
	r = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0 && abi != abi_native())
		r = seccomp_arch_add(c, token(abi));
	if (r == 0 && abi != abi_native())
		r = seccomp_arch_remove(c, SCMP_ARCH_NATIVE);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

static int abi_build(const struct filter *f, enum tamis_abi abi, scmp_filter_ctx *ret)
{
	_cleanup_(scmp_free) scmp_filter_ctx c = NULL;
	size_t n;
	int r = context_new(f, abi, &c);

	for (size_t i = 0; r >= 0 && i < f->rule_cnt; i += n) {
		n = rules_of_call(f, i);
		if (f->rule[i].abi == abi && scmp_is_exact(&f->rule[i], n))
			r = add_call(c, f, &f->rule[i], n);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

int scmp_build(const struct filter *f, void **ret)
{
	_cleanup_(scmp_free) scmp_filter_ctx all = NULL;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		_cleanup_(scmp_free) scmp_filter_ctx c = NULL;
		int r;

		if (!(f->abis >> abi & 1))
			continue;
		r = abi_build(f, abi, &c);
		if (r == 0 && all)
			r = seccomp_merge(all, c); /* takes c */
		if (r < 0)
			return r;
		if (!all)
			all = c;
		c = NULL;
	}
	if (!all)
		return -EINVAL;
	*ret = TAKE_PTR(all);
	return 0;
}
