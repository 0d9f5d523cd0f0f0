/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/caller.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define PROC_MAX (64u << 10)

static char *proc_file(pid_t tid, const char *name)
{
	return text_format("/proc/%d/%s", (int)tid, name);
}

/* The name comes first, and has no newline of its own: it is escaped. */
static uint32_t read_pid(pid_t tid)
{
	_free_ char *file = proc_file(tid, "status"), *text = NULL;
	const char *line;
	unsigned pid = 0;

	if (!file || file_read(file, PROC_MAX, &text, NULL) < 0)
		return (uint32_t)tid;
	line = strstr(text, "\nTgid:");
	return line && sscanf(line, "\nTgid: %u", &pid) == 1 ? pid : (uint32_t)tid;
}

static char *read_comm(pid_t tid)
{
	_free_ char *file = proc_file(tid, "comm");
	char *text = NULL;
	size_t len;

	if (!file || file_read(file, PROC_MAX, &text, &len) < 0)
		return NULL;
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

static char *read_exe(pid_t tid)
{
	_free_ char *file = proc_file(tid, "exe");
	char path[PATH_MAX];
	ssize_t n = file ? readlink(file, path, sizeof(path)) : -1;

	return n > 0 ? strndup(path, (size_t)n) : NULL;
}

void caller_read(pid_t tid, struct caller *ret)
{
	*ret = (struct caller){ .pid = read_pid(tid),
				.comm = read_comm(tid),
				.exe = read_exe(tid) };
}

void caller_done(struct caller *c)
{
	free(c->comm);
	free(c->exe);
	*c = (struct caller){ 0 };
}
