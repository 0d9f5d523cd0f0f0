/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a seccomp program as the kernel would: the subset of classic BPF that it accepts
 * (kernel/seccomp.c, seccomp_check_filter). */
#pragma once

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CBPF_BROKEN UINT32_MAX /* no seccomp return value: the program would not load */

struct cbpf {
	const struct sock_filter *insn;
	size_t cnt;
	uint32_t a, x, mem[BPF_MEMWORDS];
	size_t steps; /* of the last run */
};

/* 1: return *ret; 0: go on; -1: broken. */
static inline int cbpf_misc(struct cbpf *s, const struct sock_filter *i, uint32_t *ret)
{
	switch (i->code) {
	case BPF_RET | BPF_K:
		*ret = i->k;
		return 1;
	case BPF_RET | BPF_A:
		*ret = s->a;
		return 1;
	case BPF_MISC | BPF_TAX:
		s->x = s->a;
		return 0;
	case BPF_MISC | BPF_TXA:
		s->a = s->x;
		return 0;
	case BPF_LD | BPF_IMM:
		s->a = i->k;
		return 0;
	case BPF_LD | BPF_MEM:
		s->a = s->mem[i->k % BPF_MEMWORDS];
		return i->k < BPF_MEMWORDS ? 0 : -1;
	case BPF_ST:
		s->mem[i->k % BPF_MEMWORDS] = s->a;
		return i->k < BPF_MEMWORDS ? 0 : -1;
	}
	return -1;
}

static inline int cbpf_alu(struct cbpf *s, const struct sock_filter *i)
{
	uint32_t v = BPF_SRC(i->code) == BPF_X ? s->x : i->k;

	switch (BPF_OP(i->code)) {
	case BPF_AND:
		s->a &= v;
		return 0;
	case BPF_OR:
		s->a |= v;
		return 0;
	case BPF_XOR:
		s->a ^= v;
		return 0;
	case BPF_ADD:
		s->a += v;
		return 0;
	case BPF_SUB:
		s->a -= v;
		return 0;
	}
	return -1;
}

/* How many instructions to skip, or -1. */
static inline int64_t cbpf_jump(const struct cbpf *s, const struct sock_filter *i)
{
	uint32_t v = BPF_SRC(i->code) == BPF_X ? s->x : i->k;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return i->k;
	case BPF_JEQ:
		return s->a == v ? i->jt : i->jf;
	case BPF_JGT:
		return s->a > v ? i->jt : i->jf;
	case BPF_JGE:
		return s->a >= v ? i->jt : i->jf;
	case BPF_JSET:
		return s->a & v ? i->jt : i->jf;
	}
	return -1;
}

static inline uint32_t cbpf_run(struct cbpf *s, const struct seccomp_data *data)
{
	s->a = s->x = 0;
	s->steps = 0;
	for (size_t pc = 0; pc < s->cnt; pc++) {
		const struct sock_filter *i = &s->insn[pc];
		uint32_t ret = 0;
		int64_t skip = 0;
		int r = 0;

		s->steps++;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (i->k % 4 != 0 || i->k > sizeof(*data) - 4)
				return CBPF_BROKEN;
			memcpy(&s->a, (const char *)data + i->k, 4);
		} else if (BPF_CLASS(i->code) == BPF_JMP) {
			skip = cbpf_jump(s, i);
		} else if (BPF_CLASS(i->code) == BPF_ALU) {
			r = cbpf_alu(s, i);
		} else {
			r = cbpf_misc(s, i, &ret);
		}
		if (r < 0 || skip < 0)
			return CBPF_BROKEN;
		if (r > 0)
			return ret;
		pc += skip;
	}
	return CBPF_BROKEN; /* ran off its end */
}
