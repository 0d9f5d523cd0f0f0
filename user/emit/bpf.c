/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter as a program. libseccomp makes it from the calls it takes exactly; the few others
 * are answered in front of its part:
 *
 *     for each ABI with such calls:  its AUDIT_ARCH?  number?  conditions?  -> ret
 *     libseccomp's program
 */
#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "emit/formats.h"
#include "emit/scmp.h"

/* Jumps whose target isn't known yet; no real jump of one rule is as long. */
enum { NEXT = 0, MATCHED = 253, FAILED = 254 };

struct program {
	size_t cnt;
	struct sock_filter insn[BPF_MAXINSNS];
};

static int put(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->cnt == BPF_MAXINSNS)
		return -E2BIG;
	p->insn[p->cnt++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
	return 0;
}

static int put_load(struct program *p, uint32_t offset)
{
	return put(p, BPF_LD | BPF_W | BPF_ABS, offset, NEXT, NEXT);
}

/* The place of a jump over what follows; land() closes it. */
static int put_skip(struct program *p, uint32_t unless, size_t *ret_place)
{
	int r = put(p, BPF_JMP | BPF_JEQ | BPF_K, unless, 1, 0);

	if (r < 0)
		return r;
	*ret_place = p->cnt;
	return put(p, BPF_JMP | BPF_JA, 0, NEXT, NEXT);
}

static void land(struct program *p, size_t place)
{
	p->insn[place].k = p->cnt - place - 1;
}

static uint32_t offset_lo(const struct filter_cond *c)
{
	size_t half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	return offsetof(struct seccomp_data, args) + 8 * c->index + half;
}

/* What decides in the high half, and then in the low half, of an unsigned comparison. */
static const struct comparison {
	uint8_t above, below; /* the high half is larger, smaller than the value's */
	uint16_t low;	      /* the low half's test, with what follows when it is true, false */
	uint8_t low_true, low_false;
} comparisons[FILTER_OP_MAX] = {
	[FILTER_NE] = { MATCHED, MATCHED, BPF_JEQ, FAILED, NEXT },
	[FILTER_LT] = { FAILED, MATCHED, BPF_JGE, FAILED, NEXT },
	[FILTER_LE] = { FAILED, MATCHED, BPF_JGT, FAILED, NEXT },
	[FILTER_EQ] = { FAILED, FAILED, BPF_JEQ, NEXT, FAILED },
	[FILTER_GE] = { MATCHED, FAILED, BPF_JGE, NEXT, FAILED },
	[FILTER_GT] = { MATCHED, FAILED, BPF_JGT, NEXT, FAILED },
	[FILTER_MASKED_EQ] = { FAILED, FAILED, BPF_JEQ, NEXT, FAILED },
};

static int put_half(struct program *p, const struct filter_cond *c, unsigned shift)
{
	uint32_t hi = shift ? (offset_lo(c) ^ 4) : offset_lo(c);
	int r = put_load(p, hi);

	if (r == 0 && c->op == FILTER_MASKED_EQ)
		r = put(p, BPF_ALU | BPF_AND | BPF_K, c->value >> shift, NEXT, NEXT);
	return r;
}

static int put_cond(struct program *p, const struct filter_cond *c)
{
	const struct comparison *t = &comparisons[c->op];
	uint64_t v = c->op == FILTER_MASKED_EQ ? c->value_two : c->value;
	size_t start = p->cnt;
	int r = put_half(p, c, 32);

	if (r == 0)
		r = put(p, BPF_JMP | BPF_JGT | BPF_K, v >> 32, t->above, NEXT);
	if (r == 0)
		r = put(p, BPF_JMP | BPF_JEQ | BPF_K, v >> 32, NEXT, t->below);
	if (r == 0)
		r = put_half(p, c, 0);
	if (r == 0)
		r = put(p, BPF_JMP | t->low | BPF_K, v, t->low_true, t->low_false);
	for (size_t i = start; r == 0 && i < p->cnt; i++) {
		struct sock_filter *insn = &p->insn[i];

		if (insn->jt == MATCHED)
			insn->jt = p->cnt - i - 1;
		if (insn->jf == MATCHED)
			insn->jf = p->cnt - i - 1;
	}
	return r;
}

