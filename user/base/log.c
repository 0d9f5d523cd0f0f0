/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "base/text.h"

/* Longer lines are cut: a hostile name may be as long as its owner likes. */
#define LINE_MAX_LEN 8192
#define PREFIX_MAX   48

static enum log_level max_level = LOG_LEVEL_INFO;
static char program[32] = "tamis";

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_name(const char *name)
{
	snprintf(program, sizeof(program), "%s", name);
}

/* systemd.exec(5): stderr is the journal's when it is the very file that is named. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static const char *prefix(enum log_level level, char buf[PREFIX_MAX])
{
	static const char *const priority[] = {
		[LOG_LEVEL_ERR] = "<3>",
		[LOG_LEVEL_WARN] = "<4>",
		[LOG_LEVEL_INFO] = "<6>",
		[LOG_LEVEL_DEBUG] = "<7>",
	};

	if (is_journal())
		return priority[level];
	snprintf(buf, PREFIX_MAX, "%s: ", program);
	return buf;
}

/* Where there is no memory for a line: its beginning, and only what is plain ASCII of it. */
static void put_beginning(const char *before, const char *text, const char *tail)
{
	char line[512];
	int n = snprintf(line, sizeof(line) - 1, "%s%.300s%s%s", before, text, tail ? ": " : "",
			 tail ? tail : "");
	size_t len = n < 0 ? 0 : (size_t)n;

	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to say so */
}

/* One write, so that lines of several processes don't mix. `tail` may be NULL. */
static void put_line(enum log_level level, const char *text, const char *tail)
{
	_free_ char *line = NULL;
	char buf[PREFIX_MAX];
	const char *before = prefix(level, buf);
	size_t len = 0;
	FILE *f = stream_open(&line, &len);

	if (f) {
		fputs(before, f);
		text_escape_again(f, text, LINE_MAX_LEN);
		if (tail)
			fprintf(f, ": %s", tail);
		fputc('\n', f);
	}
	if (!f || fclose(f) != 0)
		put_beginning(before, text, tail);
	else if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to say so */
}

static void log_args(enum log_level level, const char *tail, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void log_args(enum log_level level, const char *tail, const char *fmt, va_list args)
{
	char beginning[256], *text;
	va_list again;

	va_copy(again, args);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	if (!text && vsnprintf(beginning, sizeof(beginning), fmt, again) < 0)
		beginning[0] = '\0';
	va_end(again);
	put_line(level, text ? text : beginning, tail);
	free(text);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	if (level > max_level)
		return;
	va_start(args, fmt);
	log_args(level, NULL, fmt, args);
	va_end(args);
	errno = saved;
}

int log_errno_line(enum log_level level, int r, const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	if (level > max_level)
		return r;
	va_start(args, fmt);
	log_args(level, strerror(r < 0 ? -r : r), fmt, args);
	va_end(args);
	errno = saved;
	return r;
}
