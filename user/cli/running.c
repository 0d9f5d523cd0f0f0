/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/running.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define PROC_FILE_MAX (64u << 10)
#define ID_MIN	      12 /* shorter ones are names, which others may have too */

#define CAP_BIT(n)	(UINT64_C(1) << (n))
#define PRIVILEGED_CAPS (CAP_BIT(21) | CAP_BIT(16)) /* CAP_SYS_ADMIN, CAP_SYS_MODULE */

CLEANUP_DEFINE(DIR *, closedir);

/* What follows "NAME:" at a line's start. */
static const char *field(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line;) {
		if (strncmp(line, name, len) == 0)
			return line + len + strspn(line + len, " \t");
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* "NSpid: 4242 1": the first process of a namespace of its own. */
static bool is_first(const char *nspid)
{
	size_t len = nspid ? strcspn(nspid, "\n") : 0;

	return len >= 2 && nspid[len - 1] == '1' && isspace((unsigned char)nspid[len - 2]);
}

bool running_parse(const char *status, struct running *ret, bool *ret_first)
{
	const char *seccomp = field(status, "Seccomp:"), *caps = field(status, "CapBnd:");

	if (!seccomp || !caps)
		return false;
	ret->unconfined = *seccomp == '0';
	ret->privileged = (strtoull(caps, NULL, 16) & PRIVILEGED_CAPS) == PRIVILEGED_CAPS;
	*ret_first = is_first(field(status, "NSpid:"));
	return true;
}

/* A monitor's cgroup has the id in its name too. */
static bool is_inside(const char *proc, const char *pid, const char *container)
{
	_free_ char *path = text_format("%s/%s/cgroup", proc, pid), *text = NULL;
	const char *at;

	if (!path || file_read_at(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL) < 0)
		return false;
	at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	return at && strstr(at, container) && !strstr(at, "conmon");
}

static bool look_at(const char *proc, const char *pid, struct running *ret, bool *ret_first)
{
	_free_ char *path = text_format("%s/%s/status", proc, pid), *text = NULL;

	return path && file_read_at(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL) == 0 &&
	       running_parse(text, ret, ret_first);
}

int running_find(const char *proc, const char *container, struct running *ret)
{
	_cleanup_(closedir) DIR *dir = NULL;
	bool found = false, first = false;

	if (!container || strlen(container) < ID_MIN)
		return -ENOENT;
	dir = opendir(proc);
	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e && !first; e = readdir(dir)) {
		struct running r;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    !is_inside(proc, e->d_name, container) || !look_at(proc, e->d_name, &r, &first))
			continue;
		if (!found || first)
			*ret = r;
		found = true;
	}
	return found ? 0 : -ENOENT;
}
