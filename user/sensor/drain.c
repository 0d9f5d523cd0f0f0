/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor/readback.h"
#include "sensor/ring.h"
#include "sensor/sensor_internal.h"

int sensor_fd(const struct sensor *s)
{
	return ring_fd(s->ring);
}

struct reader {
	sensor_event_fn event;
	void *arg;
};

static void on_record(const void *record, size_t len, void *arg)
{
	const struct reader *to = arg;
	struct tamis_event e;
	char text[TAMIS_TEXT_PATH + 1];

	if (readback_event(record, len, &e, text))
		to->event(&e, text, to->arg);
}

int sensor_events(struct sensor *s, sensor_event_fn fn, void *arg)
{
	struct reader to = { fn, arg };

	return ring_read(s->ring, on_record, &to);
}

/* One map being walked; `each` sees a key and a value at a time. */
struct walk {
	int fd;
	size_t key_size, value_size;
	int (*each)(const void *key, const void *value, const struct sensor_walk *w);
	const struct sensor_walk *w;
};

/* Large enough for any bucket of a hash map with a sane load; grown when one is larger. */
#define BATCH	  1024
#define BATCH_MAX (BATCH * 64)

static int walk_chunk(const struct walk *k, const char *keys, const char *values, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		int r = k->each(keys + i * k->key_size, values + i * k->value_size, k->w);

		if (r)
			return r;
	}
	return 0;
}

static int walk_batches(const struct walk *k, uint32_t room)
{
	_free_ char *keys = calloc(room, k->key_size), *values = calloc(room, k->value_size);
	uint32_t at = 0, next, *in = NULL;

	if (!keys || !values)
		return -ENOMEM;
	for (;;) {
		uint32_t cnt = room;
		int err = bpf_map_lookup_batch(k->fd, in, &next, keys, values, &cnt, NULL) < 0
				  ? errno
				  : 0;
		int r;

		if (err && err != ENOENT)
			return err == ENOSPC && room < BATCH_MAX ? walk_batches(k, room * 4) : -err;
		r = walk_chunk(k, keys, values, cnt);
		if (r || err == ENOENT)
			return r;
		at = next;
		in = &at;
	}
}

/* Kernels without batches (before 5.6): key by key. A key that goes meanwhile starts over. */
static int walk_keys(const struct walk *k)
{
	_free_ char *key = calloc(2, k->key_size), *value = calloc(1, k->value_size);
	char *next;
	void *at = NULL;

	if (!key || !value)
		return -ENOMEM;
	for (next = key + k->key_size; bpf_map_get_next_key(k->fd, at, next) == 0;) {
		int r = bpf_map_lookup_elem(k->fd, next, value) == 0 ? k->each(next, value, k->w)
								     : 0;

		if (r)
			return r;
		at = memcpy(key, next, k->key_size);
	}
	return errno == ENOENT ? 0 : -errno;
}

static int walk_map(struct bpf_map *map, const struct sensor_walk *w,
		    int (*each)(const void *, const void *, const struct sensor_walk *))
{
	struct walk k = { bpf_map__fd(map), bpf_map__key_size(map), bpf_map__value_size(map), each,
			  w };
	int r = walk_batches(&k, BATCH);

	return r == -EINVAL || r == -EOPNOTSUPP || r == -524 /* ENOTSUPP */ ? walk_keys(&k) : r;
}

static int each_set(const void *key, const void *value, const struct sensor_walk *w)
{
	return readback_key(key) ? w->set(key, value, w->arg) : 0;
}

/* The legacy door's sets, made into what all others have. */
struct legacy_walk {
	const struct sensor_walk *to;
	uint32_t unit;
};

static int on_legacy(const struct tamis_key *key, const struct tamis_set *kept, void *arg)
{
	const struct legacy_walk *l = arg;
	struct tamis_set set;

	readback_legacy((const struct tamis_legacy_set *)kept, l->unit, &set);
	return l->to->set(key, &set, l->to->arg);
}

static int walk_sets(struct sensor *s, const struct sensor_walk *w)
{
	struct legacy_walk l = { w, sensor_unit(s) };
	const struct sensor_walk made = { .set = on_legacy, .arg = &l };

	return walk_map(s->skel->maps.tamis_sets, s->door == DOOR_LEGACY ? &made : w, each_set);
}

static int each_cgroup(const void *key, const void *value, const struct sensor_walk *w)
{
	return w->cgroup(*(const uint64_t *)key, value, w->arg);
}

static int each_loss(const void *key, const void *value, const struct sensor_walk *w)
{
	struct tamis_loss loss = readback_loss(value);

	return w->loss(*(const uint64_t *)key, &loss, w->arg);
}

static int each_leave(const void *key, const void *value, const struct sensor_walk *w)
{
	struct tamis_leave leave;

	return readback_leave(value, &leave) ? w->leave(*(const uint64_t *)key, &leave, w->arg) : 0;
}

static int each_path(const void *key, const void *value, const struct sensor_walk *w)
{
	return w->path(*(const uint64_t *)key, w->arg);
}

