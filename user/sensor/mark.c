/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <bpf/bpf.h>

#include "sensor/sensor_internal.h"

int sensor_mark(struct sensor *s, pid_t pid, const struct tamis_task *task)
{
	uint32_t tgid = (uint32_t)pid;

	if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.tamis_tasks), &tgid, task, BPF_ANY) < 0)
		return -errno;
	/* whatever the cache has of it was put there as the workload's */
	__atomic_fetch_add(&sensor_state(s)->epoch, 1, __ATOMIC_SEQ_CST);
	return 0;
}
