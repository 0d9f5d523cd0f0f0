/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel of some cgroups, for tests of what stands between the sensor and the store: the
 * sensor's, the tree's and the engines' functions are replaced by ones over plain arrays, so the
 * library's own are not linked in.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "identity/cgroups.h"
#include "identity/identity.h"
#include "sensor/sensor.h"

#define KERNEL_MAX   4096
#define KERNEL_QUEUE 4096

struct kernel_set {
	struct tamis_key key;
	struct tamis_set set;
};

/* What is kept of a cgroup; flags say which maps have an entry. */
struct kernel_cgroup {
	uint64_t id;
	const char *path; /* in the tree now; NULL: it isn't */
	const char *kept; /* its path, as the kernel half keeps it */
	bool has_start, has_loss, has_leave;
	struct tamis_cgroup start;
	struct tamis_loss loss;
	struct tamis_leave leave;
};

struct kernel_event {
	struct tamis_event e;
	char text[256];
};

struct kernel_denial {
	struct tamis_denied_key key;
	struct tamis_denied d;
};

static struct {
	struct kernel_denial denial[KERNEL_MAX];
	size_t denial_cnt;
	struct kernel_set set[KERNEL_MAX];
	struct kernel_cgroup cgroup[KERNEL_MAX];
	size_t set_cnt, cgroup_cnt;
	uint32_t unit;
	bool pinned, napping, news;
	uint64_t missed; /* runs of the programs that the kernel left out */
	struct tamis_loss lost;
	pthread_mutex_t lock; /* the queue: the herald's thread takes from it */
	struct kernel_event queue[KERNEL_QUEUE];
	size_t queue_cnt, queue_read;
	int bell;
	unsigned asked; /* whose a path is */
	bool forgot;	/* engines' files are gone: what is known by its id alone */
} kernel;

