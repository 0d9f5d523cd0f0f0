/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a cgroup and of those below it. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/target_internal.h"

#define PIDS_MAX  1024
#define DEPTH_MAX 4
#define PROCS_MAX (1u << 20)

struct walk {
	void (*fn)(const char *pid, void *arg);
	void *arg;
	unsigned pids;
};

static void walk_processes(struct walk *w, const char *cgroup)
{
	_free_ char *path = text_format("%s/cgroup.procs", cgroup), *text = NULL;
	char *next = NULL;

	if (!path || file_read(path, PROCS_MAX, &text, NULL) < 0)
		return;
	for (char *pid = strtok_r(text, "\n", &next); pid && w->pids < PIDS_MAX;
	     pid = strtok_r(NULL, "\n", &next), w->pids++)
		w->fn(pid, w->arg);
}

static void walk_cgroups(struct walk *w, const char *cgroup, unsigned depth)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(cgroup) : NULL;
	struct dirent *e;

	walk_processes(w, cgroup);
	while (dir && (e = readdir(dir))) {
		_free_ char *path = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		path = text_format("%s/%s", cgroup, e->d_name);
		if (path)
			walk_cgroups(w, path, depth + 1);
	}
	if (dir)
		closedir(dir);
}

void target_procs(const char *cgroup_dir, void (*fn)(const char *pid, void *arg), void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };

	walk_cgroups(&w, cgroup_dir, 0);
}

/* --- whether they do anything ----------------------------------------------------------------- */

struct work {
	uint64_t ticks;
	bool runs;
};

/* "PID (COMM) STATE ..." with whatever in COMM; utime and stime are the 14th and 15th. */
static void add_work(const char *pid, void *arg)
{
	_free_ char *path = text_format("/proc/%s/stat", pid), *text = NULL;
	unsigned long long utime = 0, stime = 0;
	struct work *w = arg;
	char state = 0, *rest;

	if (!path || file_read(path, 4096, &text, NULL) < 0)
		return;
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			    &state, &utime, &stime) != 3)
		return;
	w->ticks += utime + stime;
	w->runs |= state == 'R' || state == 'D';
}

bool target_works(const char *cgroup_dir, uint64_t *ret_ticks)
{
	struct work w = { 0 };

	target_procs(cgroup_dir, add_work, &w);
	*ret_ticks = w.ticks;
	return w.runs;
}
