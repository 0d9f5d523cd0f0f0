/* SPDX-License-Identifier: Apache-2.0 */
#include "start/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"

#define REPORT_LOG   "start.log"
#define LINE_LONGEST 2048

static const char *state_dir, *identifier = "tamis-start";
static bool told;

void report_to(const char *state, const char *ident)
{
	state_dir = state;
	identifier = ident;
	told = false;
}

/* --- the system log ---------------------------------------------------------------------- */

static bool to_syslog(int priority, const char *line)
{
	static const struct sockaddr_un log = { AF_UNIX, "/dev/log" };
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	_free_ char *text = text_format("<%d>%s[%d]: %s", LOG_DAEMON | priority, identifier,
					(int)getpid(), line);

	if (fd < 0 || !text || connect(fd, (const struct sockaddr *)&log, sizeof(log)) < 0)
		return false;
	return send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0;
}

/* --- STATE/start.log --------------------------------------------------------------------- */

/* Nobody else may have put something here for us to write to. */
static bool is_mine(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH)) && (type == S_IFDIR || st.st_nlink == 1);
}

static int open_log(int dir)
{
	_close_ int fd =
		openat(dir, REPORT_LOG,
		       O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	return fd >= 0 && is_mine(fd, S_IFREG) ? TAKE_FD(fd) : -1;
}

/* Whole lines only. Who writes to the old file meanwhile loses a line, nobody waits. */
static int keep_newest_half(int dir, int fd, off_t size)
{
	_free_ char *text = NULL;
	const char *from;
	size_t len;

	if (lseek(fd, size - REPORT_MAX / 2, SEEK_SET) < 0 ||
	    file_read_fd(fd, REPORT_MAX, &text, &len) < 0)
		return -EIO;
	from = memchr(text, '\n', len);
	from = from ? from + 1 : text + len;
	return file_replace_at(dir, REPORT_LOG, from, len - (size_t)(from - text), 0600);
}

static int open_log_with_room(int dir)
{
	_close_ int fd = open_log(dir);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_size < REPORT_MAX)
		return TAKE_FD(fd);
	return keep_newest_half(dir, fd, st.st_size) < 0 ? -1 : open_log(dir);
}

static bool to_file(const char *line)
{
	_close_ int dir =
		state_dir ? open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	_close_ int fd = dir >= 0 && is_mine(dir, S_IFDIR) ? open_log_with_room(dir) : -1;
	_free_ char *text = NULL;
	char when[32];
	struct tm tm;
	time_t now = time(NULL);

	if (fd < 0 || !gmtime_r(&now, &tm) ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return false;
	text = text_format("%s %s: %s\n", when, identifier, line);
	/* One write, so that lines of several starts don't mix. */
	return text && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* --- both -------------------------------------------------------------------------------- */

static void to_stderr(const char *line)
{
	_free_ char *text = text_format("%s: %s\n", identifier, line);

	if (text && write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* nowhere left to say so */
}

static void tell(int priority, const char *key, const char *text)
{
	_free_ char *line = NULL;
	size_t len = 0;
	bool logged, filed;
	FILE *f = stream_open(&line, &len);

	if (!f)
		return;
	if (key) {
		text_escape_again(f, key, LINE_LONGEST);
		fputs(": ", f);
	}
	text_escape_again(f, text, LINE_LONGEST);
	if (fclose(f) != 0)
		return;
	logged = to_syslog(priority, line);
	filed = to_file(line);
	if (!logged && !filed)
		to_stderr(line);
}

static void tell_args(int priority, const char *key, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void tell_args(int priority, const char *key, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0) {
		tell(priority, key, "out of memory for a message");
		return;
	}
	tell(priority, key, text);
	free(text);
}

void report_fault(const char *key, const char *fmt, ...)
{
	va_list args;

	if (told)
		return;
	told = true;
	va_start(args, fmt);
	tell_args(LOG_WARNING, key, fmt, args);
	va_end(args);
}

void report_done(const char *key, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell_args(LOG_INFO, key, fmt, args);
	va_end(args);
}
