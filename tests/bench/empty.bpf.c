/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The least that watching system calls can cost: a program that does nothing. */
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("raw_tp/sys_enter")
int empty(void *ctx)
{
	return 0;
}
