/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that the kernel left out. It counts them by program, and a daemon that is down tells of none:
 * with pins, what was told of each link's program is kept beside them (DIR/vN/missed). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/text.h"
#include "sensor/sensor_internal.h"

/* Below zero: an earlier program's, taken over and not told yet. */
struct told {
	int64_t link[SENSOR_LINKS];
};

struct missed {
	int fd;		       /* of the map */
	uint64_t before;       /* taken over */
	struct told kept, now; /* in the map; by the last sensor_missed */
};

/* What the steady door is left out for is no system call. */
static bool is_steady(const char *name)
{
	return strcmp(name, "tamis_steady") == 0 || strcmp(name, "tamis_feed") == 0;
}

static uint64_t missed_by(int fd)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || is_steady(info.name))
		return 0;
	return info.recursion_misses;
}

static int64_t missed_by_pinned(const char *path)
{
	struct bpf_link_info info;
	uint32_t len = sizeof(info);
	_close_ int link = bpf_obj_get(path), prog = -1;

	memset(&info, 0, sizeof(info));
	if (link >= 0 && bpf_obj_get_info_by_fd(link, &info, &len) == 0)
		prog = bpf_prog_get_fd_by_id(info.prog_id);
	return (int64_t)missed_by(prog);
}

static bool is_ours(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.value_size == sizeof(struct told);
}

static int open_map(const char *path)
{
	int fd = bpf_obj_get(path), r;

	if (fd >= 0 && is_ours(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	(void)unlink(path);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tamis_missed", sizeof(uint32_t),
			    sizeof(struct told), 1, NULL);
	if (fd < 0)
		return -errno;
	r = bpf_obj_pin(fd, path);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int keep(struct missed *m, const struct told *told)
{
	uint32_t zero = 0;

	if (memcmp(&m->kept, told, sizeof(*told)) == 0)
		return 0;
	m->kept = *told;
	return bpf_map_update_elem(m->fd, &zero, told, BPF_ANY);
}

static int take_link(struct sensor *s, enum sensor_link i, struct told *told)
{
	_free_ char *path = pins_link_path(s, i);
	int64_t owed;

	if (!path)
		return -ENOMEM;
	owed = missed_by_pinned(path) - told->link[i];
	told->link[i] = owed > 0 ? -owed : 0;
	s->missed->before += (uint64_t)-told->link[i];
	return 0;
}

int missed_take_over(struct sensor *s)
{
	_free_ char *path = text_format("%s/missed", s->pins);
	uint32_t zero = 0;
	struct told told;
	int r = 0;

	s->missed = calloc(1, sizeof(*s->missed));
	if (!s->missed)
		return -ENOMEM;
	s->missed->fd = path ? open_map(path) : -ENOMEM;
	if (s->missed->fd < 0)
		return s->missed->fd;
	if (bpf_map_lookup_elem(s->missed->fd, &zero, &s->missed->kept) < 0)
		return -errno;
	told = s->missed->kept;
	for (enum sensor_link i = 0; r >= 0 && i < SENSOR_LINKS; i++)
		r = take_link(s, i, &told);
	s->missed->now = told;
	return r < 0 ? r : keep(s->missed, &told);
}

void missed_free(struct missed *m)
{
	if (m && m->fd >= 0)
		close(m->fd);
	free(m);
}

/* What was told the last time is somebody's by now. */
static void keep_told(const struct sensor *s)
{
	(void)keep(s->missed, &s->missed->now);
	for (enum sensor_link i = 0; i < SENSOR_LINKS; i++)
		s->missed->now.link[i] = (int64_t)missed_by(bpf_program__fd(sensor_program(s, i)));
}

uint64_t sensor_missed(const struct sensor *s)
{
	const struct bpf_object_skeleton *all = s->skel->skeleton;
	uint64_t missed = s->missed ? s->missed->before : 0;

	if (s->missed)
		keep_told(s);
	for (int i = 0; i < all->prog_cnt; i++)
		missed += missed_by(bpf_program__fd(*all->progs[i].prog));
	return missed;
}
