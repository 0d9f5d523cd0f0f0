/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a service, and what they are called. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/explore_internal.h"

static void add_children(struct explore_procs *all, int64_t pid)
{
	_free_ char *path =
		text_format("/proc/%lld/task/%lld/children", (long long)pid, (long long)pid);
	_free_ char *text = NULL;
	char *next, *word;

	if (!path || file_read_at(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return;
	for (next = text; (word = strsep(&next, " \n")) && all->cnt < EXPLORE_PROCS_MAX;) {
		uint64_t child;

		if (text_u64(word, INT_MAX, &child) == 0 && child > 1)
			all->pid[all->cnt++] = (int64_t)child;
	}
}

void explore_procs(int64_t pid, struct explore_procs *ret)
{
	ret->cnt = 0;
	if (pid <= 1)
		return;
	ret->pid[ret->cnt++] = pid;
	for (size_t i = 0; i < ret->cnt; i++)
		add_children(ret, ret->pid[i]);
}

static bool comm_matches(int64_t pid, const char *pattern)
{
	_free_ char *path = text_format("/proc/%lld/comm", (long long)pid), *comm = NULL;

	if (!path || file_read_at(AT_FDCWD, path, 64, &comm, NULL) < 0)
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	return fnmatch(pattern, comm, 0) == 0;
}

static bool exe_matches(int64_t pid, const char *pattern)
{
	_free_ char *path = text_format("/proc/%lld/exe", (long long)pid);
	char exe[PATH_MAX];
	ssize_t len = path ? readlink(path, exe, sizeof(exe) - 1) : -1;
	const char *base;

	if (len <= 0)
		return false;
	exe[len] = '\0';
	base = strrchr(exe, '/');
	return fnmatch(pattern, base ? base + 1 : exe, 0) == 0;
}

bool explore_runs(const struct target_facts *facts, const char *pattern)
{
	struct explore_procs all;

	if (facts->program && fnmatch(pattern, facts->program, 0) == 0)
		return true;
	explore_procs(facts->pid, &all);
	for (size_t i = 0; i < all.cnt; i++)
		if (comm_matches(all.pid[i], pattern) || exe_matches(all.pid[i], pattern))
			return true;
	return false;
}
