/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same programs and maps without anything that only some kernels have. Their own object, since
 * libbpf (1.1) looks for a function that the kernel lacks among its modules', which takes
 * CAP_SYS_ADMIN, whether or not the program that calls it is to be loaded.
 */
#define TAMIS_PORTABLE
#include "bpf/sensor.bpf.c"
