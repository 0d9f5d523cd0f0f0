/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a filter on this process, for `tamis run`. */
#pragma once

#include "model/filter.h"

/* Sets no_new_privs and loads the filter: everything this process execs is bound by it.
 * execve itself must be allowed by it. Negative errno. */
int confine_self(const struct filter *f);
/* The same for a raw cBPF program (-f bpf): whole struct sock_filter records, 1..4096 of them. */
int confine_self_bpf(const void *program, size_t len);