static int each_denied(const void *key, const void *value, const struct sensor_walk *w)
{
	struct tamis_denied d;

	return readback_denied(key, value, &d) ? w->denied(key, &d, w->arg) : 0;
}

static uint64_t changes_now(const struct sensor *s)
{
	return __atomic_load_n(&sensor_state(s)->changes, __ATOMIC_ACQUIRE);
}

static uint64_t notes_now(const struct sensor *s)
{
	return __atomic_load_n(&sensor_state(s)->notes, __ATOMIC_ACQUIRE);
}

bool sensor_has_news(const struct sensor *s)
{
	return changes_now(s) != s->drained || notes_now(s) != s->drained_notes;
}

static int drain_notes(struct sensor *s, const struct sensor_walk *w, bool force)
{
	uint64_t notes = notes_now(s);
	int r = 0;

	if (!force && notes == s->drained_notes)
		return 0;
	if (w->cgroup)
		r = walk_map(s->skel->maps.tamis_cgroups, w, each_cgroup);
	if (!r && w->loss)
		r = walk_map(s->skel->maps.tamis_losses, w, each_loss);
	if (!r && w->leave)
		r = walk_map(s->skel->maps.tamis_leaves, w, each_leave);
	if (!r)
		s->drained_notes = notes;
	return r;
}

int sensor_drain(struct sensor *s, const struct sensor_walk *w, bool force)
{
	/* read before the maps: what is set meanwhile raises it again */
	uint64_t changes = changes_now(s);
	int r = drain_notes(s, w, force);

	if (r || !w->set || (!force && changes == s->drained))
		return r;
	r = walk_sets(s, w);
	if (!r)
		s->drained = changes;
	return r;
}

uint32_t sensor_unit(const struct sensor *s)
{
	return __atomic_load_n(&sensor_state(s)->unit, __ATOMIC_RELAXED);
}

void sensor_unit_next(struct sensor *s)
{
	struct tamis_state *state = sensor_state(s);

	/* the unit before the epoch: a program that sees the old unit caches under the old epoch */
	__atomic_fetch_add(&state->unit, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&state->epoch, 1, __ATOMIC_SEQ_CST);
}

struct tamis_loss sensor_lost(const struct sensor *s)
{
	return readback_loss(&sensor_state(s)->lost);
}

int sensor_seed(struct sensor *s, uint64_t cgroup, const struct tamis_cgroup *c)
{
	int fd = bpf_map__fd(s->skel->maps.tamis_cgroups);

	return bpf_map_update_elem(fd, &cgroup, c, BPF_NOEXIST) < 0 && errno != EEXIST ? -errno : 0;
}

int sensor_path(struct sensor *s, uint64_t cgroup, char **ret)
{
	struct tamis_path path;

	if (bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.tamis_paths), &cgroup, &path) < 0)
		return -errno;
	return readback_path(&path, ret);
}

int sensor_paths(struct sensor *s, const struct sensor_walk *w)
{
	return walk_map(s->skel->maps.tamis_paths, w, each_path);
}

int sensor_denials(struct sensor *s, const struct sensor_walk *w)
{
	return walk_map(s->skel->maps.tamis_denials, w, each_denied);
}

uint64_t sensor_denials_lost(const struct sensor *s)
{
	return readback_number(__atomic_load_n(&sensor_state(s)->denials_full, __ATOMIC_RELAXED));
}

void sensor_denial_drop(struct sensor *s, const struct tamis_denied_key *key)
{
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.tamis_denials), key);
}

struct dead {
	struct sensor *sensor;
	uint64_t cgroup;
};

static int drop_denial(const struct tamis_denied_key *key, const struct tamis_denied *d, void *arg)
{
	const struct dead *dead = arg;

	if (key->cgroup == dead->cgroup)
		sensor_denial_drop(dead->sensor, key);
	return 0;
}

static bool has_denials(const struct sensor *s)
{
	struct tamis_denied_key key;

	return bpf_map_get_next_key(bpf_map__fd(s->skel->maps.tamis_denials), NULL, &key) == 0;
}

static void forget_denials(struct sensor *s, uint64_t cgroup)
{
	struct dead dead = { s, cgroup };
	const struct sensor_walk walk = { .denied = drop_denial, .arg = &dead };

	/* a walk for each cgroup that goes: only where there may be any */
	if ((s->was_pinned || s->has_watched) && has_denials(s))
		(void)sensor_denials(s, &walk);
}

void sensor_path_drop(struct sensor *s, uint64_t cgroup)
{
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.tamis_paths), &cgroup);
}

void sensor_forget(struct sensor *s, uint64_t cgroup)
{
	struct tamis_key key = { .cgroup = cgroup };
	int sets = bpf_map__fd(s->skel->maps.tamis_sets);

	for (key.abi = 0; key.abi < TAMIS_ABI_MAX; key.abi++)
		for (key.stage = 0; key.stage < TAMIS_STAGE_MAX; key.stage++)
			(void)bpf_map_delete_elem(sets, &key);
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.tamis_cgroups), &cgroup);
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.tamis_losses), &cgroup);
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.tamis_leaves), &cgroup);
	forget_denials(s, cgroup);
	sensor_path_drop(s, cgroup);
}
