/* SPDX-License-Identifier: Apache-2.0 */
/* The least that watching system calls can cost: a program that does nothing. */
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Apache-2.0";

SEC("raw_tp/sys_enter")
int empty(void *ctx)
{
	return 0;
}
