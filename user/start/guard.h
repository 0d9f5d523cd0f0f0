/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start path does when it crashes or hangs itself: the one thing that makes the container
 * start as the engine made it.
 */
#pragma once

/* `fallback` runs in a signal handler of this process (not of its children): on SIGSEGV, SIGBUS,
 * SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGXCPU, SIGXFSZ, and after `seconds`. It must not return.
 * Also ignores SIGPIPE and takes the default for SIGCHLD. */
void guard_set(void (*fallback)(void), unsigned seconds);

/* Signals are again as they were at guard_set: for what is exec'd now. Safe in a signal handler. */
void guard_drop(void);

/* For the fallback: a line, by a child with a second to live. What crashed may crash again there. */
void guard_report(void);
