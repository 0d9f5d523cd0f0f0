/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/steady.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"

#include "probe.skel.h"

CLEANUP_DEFINE(struct probe_bpf *, probe_bpf__destroy);

int steady_wanted(uint32_t *ret_event)
{
	_cleanup_(probe_bpf__destroy) struct probe_bpf *probe = probe_bpf__open_and_load();

	if (!probe || probe_bpf__attach(probe) < 0)
		return 0;
	(void)syscall(SYS_getppid);
	probe_bpf__detach(probe);
	if (!probe->bss->preemptible || probe->bss->event <= 0)
		return 0;
	*ret_event = (uint32_t)probe->bss->event;
	return 1;
}

/* On one processor: the program is the event's own, wherever that happens. */
struct bpf_link *steady_feed(const struct bpf_program *feed, uint32_t event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = event,
	};
	struct bpf_link *link;
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(feed, fd);
	if (!link)
		close(fd);
	return link;
}
