/* SPDX-License-Identifier: Apache-2.0 */
/* Which ports a service listens on, from /proc alone: asking it would be a test of it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/target_internal.h"

#define INODES_MAX 4096
#define PIDS_MAX   1024
#define DEPTH_MAX  4
#define TABLE_MAX  (4u << 20)
#define LISTEN	   "0A"

struct listeners {
	uint64_t inode[INODES_MAX];
	size_t cnt, pids;
};

/* --- the sockets that its processes hold ---------------------------------------------------- */

static void add_link(struct listeners *l, int dir, const char *name)
{
	char target[64];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);
	uint64_t inode;

	if (len <= 0 || l->cnt == INODES_MAX)
		return;
	target[len] = '\0';
	if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
		l->inode[l->cnt++] = inode;
}

static void add_process(struct listeners *l, const char *pid)
{
	_free_ char *path = text_format("/proc/%s/fd", pid);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		add_link(l, dirfd(dir), e->d_name);
	if (dir)
		closedir(dir);
}

static void add_processes(struct listeners *l, const char *cgroup)
{
	_free_ char *path = text_format("%s/cgroup.procs", cgroup), *text = NULL;
	char *next = NULL;

	if (!path || file_read(path, TABLE_MAX, &text, NULL) < 0)
		return;
	for (char *pid = strtok_r(text, "\n", &next); pid && l->pids < PIDS_MAX;
	     pid = strtok_r(NULL, "\n", &next), l->pids++)
		add_process(l, pid);
}

static void add_cgroups(struct listeners *l, const char *cgroup, unsigned depth)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(cgroup) : NULL;
	struct dirent *e;

	add_processes(l, cgroup);
	while (dir && (e = readdir(dir))) {
		_free_ char *path = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		path = text_format("%s/%s", cgroup, e->d_name);
		if (path)
			add_cgroups(l, path, depth + 1);
	}
	if (dir)
		closedir(dir);
}

static int compare_inodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* --- the tables ----------------------------------------------------------------------------- */

struct ports {
	uint16_t *port;
	unsigned cnt, max;
};

static void add_port(struct ports *p, unsigned port)
{
	for (unsigned i = 0; i < p->cnt; i++)
		if (p->port[i] == port)
			return;
	if (p->cnt < p->max && port)
		p->port[p->cnt++] = (uint16_t)port;
}

/* "sl: ADDRESS:PORT REMOTE STATE queues timer retransmits uid timeout INODE ..." */
static void read_row(const struct listeners *l, char *row, struct ports *p)
{
	char *field[10], *next = NULL, *colon;
	uint64_t inode;
	unsigned cnt = 0;

	for (char *f = strtok_r(row, " ", &next); f && cnt < ARRAY_SIZE(field);
	     f = strtok_r(NULL, " ", &next))
		field[cnt++] = f;
	if (cnt < ARRAY_SIZE(field) || strcmp(field[3], LISTEN) != 0)
		return;
	inode = strtoull(field[9], NULL, 10);
	colon = strrchr(field[1], ':');
	if (colon && bsearch(&inode, l->inode, l->cnt, sizeof(inode), compare_inodes))
		add_port(p, (unsigned)strtoul(colon + 1, NULL, 16));
}

static void read_table(const struct listeners *l, pid_t pid, const char *name, struct ports *p)
{
	_free_ char *path = text_format("/proc/%d/net/%s", (int)pid, name), *text = NULL;
	char *next = NULL;

	if (!path || file_read(path, TABLE_MAX, &text, NULL) < 0)
		return;
	for (char *row = strtok_r(text, "\n", &next); row; row = strtok_r(NULL, "\n", &next))
		read_row(l, row, p);
}

static int compare_ports(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

unsigned target_ports(const char *cgroup_dir, pid_t pid, uint16_t *ret, unsigned max)
{
	_free_ struct listeners *l = calloc(1, sizeof(*l));
	struct ports p = { .port = ret, .max = max };

	if (!l)
		return 0;
	add_cgroups(l, cgroup_dir, 0);
	qsort(l->inode, l->cnt, sizeof(*l->inode), compare_inodes);
	read_table(l, pid, "tcp", &p);
	read_table(l, pid, "tcp6", &p);
	qsort(ret, p.cnt, sizeof(*ret), compare_ports);
	return p.cnt;
}
