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
#define TABLE_MAX  (4u << 20)
#define LISTEN	   "0A"

struct listeners {
	uint64_t inode[INODES_MAX];
	size_t cnt;
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

static void add_process(const char *pid, void *arg)
{
	struct listeners *l = arg;
	_free_ char *path = text_format("/proc/%s/fd", pid);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		add_link(l, dirfd(dir), e->d_name);
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
	uint64_t foreign[UINT16_MAX / 64 + 1]; /* of others', a bit each */
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
	uint16_t port;

	for (char *f = strtok_r(row, " ", &next); f && cnt < ARRAY_SIZE(field);
	     f = strtok_r(NULL, " ", &next))
		field[cnt++] = f;
	if (cnt < ARRAY_SIZE(field) || strcmp(field[3], LISTEN) != 0)
		return;
	inode = strtoull(field[9], NULL, 10);
	colon = strrchr(field[1], ':');
	port = colon ? (uint16_t)strtoul(colon + 1, NULL, 16) : 0;
	if (bsearch(&inode, l->inode, l->cnt, sizeof(inode), compare_inodes))
		add_port(p, port);
	else
		p->foreign[port / 64] |= UINT64_C(1) << port % 64;
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

/* A neighbour has the same port on another address, or shares it: who would answer isn't known. */
static void drop_foreign(struct ports *p)
{
	unsigned cnt = 0;

	for (unsigned i = 0; i < p->cnt; i++)
		if (!(p->foreign[p->port[i] / 64] >> p->port[i] % 64 & 1))
			p->port[cnt++] = p->port[i];
	p->cnt = cnt;
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
	target_procs(cgroup_dir, add_process, l);
	qsort(l->inode, l->cnt, sizeof(*l->inode), compare_inodes);
	read_table(l, pid, "tcp", &p);
	read_table(l, pid, "tcp6", &p);
	drop_foreign(&p);
	qsort(ret, p.cnt, sizeof(*ret), compare_ports);
	return p.cnt;
}
