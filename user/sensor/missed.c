/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor/sensor_internal.h"

static uint64_t missed_by(const struct bpf_program *prog)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);
	int fd = bpf_program__fd(prog);

	memset(&info, 0, sizeof(info));
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? info.recursion_misses : 0;
}

uint64_t sensor_missed(const struct sensor *s)
{
	const struct bpf_object_skeleton *all = s->skel->skeleton;
	uint64_t missed = 0;

	for (int i = 0; i < all->prog_cnt; i++)
		missed += missed_by(*all->progs[i].prog);
	return missed;
}
