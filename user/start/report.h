/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place in tamis-start that says anything. Standard output belongs to the engine. A line goes
 * to the system log (/dev/log, identifier as given) and to STATE/start.log (root's; cut to its
 * newest half at REPORT_MAX); to standard error where neither took it. Never waits.
 */
#pragma once

#define REPORT_MAX (1u << 20)

void report_to(const char *state, const char *ident); /* state NULL: no file */
/* Escaped as log_line does. One line a fault: a second one of the same start is dropped. */
void report_fault(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What was put in place, what was left alone on purpose. */
void report_done(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
