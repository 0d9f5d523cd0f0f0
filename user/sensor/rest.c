/* SPDX-License-Identifier: Apache-2.0 */
/* What is attached only at times: the program on sys_enter, and the one on sys_exit. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "sensor/sensor_internal.h"
#include "sensor/steady.h"

static struct bpf_program *enter_program(const struct sensor *s)
{
	switch (s->door) {
	case DOOR_STEADY:
		return s->skel->progs.tamis_steady;
	case DOOR_FAST:
		return s->skel->progs.tamis_enter;
	default:
		return s->skel->progs.tamis_enter_any;
	}
}

struct bpf_program *sensor_program(const struct sensor *s, enum sensor_link i)
{
	struct bpf_program *const prog[SENSOR_LINKS] = {
		[LINK_EXIT] = s->skel->progs.tamis_exit,
		[LINK_EXEC] = s->skel->progs.tamis_exec,
		[LINK_FORK] = s->skel->progs.tamis_fork,
		[LINK_ATTACH] = s->skel->progs.tamis_attach,
		[LINK_MKDIR] = s->skel->progs.tamis_mkdir,
		[LINK_RMDIR] = s->skel->progs.tamis_rmdir,
		[LINK_ENTER] = enter_program(s),
		[LINK_FEED] = s->skel->progs.tamis_feed,
	};

	return prog[i];
}

int sensor_enter_attach(struct sensor *s)
{
	s->link[LINK_ENTER] = bpf_program__attach(sensor_program(s, LINK_ENTER));
	if (!s->link[LINK_ENTER])
		return -errno;
	if (s->door != DOOR_STEADY)
		return 0;
	s->link[LINK_FEED] = steady_feed(sensor_program(s, LINK_FEED), s->enter_event);
	if (s->link[LINK_FEED])
		return 0;
	int r = -errno;
	sensor_enter_detach(s);
	return r;
}

void sensor_enter_detach(struct sensor *s)
{
	bpf_link__destroy(TAKE_PTR(s->link[LINK_FEED]));
	bpf_link__destroy(TAKE_PTR(s->link[LINK_ENTER]));
}

static void say_resting(struct sensor *s, enum tamis_rest rest)
{
	__atomic_store_n(&sensor_state(s)->resting, (uint16_t)rest, __ATOMIC_SEQ_CST);
}

void sensor_awake(struct sensor *s)
{
	s->enter_published = true;
	s->was_napping = s->was_pinned && sensor_state(s)->resting == TAMIS_NAPS;
	say_resting(s, TAMIS_AWAKE);
	sensor_tell_execs(s, false);
}

bool sensor_was_napping(const struct sensor *s)
{
	return s->was_napping;
}

void sensor_tell_execs(struct sensor *s, bool tell)
{
	__atomic_store_n(&sensor_state(s)->execs, (uint16_t)tell, __ATOMIC_SEQ_CST);
}

/* Said before it is true, and taken back after it is no more: a start in between is counted. */
static int lay_down(struct sensor *s, enum tamis_rest kind)
{
	int r;

	say_resting(s, kind);
	if (!s->link[LINK_ENTER])
		return 0;
	r = pins_remove_link(s, LINK_ENTER);
	if (r >= 0)
		r = pins_remove_link(s, LINK_FEED);
	if (r < 0) {
		say_resting(s, TAMIS_AWAKE);
		return r;
	}
	s->enter_published = false;
	sensor_enter_detach(s);
	return 0;
}

static int attach_enter(struct sensor *s)
{
	int r = sensor_enter_attach(s);

	if (r == 0)
		say_resting(s, TAMIS_AWAKE);
	return r;
}

/* Attached, it is awake, even where it can't be pinned: that is tried again. */
static int get_up(struct sensor *s)
{
	int r = s->link[LINK_ENTER] ? 0 : attach_enter(s);

	if (r < 0 || s->enter_published)
		return r;
	r = pins_publish_link(s, LINK_ENTER);
	if (r >= 0)
		r = pins_publish_link(s, LINK_FEED);
	s->enter_published = r >= 0;
	return r;
}

int sensor_rest(struct sensor *s, enum tamis_rest kind)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = kind ? lay_down(s, kind) : get_up(s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

bool sensor_rests(const struct sensor *s)
{
	return __atomic_load_n(&sensor_state(s)->resting, __ATOMIC_SEQ_CST) != TAMIS_AWAKE;
}

static int watch_denials(struct sensor *s)
{
	s->denials = bpf_program__attach(s->skel->progs.tamis_return);
	if (s->denials) {
		s->has_watched = true;
		return 0;
	}
	return errno == EINVAL || errno == ENOENT ? -EOPNOTSUPP : -errno;
}

int sensor_watch_denials(struct sensor *s, bool watch)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (watch && !s->denials) {
		r = watch_denials(s);
	} else if (!watch) {
		bpf_link__destroy(s->denials);
		s->denials = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}
