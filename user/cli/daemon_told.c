/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_told.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/stream.h"
#include "model/calls.h"

#define EVERY_S 60

static bool is_early(const struct daemon_told *t, time_t now)
{
	return now && t->at && now >= t->at && now - t->at < EVERY_S;
}

static bool tell_of_calls(const struct tamis_loss *lost, const struct tamis_loss *told)
{
	if (lost->full > told->full)
		log_warn("%llu calls found the kernel map full (--map-entries): the policies "
			 "concerned are partial",
			 lost->full - told->full);
	if (lost->task > told->task)
		log_warn("%llu tasks' stages could not be kept", lost->task - told->task);
	if (lost->ring > told->ring)
		log_warn("%llu events found the ring full: some provenance is missing",
			 lost->ring - told->ring);
	return lost->full > told->full || lost->task > told->task || lost->ring > told->ring;
}

void daemon_told_tell(struct daemon_told *t, const struct observer_stats *stats, uint64_t missed,
		      time_t now)
{
	bool told;

	if (is_early(t, now))
		return;
	told = tell_of_calls(&stats->lost, &t->lost);
	if (stats->unattributed > t->unattributed)
		log_warn("%" PRIu64 " cgroups were gone before anybody could say whose they were: "
			 "their calls are not in any policy",
			 stats->unattributed - t->unattributed);
	if (missed > t->missed)
		log_warn("the kernel left the programs out %" PRIu64 " times, tasks having been "
			 "preempted inside them: all that ran without a filter is partial",
			 missed - t->missed);
	if (told || stats->unattributed > t->unattributed || missed > t->missed)
		t->at = now;
	t->lost = stats->lost;
	t->unattributed = stats->unattributed;
	t->missed = missed;
}

/* Nothing is wrong with the workload: a policy has these calls because they were seen. */
void daemon_told_gate(void *arg, const char *key, enum tamis_abi abi, const struct sysset *calls)
{
	char name[CALLS_NAME_MAX];
	_free_ char *list = NULL;
	size_t len;
	FILE *f = stream_open(&list, &len);

	if (!f)
		return;
	for (int nr = sysset_next(calls, 0), first = nr; nr >= 0; nr = sysset_next(calls, nr + 1))
		fprintf(f, "%s%s", nr == first ? "" : ", ", calls_print(abi, nr, name));
	if (fclose(f) == 0)
		log_warn("%s: gate calls that policies/runtime does not know: %s (a newer runtime, "
			 "or a hook)",
			 key, list);
}
