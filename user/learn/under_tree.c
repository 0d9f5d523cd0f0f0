/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "learn/under_internal.h"

#define PROCS_MAX 256 /* looked at: a unit's first process is among the first */

bool under_is_populated(const char *mount, const char *path)
{
	_free_ char *file = text_format("%s%s/cgroup.events", mount ?: "", path);
	_free_ char *text = NULL;

	if (!mount || !file || file_read(file, 4096, &text, NULL) < 0)
		return false;
	return strstr(text, "populated 1") != NULL;
}

/* --- one process ------------------------------------------------------------------------- */

static char *read_proc(int pid, const char *name)
{
	_free_ char *file = text_format("/proc/%d/%s", pid, name);
	char *text = NULL;

	return file && file_read(file, 65536, &text, NULL) == 0 ? text : NULL;
}

/* In clock ticks since the boot; the 22nd field, of which the second may hold anything. -1: gone. */
static long long began_of(int pid)
{
	_free_ char *stat = read_proc(pid, "stat");
	const char *at = stat ? strrchr(stat, ')') : NULL;
	long long ticks;

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %lld", &ticks) == 1 ? ticks : -1;
}

static bool has_filter(int pid)
{
	_free_ char *status = read_proc(pid, "status");
	const char *line = status ? strstr(status, "\nSeccomp:") : NULL;
	int mode;

	return line && sscanf(line, "\nSeccomp: %d", &mode) == 1 && mode == 2;
}

/* --- a unit ------------------------------------------------------------------------------ */

struct oldest {
	int pid;
	long long ticks;
};

static int find_oldest(const char *mount, const char *path, struct oldest *ret)
{
	_free_ char *file = text_format("%s%s/cgroup.procs", mount, path);
	_fclose_ FILE *f = file ? fopen(file, "re") : NULL;
	struct oldest o = { 0 };
	int pid;

	for (int i = 0; f && i < PROCS_MAX && fscanf(f, "%d", &pid) == 1; i++) {
		long long ticks = pid > 0 ? began_of(pid) : -1;

		if (ticks >= 0 && (!o.pid || ticks < o.ticks))
			o = (struct oldest){ pid, ticks };
	}
	*ret = o;
	return o.pid ? 0 : -ESRCH;
}

static int64_t epoch_of(long long ticks)
{
	struct timespec now, boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return now.tv_sec - boot.tv_sec + ticks / sysconf(_SC_CLK_TCK);
}

int under_is_filtered(const char *mount, const char *path, int64_t since)
{
	struct oldest o = { 0 };
	int r = mount ? find_oldest(mount, path, &o) : -ESRCH;

	if (r < 0)
		return r;
	/* both were cut to seconds */
	return has_filter(o.pid) && epoch_of(o.ticks) + 1 >= since;
}