static inline void kernel_reset(void)
{
	if (kernel.bell > 0)
		close(kernel.bell);
	memset(&kernel, 0, sizeof(kernel));
	pthread_mutex_init(&kernel.lock, NULL);
	kernel.unit = 1;
	kernel.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline struct kernel_cgroup *kernel_find(uint64_t id)
{
	for (size_t i = 0; i < kernel.cgroup_cnt; i++)
		if (kernel.cgroup[i].id == id)
			return &kernel.cgroup[i];
	return NULL;
}

static inline struct kernel_cgroup *kernel_cgroup(uint64_t id)
{
	struct kernel_cgroup *c = kernel_find(id);

	if (c)
		return c;
	c = &kernel.cgroup[kernel.cgroup_cnt++];
	*c = (struct kernel_cgroup){ .id = id };
	return c;
}

static inline void kernel_call(uint64_t id, enum tamis_stage stage, unsigned nr)
{
	const struct tamis_key key = { id, TAMIS_ABI_X86_64, stage };
	__u64 *word;
	size_t i = 0;

	while (i < kernel.set_cnt && memcmp(&kernel.set[i].key, &key, sizeof(key)) != 0)
		i++;
	if (i == kernel.set_cnt)
		kernel.set[kernel.set_cnt++] = (struct kernel_set){ .key = key };
	kernel.set[i].set.seen[nr / 64] |= UINT64_C(1) << nr % 64;
	word = &kernel.set[i].set.unit[kernel.unit & 1][nr / 32];
	if (*word >> 32 != kernel.unit)
		*word = (uint64_t)kernel.unit << 32;
	*word |= UINT64_C(1) << nr % 32;
	kernel.news = true;
}

/* That call was refused so many times more, at `ms`. */
static inline void kernel_deny(uint64_t id, unsigned nr, unsigned more, uint64_t ms)
{
	const struct tamis_denied_key key = { id, TAMIS_ABI_X86_64, nr };
	struct tamis_denied *d;
	size_t i = 0;

	while (i < kernel.denial_cnt && memcmp(&kernel.denial[i].key, &key, sizeof(key)) != 0)
		i++;
	d = &kernel.denial[i].d;
	if (i == kernel.denial_cnt) {
		kernel.denial[kernel.denial_cnt++] =
			(struct kernel_denial){ .key = key, .d = { .first_ms = ms } };
		memcpy(d->comm, "httpd", sizeof("httpd"));
		d->pid = 4711;
	}
	d->count += more;
	d->last_ms = ms;
}

static inline void kernel_tell(uint32_t kind, uint64_t id, const char *text)
{
	struct kernel_event *e;

	pthread_mutex_lock(&kernel.lock);
	e = &kernel.queue[kernel.queue_cnt++];
	e->e = (struct tamis_event){ .kind = kind,
				     .cgroup = id,
				     .text_len = (uint32_t)strlen(text) };
	snprintf(e->text, sizeof(e->text), "%s", text);
	pthread_mutex_unlock(&kernel.lock);
	(void)eventfd_write(kernel.bell, 1);
}

/* Until the herald has it all. */
static inline void kernel_heard(void)
{
	bool all = false;

	while (!all) {
		pthread_mutex_lock(&kernel.lock);
		all = kernel.queue_read == kernel.queue_cnt;
		pthread_mutex_unlock(&kernel.lock);
		if (!all)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static inline void kernel_mkdir(uint64_t id, const char *path)
{
	kernel_cgroup(id)->path = path;
	kernel_tell(TAMIS_EV_MKDIR, id, path);
}

static inline void kernel_rmdir(uint64_t id)
{
	kernel_tell(TAMIS_EV_RMDIR, id, kernel_find(id)->path);
	kernel_find(id)->path = NULL;
}

static inline void kernel_started(uint64_t id)
{
	kernel_cgroup(id)->has_start = true;
	kernel_cgroup(id)->start.starts++;
	kernel.news = true;
}

/* --- the sensor ---------------------------------------------------------------------------- */

int sensor_fd(const struct sensor *s)
{
	return kernel.bell;
}

int sensor_events(struct sensor *s, sensor_event_fn fn, void *arg)
{
	eventfd_t rung;

	(void)eventfd_read(kernel.bell, &rung);
	pthread_mutex_lock(&kernel.lock);
	for (; kernel.queue_read < kernel.queue_cnt; kernel.queue_read++) {
		const struct kernel_event *e = &kernel.queue[kernel.queue_read];

		fn(&e->e, e->text, arg);
	}
	kernel.queue_read = kernel.queue_cnt = 0;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

bool sensor_has_news(const struct sensor *s)
{
	return kernel.news;
}

static inline int kernel_walk_cgroup(const struct kernel_cgroup *c, const struct sensor_walk *w)
{
	int r = 0;

	if (c->has_start)
		r = w->cgroup(c->id, &c->start, w->arg);
	if (!r && c->has_loss)
		r = w->loss(c->id, &c->loss, w->arg);
	if (!r && c->has_leave && w->leave)
		r = w->leave(c->id, &c->leave, w->arg);
	return r;
}

int sensor_drain(struct sensor *s, const struct sensor_walk *w, bool force)
{
	int r = 0;

	if (!kernel.news && !force)
		return 0;
	for (size_t i = 0; !r && i < kernel.cgroup_cnt; i++)
		r = kernel_walk_cgroup(&kernel.cgroup[i], w);
	for (size_t i = 0; !r && i < kernel.set_cnt; i++)
		r = w->set(&kernel.set[i].key, &kernel.set[i].set, w->arg);
	kernel.news = kernel.news && r;
	return r;
}

uint32_t sensor_unit(const struct sensor *s)
{
	return kernel.unit;
}

void sensor_unit_next(struct sensor *s)
{
	kernel.unit++;
}

struct tamis_loss sensor_lost(const struct sensor *s)
{
	return kernel.lost;
}

uint64_t sensor_missed(const struct sensor *s)
{
	return kernel.missed;
}

bool sensor_was_napping(const struct sensor *s)
{
	return kernel.napping;
}

bool sensor_was_pinned(const struct sensor *s)
{
	return kernel.pinned;
}

int sensor_seed(struct sensor *s, uint64_t cgroup, const struct tamis_cgroup *c)
{
	struct kernel_cgroup *k = kernel_cgroup(cgroup);

	if (!k->has_start)
		k->start = *c;
	k->has_start = true;
	return 0;
}

int sensor_path(struct sensor *s, uint64_t cgroup, char **ret)
{
	const struct kernel_cgroup *c = kernel_find(cgroup);

	if (!c || !c->kept)
		return -ENOENT;
	*ret = strdup(c->kept);
	return *ret ? 0 : -ENOMEM;
}

int sensor_paths(struct sensor *s, const struct sensor_walk *w)
{
	int r = 0;

	for (size_t i = 0; !r && i < kernel.cgroup_cnt; i++)
		if (kernel.cgroup[i].kept)
			r = w->path(kernel.cgroup[i].id, w->arg);
	return r;
}

int sensor_denials(struct sensor *s, const struct sensor_walk *w)
{
	int r = 0;

	for (size_t i = 0; !r && i < kernel.denial_cnt; i++)
		r = w->denied(&kernel.denial[i].key, &kernel.denial[i].d, w->arg);
	return r;
}

void sensor_denial_drop(struct sensor *s, const struct tamis_denied_key *key)
{
	size_t left = 0;

	for (size_t i = 0; i < kernel.denial_cnt; i++)
		if (memcmp(&kernel.denial[i].key, key, sizeof(*key)) != 0)
			kernel.denial[left++] = kernel.denial[i];
	kernel.denial_cnt = left;
}

void sensor_path_drop(struct sensor *s, uint64_t cgroup)
{
	struct kernel_cgroup *c = kernel_find(cgroup);

	if (c)
		c->kept = NULL;
}

void sensor_forget(struct sensor *s, uint64_t cgroup)
{
	struct kernel_cgroup *c = kernel_find(cgroup);
	size_t left = 0;

	for (size_t i = 0; i < kernel.set_cnt; i++)
		if (kernel.set[i].key.cgroup != cgroup)
			kernel.set[left++] = kernel.set[i];
	kernel.set_cnt = left;
	left = 0;
	for (size_t i = 0; i < kernel.denial_cnt; i++)
		if (kernel.denial[i].key.cgroup != cgroup)
			kernel.denial[left++] = kernel.denial[i];
	kernel.denial_cnt = left;
	sensor_path_drop(s, cgroup);
	if (c)
		c->has_start = c->has_loss = c->has_leave = false;
}

/* --- the tree ------------------------------------------------------------------------------ */

int cgroups_find(char **ret_mount)
{
	return -ENOENT;
}

int cgroups_id(const char *mount, const char *path, uint64_t *ret)
{
	for (size_t i = 0; i < kernel.cgroup_cnt; i++) {
		if (!kernel.cgroup[i].path || strcmp(kernel.cgroup[i].path, path) != 0)
			continue;
		*ret = kernel.cgroup[i].id;
		return 0;
	}
	return -ENOENT;
}

int cgroups_path(const char *mount, uint64_t id, char **ret)
{
	const struct kernel_cgroup *c = kernel_find(id);

	if (!c || !c->path)
		return -ESTALE;
	*ret = strdup(c->path);
	return *ret ? 0 : -ENOMEM;
}

int cgroups_walk(const char *mount, int (*fn)(const char *path, uint64_t id, void *arg), void *arg)
{
	int r = 0;

	for (size_t i = 0; !r && i < kernel.cgroup_cnt; i++)
		if (kernel.cgroup[i].path)
			r = fn(kernel.cgroup[i].path, kernel.cgroup[i].id, arg);
	return r;
}

int cgroups_first_pid(const char *mount, const char *path, pid_t *ret)
{
	return -ESRCH;
}

/* --- the engines --------------------------------------------------------------------------- */

static inline char *kernel_copy(const char *prefix, const char *text, size_t len)
{
	char *copy = NULL;

	return asprintf(&copy, "%s%.*s", prefix, (int)len, text) < 0 ? NULL : copy;
}

/* "/w-NAME" is a workload of that name, "~" at its end an unenforceable one, "/w-NAME+ID" a container
 * of it; below it "/docker-ID" an inner engine's. */
int identity_of_path(const struct identity_options *o, const char *path, struct identity *ret)
{
	size_t len = strcspn(path + 1, "/"), name = strcspn(path + 1, "/+");
	const char *inner = path[len + 1] ? path + len + 2 : "";

	__atomic_fetch_add(&kernel.asked, 1, __ATOMIC_SEQ_CST);
	if (strncmp(path, "/w-", 3) != 0)
		return -ENOENT;
	*ret = (struct identity){
		.engine = strdup("cgroup"),
		.key = kernel_copy("cgroup/", path + 1, name),
		.owner = strdup("jobs"),
		.name = strndup(path + 1, name),
		.container = name < len ? strndup(path + 2 + name, len - name - 1) : NULL,
		.pod = strdup("pod-1"),
		.namespace = strdup("shop"),
		.owner_len = len + 1,
		.enforceable = path[len] != '~',
		.why_not = "nobody knows",
	};
	if (kernel.forgot) {
		free(ret->key);
		ret->key = kernel_copy("cgroup/id:", path + 1, name);
		free(ret->name);
		ret->name = NULL;
	}
	if (!strncmp(inner, "docker-", strlen("docker-")))
		ret->inner = kernel_copy("docker/", inner + 7, strcspn(inner + 7, "/"));
	return 0;
}

void identity_done(struct identity *i)
{
	free(i->engine);
	free(i->key);
	free(i->owner);
	free(i->name);
	free(i->image);
	free(i->image_digest);
	free(i->container);
	free(i->pod);
	free(i->namespace);
	free(i->inner);
	*i = IDENTITY_INIT;
}
