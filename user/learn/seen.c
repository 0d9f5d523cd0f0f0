/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/seen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

void seen_begin(struct seen *s, struct sensor *sensor, const char *path, uint64_t id)
{
	s->sensor = sensor;
	s->path = path;
	s->cgroup[0] = id;
	s->cgroup_cnt = 1;
	s->began = time(NULL);
}

void seen_done(struct seen *s)
{
	origins_done(&s->origins);
	free(s->sorted);
	*s = (struct seen){ 0 };
}

static bool is_ours(const struct seen *s, uint64_t cgroup)
{
	for (size_t i = 0; i < s->cgroup_cnt; i++)
		if (s->cgroup[i] == cgroup)
			return true;
	return false;
}

static void on_event(const struct tamis_event *e, const char *text, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->path);
	struct origin origin;

	if (e->kind == TAMIS_EV_MKDIR && s->cgroup_cnt < SEEN_INNER_MAX &&
	    !strncmp(text, s->path, len) && text[len] == '/')
		s->cgroup[s->cgroup_cnt++] = e->cgroup;
	if (e->kind == TAMIS_EV_CALL && is_ours(s, e->cgroup) && origin_read(e, text, &origin) == 0)
		(void)origins_add(&s->origins, &origin);
}

int seen_events(struct seen *s)
{
	return sensor_events(s->sensor, on_event, s);
}

int seen_until(struct seen *s, int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = sensor_fd(s->sensor), .events = POLLIN },
	};

	while (!fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		(void)seen_events(s);
	}
	return 0;
}

/* --- what was seen ------------------------------------------------------------------------ */

static int on_set(const struct tamis_key *key, const struct tamis_set *set, void *arg)
{
	struct seen *s = arg;
	struct sysset calls;

	if (!is_ours(s, key->cgroup))
		return 0;
	memcpy(calls.bits, set->seen, sizeof(calls.bits));
	sysset_merge(&s->learned.set[key->stage][key->abi], &calls);
	return 0;
}

static int on_cgroup(uint64_t id, const struct tamis_cgroup *c, void *arg)
{
	struct seen *s = arg;

	if (is_ours(s, id))
		s->evidence.starts += c->starts;
	return 0;
}

static int on_loss(uint64_t id, const struct tamis_loss *loss, void *arg)
{
	struct seen *s = arg;

	if (!is_ours(s, id))
		return 0;
	s->evidence.lost_range += loss->range;
	s->evidence.lost_full += loss->full;
	s->evidence.lost_ring += loss->ring;
	s->evidence.lost_task += loss->task;
	return 0;
}

static int by_call(const void *a, const void *b)
{
	const struct policy_origin *x = a, *y = b;

	if (x->abi != y->abi)
		return x->abi < y->abi ? -1 : 1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->stage < y->stage ? -1 : x->stage > y->stage;
}

static int sort_origins(struct seen *s)
{
	int64_t now = time(NULL);

	s->sorted = calloc(s->origins.cnt + 1, sizeof(*s->sorted));
	if (!s->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < s->origins.cnt; i++) {
		const struct origin *o = &s->origins.list[i];

		s->sorted[i] = (struct policy_origin){
			.abi = o->key.abi,
			.stage = o->key.stage,
			.nr = o->nr,
			.first = now,
			.last = now,
			.pid = o->pid,
			.comm = o->comm,
			.exe = o->exe,
		};
	}
	qsort(s->sorted, s->origins.cnt, sizeof(*s->sorted), by_call);
	return 0;
}

int seen_read(struct seen *s, struct learned *ret, struct evidence *ret_evidence,
	      const struct policy_origin **ret_origin, size_t *ret_cnt)
{
	const struct sensor_walk walk = {
		.set = on_set, .cgroup = on_cgroup, .loss = on_loss, .arg = s
	};
	int err = seen_events(s);

	if (err >= 0)
		err = sensor_drain(s->sensor, &walk, true);
	if (err >= 0)
		err = sort_origins(s);
	if (err < 0)
		return err;
	s->evidence.since = s->began;
	s->evidence.last = time(NULL);
	s->evidence.units = 1;
	*ret = s->learned;
	*ret_evidence = s->evidence;
	*ret_origin = s->sorted;
	*ret_cnt = s->origins.cnt;
	return 0;
}
