/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that prints messages. Libraries (everything but cli/, start/ and
 * keeper/) return negative errno and stay silent, except at debug.
 */
#pragma once

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above `level` are dropped. Default: INFO, to stderr, as "tamis: text". With
 * JOURNAL_STREAM set on stderr's own file (systemd.exec(5)) lines carry <N> priorities. */
void log_set_level(enum log_level level);
void log_set_name(const char *name);

/* Prints one line. Control characters and invalid UTF-8 in the formatted text are escaped
 * as \xNN, so a hostile name can't forge a line. Keeps errno. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...)   log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Logs "text: strerror(-r)" at error and returns r (negative errno). */
#define log_err_errno(r, fmt, ...)  log_errno_line(LOG_LEVEL_ERR, (r), fmt, ##__VA_ARGS__)
#define log_warn_errno(r, fmt, ...) log_errno_line(LOG_LEVEL_WARN, (r), fmt, ##__VA_ARGS__)
int log_errno_line(enum log_level level, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
