/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"

#define PROC_MAX 16384

struct tracing {
	const char *mount;
	char *path; /* of the cgroup */
	uint64_t id;
	int pidfd, end;
	struct seen seen;
};

/* --- who it is ---------------------------------------------------------------------------- */

static int read_proc(pid_t pid, const char *file, char **ret)
{
	_free_ char *path = text_format("/proc/%d/%s", pid, file);

	return path ? file_read(path, PROC_MAX, ret, NULL) : -ENOMEM;
}

/* The rest of the line that begins with `name`, or NULL. */
static char *line_of(char *text, const char *name)
{
	size_t len = strlen(name);

	for (char *line; (line = strsep(&text, "\n"));)
		if (strncmp(line, name, len) == 0)
			return line + len;
	return NULL;
}

static int cgroup_of(pid_t pid, char **ret)
{
	_free_ char *text = NULL;
	char *path;
	int r = read_proc(pid, "cgroup", &text);

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	path = line_of(text, "0::");
	if (!path || !strcmp(path, "/"))
		return -EINVAL;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

static uint32_t namespace_of(pid_t pid, const char *ns)
{
	_free_ char *path = text_format("/proc/%d/ns/%s", pid, ns);
	struct stat st;

	return path && stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Filters on it now: one more is the container's. Linux before 5.9 doesn't say. */
static uint32_t filters_of(pid_t pid)
{
	_free_ char *text = NULL;
	char *line =
		read_proc(pid, "status", &text) == 0 ? line_of(text, "Seccomp_filters:") : NULL;

	return line ? (uint32_t)strtoul(line, NULL, 10) : 0;
}

/* How deep its pid namespace is below ours: a number for each in NSpid. */
static unsigned level_of(pid_t pid)
{
	_free_ char *text = NULL;
	char *line = read_proc(pid, "status", &text) == 0 ? line_of(text, "NSpid:") : NULL;
	unsigned cnt = 0;

	for (char *at = line; at && *(at += strspn(at, "\t ")); at += strcspn(at, "\t "))
		cnt++;
	return cnt > 0 ? cnt - 1 : 0;
}

/* --- beginning ---------------------------------------------------------------------------- */

/* A hook runs in the namespaces of whoever starts the container: our own. */
static int mark(const struct tracing *t, struct sensor *sensor, pid_t pid)
{
	const struct tamis_task task = {
		.cgroup = t->id,
		.stage = TAMIS_SETUP,
		.filters = filters_of(pid),
		.pid_ns = namespace_of(getpid(), "pid"),
		.mnt_ns = namespace_of(getpid(), "mnt"),
		.pid_level = (uint16_t)level_of(getpid()),
	};

	return sensor_mark(sensor, pid, &task);
}

/* All processes that are there: they wait for us, so none is missed but what they start meanwhile,
 * which is marked with its parent. */
static int mark_all(const struct tracing *t, struct sensor *sensor)
{
	_free_ char *path = text_format("%s%s/cgroup.procs", t->mount, t->path), *text = NULL;
	int r = path ? file_read(path, PROC_MAX, &text, NULL) : -ENOMEM;
	char *rest = text, *line;

	while (r == 0 && (line = strsep(&rest, "\n")) && *line)
		r = mark(t, sensor, (pid_t)strtol(line, NULL, 10));
	return r;
}

static int find(struct tracing *t, pid_t pid)
{
	_free_ char *own = NULL;
	int r = cgroup_of(pid, &t->path);

	if (r == 0 && cgroup_of(getpid(), &own) == 0 && strcmp(own, t->path) == 0)
		r = -EINVAL;
	return r == 0 ? cgroups_id(t->mount, t->path, &t->id) : r;
}

static int watch(struct tracing *t, pid_t pid)
{
	struct epoll_event e = { .events = EPOLLIN };

	t->pidfd = pidfd_open(pid, 0);
	if (t->pidfd < 0 || epoll_ctl(t->end, EPOLL_CTL_ADD, t->pidfd, &e) < 0)
		return -errno;
	return 0;
}

int tracing_new(struct sensor *sensor, const char *mount, pid_t pid, int end, struct tracing **ret)
{
	_cleanup_(tracing_free) struct tracing *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->mount = mount;
	t->end = end;
	r = watch(t, pid);
	if (r == 0)
		r = find(t, pid);
	if (r == 0)
		r = mark_all(t, sensor);
	if (r < 0)
		return r;
	/* what its threads called between the sensor's begin and their mark */
	sensor_forget(sensor, t->id);
	seen_begin(&t->seen, sensor, t->path, t->id);
	*ret = TAKE_PTR(t);
	return 0;
}

void tracing_free(struct tracing *t)
{
	if (!t)
		return;
	cleanup_closep(&t->pidfd);
	seen_done(&t->seen);
	free(t->path);
	free(t);
}

int tracing_wait(struct tracing *t)
{
	return seen_until(&t->seen, t->end);
}

int tracing_read(struct tracing *t, struct learned *ret, struct evidence *ret_evidence,
		 const struct policy_origin **ret_origin, size_t *ret_cnt)
{
	return seen_read(&t->seen, ret, ret_evidence, ret_origin, ret_cnt);
}
