/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The portable programs for kernels whose BPF has no atomic operation that returns a value (before
 * 5.12; 5.10 is Debian 11's): sets are kept as struct tamis_legacy_set. All else is the same.
 */
#define TAMIS_PORTABLE
#define TAMIS_LEGACY
#include "bpf/sensor.bpf.c"
