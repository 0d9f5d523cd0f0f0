/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of what is said of the machine's own calls otherwise than of others: included before
 * the fixtures, all that is learned is the machine's. */
#pragma once

#include "model/abi.h"

/* _32 is what it runs beside, FOREIGN what it can't. */
#if defined(__aarch64__)
#define MACHINE	     TAMIS_ABI_AARCH64
#define MACHINE_NAME "aarch64"
#define MACHINE_32   TAMIS_ABI_ARM
#define NAME_32	     "arm"
#define FOREIGN	     TAMIS_ABI_X86_64
#define FOREIGN_NAME "x86_64"
enum {
	DUP = 23,
	FLOCK = 32,
	MOUNT = 40,
	OPENAT = 56,
	READ = 63,
	WRITE = 64,
	FUTEX = 98,
	PTRACE = 117,
	GETTID = 178,
	MQ_OPEN = 180,
	SECCOMP = 277,
	BPF = 280
};
#else
#define MACHINE	     TAMIS_ABI_X86_64
#define MACHINE_NAME "x86_64"
#define MACHINE_32   TAMIS_ABI_I386
#define NAME_32	     "i386"
#define FOREIGN	     TAMIS_ABI_AARCH64
#define FOREIGN_NAME "aarch64"
enum {
	READ = 0,
	WRITE = 1,
	DUP = 32,
	FLOCK = 73,
	PTRACE = 101,
	MOUNT = 165,
	GETTID = 186,
	FUTEX = 202,
	MQ_OPEN = 240,
	OPENAT = 257,
	SECCOMP = 317,
	BPF = 321
};
#endif