static uint32_t return_value(enum filter_action a, uint32_t err)
{
	static const uint32_t values[FILTER_ACTION_MAX] = {
		[FILTER_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
		[FILTER_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
		[FILTER_TRAP] = SECCOMP_RET_TRAP,
		[FILTER_ERRNO] = SECCOMP_RET_ERRNO,
		[FILTER_NOTIFY] = SECCOMP_RET_USER_NOTIF,
		[FILTER_TRACE] = SECCOMP_RET_TRACE,
		[FILTER_LOG] = SECCOMP_RET_LOG,
		[FILTER_ALLOW] = SECCOMP_RET_ALLOW,
	};
	bool data = a == FILTER_ERRNO || a == FILTER_TRACE;

	return values[a] | (data ? err & SECCOMP_RET_DATA : 0);
}

static int put_return(struct program *p, enum filter_action a, uint32_t err)
{
	return put(p, BPF_RET | BPF_K, return_value(a, err), NEXT, NEXT);
}

static int put_rule(struct program *p, const struct filter_rule *rule)
{
	size_t start = p->cnt;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < rule->cond_cnt; i++)
		r = put_cond(p, &rule->cond[i]);
	if (r == 0)
		r = put_return(p, rule->action, rule->errno_ret);
	for (size_t i = start; r == 0 && i < p->cnt; i++) {
		struct sock_filter *insn = &p->insn[i];

		if (insn->jt == FAILED)
			insn->jt = p->cnt - i - 1;
		if (insn->jf == FAILED)
			insn->jf = p->cnt - i - 1;
	}
	return r;
}

/* As filter_verdict: the strictest action whose rule matches, else the default. */
static int put_alternatives(struct program *p, const struct filter *f,
			    const struct filter_rule *rules, size_t cnt)
{
	int r = 0;

	for (unsigned action = 0; action < FILTER_ACTION_MAX; action++) {
		for (size_t i = 0; r == 0 && i < cnt; i++) {
			if (rules[i].action == action)
				r = put_rule(p, &rules[i]);
		}
	}
	return r < 0 ? r : put_return(p, f->default_action, f->default_errno);
}

static int put_call(struct program *p, const struct filter *f, const struct filter_rule *rules,
		    size_t cnt)
{
	uint32_t number = scmp_number(rules->abi, rules->nr);
	size_t end;
	int r;

	if (cnt == 1 && rules->cond_cnt == 0) {
		r = put(p, BPF_JMP | BPF_JEQ | BPF_K, number, NEXT, 1);
		return r < 0 ? r : put_return(p, rules->action, rules->errno_ret);
	}
	r = put_skip(p, number, &end);
	if (r == 0)
		r = put_alternatives(p, f, rules, cnt);
	if (r == 0)
		land(p, end);
	return r;
}

/* The calls of one ABI that libseccomp can't take. */
static int put_abi(struct program *p, const struct filter *f, enum tamis_abi abi)
{
	size_t end = 0, n;
	bool begun = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->rule_cnt; i += n) {
		n = rules_of_call(f, i);
		if (f->rule[i].abi != abi || scmp_is_exact(&f->rule[i], n))
			continue;
		if (!begun) {
			r = put_load(p, offsetof(struct seccomp_data, arch));
			if (r == 0)
				r = put_skip(p, abi_audit_arch(abi), &end);
			if (r == 0)
				r = put_load(p, offsetof(struct seccomp_data, nr));
			begun = true;
		}
		if (r == 0)
			r = put_call(p, f, &f->rule[i], n);
	}
	if (begun && r == 0)
		land(p, end);
	return r;
}

static int put_libseccomp(struct program *p, const struct filter *f)
{
	_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t room = sizeof(p->insn) - p->cnt * sizeof(*p->insn);
	void *ctx = NULL;
	ssize_t got;
	int r;

	if (fd < 0)
		return -errno;
	r = scmp_build(f, &ctx);
	if (r < 0)
		return r;
	r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_END) > (off_t)room)
		return -E2BIG;
	got = pread(fd, &p->insn[p->cnt], room, 0);
	if (got <= 0 || got % sizeof(*p->insn) != 0)
		return -EIO;
	p->cnt += got / sizeof(*p->insn);
	return 0;
}

int bpf_program(const struct filter *f, struct sock_filter **ret, size_t *ret_cnt)
{
	_free_ struct program *p = calloc(1, sizeof(*p));
	struct sock_filter *copy;
	int r = 0;

	if (!p)
		return -ENOMEM;
	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		if (f->abis >> abi & 1)
			r = put_abi(p, f, abi);
	}
	if (r == 0)
		r = put_libseccomp(p, f);
	if (r < 0)
		return r;
	copy = malloc(p->cnt * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*ret_cnt = p->cnt;
	*ret = memcpy(copy, p->insn, p->cnt * sizeof(*copy));
	return 0;
}

const struct emit_limit bpf_limits[] = {
	{ "refused with ENOSYS unless who loads it listens, since these ask", list_asking },
	{ 0 },
};

int bpf_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_free_ struct sock_filter *insn = NULL;
	size_t cnt;
	int r = bpf_program(p->filter, &insn, &cnt);

	if (r < 0)
		return r;
	return fwrite(insn, sizeof(*insn), cnt, f) == cnt ? 0 : -EIO;
}
