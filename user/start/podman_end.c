/* SPDX-License-Identifier: Apache-2.0 */
#include "start/podman_end.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "start/worker.h"

#define EXITS	     "/run/libpod/exits"
#define EVENTS	     "/run/libpod/events/events.log"
#define EVENTS_TAIL  (256 << 10)
#define JOURNALCTL   "/usr/bin/journalctl"
#define JOURNAL_MAX  (64u << 10)
#define JOURNAL_WAIT 2000 /* ms */

/* --- pure -------------------------------------------------------------------------------- */

int podman_end_time(const char *text, int64_t *ret)
{
	struct tm tm = { 0 };
	const char *s = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t offset = 0;

	if (!s)
		return -EINVAL;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (*s == '+' || *s == '-') {
		unsigned hours, minutes;

		if (sscanf(s + 1, "%2u:%2u", &hours, &minutes) != 2)
			return -EINVAL;
		offset = (hours * 60 + minutes) * 60;
		offset = *s == '-' ? -offset : offset;
	} else if (strcmp(s, "Z") != 0) {
		return -EINVAL;
	}
	*ret = (int64_t)timegm(&tm) - offset;
	return 0;
}

enum trial_end podman_end_of_code(int exit_code, int *ret_code)
{
	/* conmon adds 128, and so does a shell that is process 1 to what ended its child. */
	if (exit_code > 128 && exit_code <= 128 + SIGRTMAX) {
		*ret_code = exit_code - 128;
		return TRIAL_KILLED;
	}
	*ret_code = exit_code;
	return TRIAL_EXITED;
}

static bool is_text(const json_t *event, const char *key, const char *want)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s && strcmp(s, want) == 0;
}

static int read_event(const char *line, size_t len, const char *id, int64_t since, int *ret_code)
{
	json_auto_t *event = json_loadb(line, len, 0, NULL);
	const char *when = json_string_value(json_object_get(event, "Time"));
	const json_t *code = json_object_get(event, "ContainerExitCode");
	int64_t time;

	if (!is_text(event, "ID", id) || !is_text(event, "Status", "died") || !when ||
	    podman_end_time(when, &time) < 0 || time < since)
		return -ENOENT;
	/* 4.x leaves a 0 out. */
	if (code && (!json_is_integer(code) || json_integer_value(code) < 0 ||
		     json_integer_value(code) > 255))
		return -ENOENT;
	*ret_code = (int)json_integer_value(code);
	return 0;
}

int podman_end_of_events(const char *text, size_t len, const char *id, int64_t since, int *ret_code)
{
	const char *end = text + len;

	while (end > text) {
		const char *before, *line;

		/* The line's end doesn't count; a torn last one is no JSON. */
		if (end[-1] == '\n' && --end == text)
			break;
		before = memrchr(text, '\n', (size_t)(end - text));
		line = before ? before + 1 : text;
		if (memmem(line, (size_t)(end - line), id, strlen(id)) &&
		    read_event(line, (size_t)(end - line), id, since, ret_code) == 0)
			return 0;
		end = line;
	}
	return -ENOENT;
}

/* --- where podman says it ---------------------------------------------------------------- */

/* conmon's own, while it is there. */
static int read_exit_file(const char *id, int64_t since, int *ret_code)
{
	_close_ int dir = open(EXITS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_free_ char *text = NULL;
	struct stat st;
	uint64_t code;

	if (dir < 0 || fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtime < since ||
	    file_read_at(dir, id, 16, &text, NULL) < 0)
		return -ENOENT;
	text[strcspn(text, "\n")] = '\0';
	if (text_u64(text, 255, &code) < 0)
		return -ENOENT;
	*ret_code = (int)code;
	return 0;
}

static int read_events_file(const char *id, int64_t since, int *ret_code)
{
	_close_ int fd = open(EVENTS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_free_ char *text = NULL;
	size_t len;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mtime < since)
		return -ENOENT;
	if (st.st_size > EVENTS_TAIL && lseek(fd, -(off_t)EVENTS_TAIL, SEEK_END) < 0)
		return -ENOENT;
	/* It grows meanwhile. */
	if (file_read_fd(fd, 4 * EVENTS_TAIL, &text, &len) < 0)
		return -ENOENT;
	return podman_end_of_events(text, len, id, since, ret_code);
}

struct journal {
	const char *id;
	int64_t since;
};

/* The fields of one entry: MESSAGE is text, PODMAN_EXIT_CODE stands where it isn't 0. */
static int become_journalctl(const struct journal *j, int out)
{
	_free_ char *id = text_format("PODMAN_ID=%s", j->id);
	_free_ char *since = text_format("--since=@%lld", (long long)j->since);
	char *const argv[] = { (char[]){ "journalctl" },
			       (char[]){ "-qb" },
			       (char[]){ "--no-pager" },
			       (char[]){ "-ojson" },
			       (char[]){ "-n1" },
			       since,
			       id,
			       (char[]){ "PODMAN_EVENT=died" },
			       NULL },
		    *const env[] = { NULL };

	if (!id || !since || dup2(out, STDOUT_FILENO) < 0)
		return 1;
	execve(JOURNALCTL, argv, env);
	return 1;
}

static int ask_journalctl(void *ctx, char **ret, size_t *ret_len)
{
	const struct journal *j = ctx;
	int fds[2], status;
	_close_ int in = -1;
	pid_t pid;

	if (access(JOURNALCTL, X_OK) < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return 0;
	in = fds[0];
	pid = fork();
	if (pid == 0)
		_exit(become_journalctl(j, fds[1]));
	close(fds[1]);
	if (pid < 0 || file_read_fd(in, JOURNAL_MAX, ret, ret_len) < 0)
		return 0;
	(void)waitpid(pid, &status, 0);
	return 1;
}

static int read_journal(const char *id, int64_t since, int *ret_code)
{
	struct journal j = { id, since };
	_free_ char *text = NULL;
	json_auto_t *entry = NULL;
	const char *code, *why;
	uint64_t value = 0;
	size_t len = 0;

	if (worker_ask(ask_journalctl, &j, JOURNAL_WAIT, &text, &len, &why) <= 0)
		return -ENOENT;
	entry = json_loadb(text, len, 0, NULL);
	if (!is_text(entry, "PODMAN_ID", id))
		return -ENOENT;
	code = json_string_value(json_object_get(entry, "PODMAN_EXIT_CODE"));
	if (code && text_u64(code, 255, &value) < 0)
		return -ENOENT;
	*ret_code = (int)value;
	return 0;
}

int podman_end_find(const char *id, int64_t since, int *ret_code)
{
	int r = -ENOENT;

	/* A file's name, and part of a command line. */
	if (strlen(id) != 64 || id[strspn(id, "0123456789abcdef")])
		return -ENOENT;
	r = read_exit_file(id, since, ret_code);
	if (r < 0)
		r = read_events_file(id, since, ret_code);
	return r < 0 ? read_journal(id, since, ret_code) : r;
}
