/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/handover.h"

#include <string.h>
#include <sys/stat.h>

#include "apply/meet.h"
#include "apply/runtimes.h"
#include "base/cleanup.h"

void handover_add(struct handover *h, const char *path)
{
	struct stat st;

	if (h->cnt == HANDOVER_MAX || stat(path, &st) < 0)
		return;
	h->runtime[h->cnt].dev = st.st_dev;
	h->runtime[h->cnt].ino = st.st_ino;
	h->cnt++;
}

static int add_crun(void *ctx, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash && strcmp(slash, "/crun") == 0)
		handover_add(ctx, path);
	return 0;
}

static void look(struct handover *h, int64_t now)
{
	*h = (struct handover){ .looked = now };
	(void)runtimes_installed(add_crun, h);
}

static bool runs_one(const struct handover *h, pid_t tid)
{
	char exe[32];
	struct stat st;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)tid);
	if (stat(exe, &st) < 0)
		return false;
	for (size_t i = 0; i < h->cnt; i++)
		if (h->runtime[i].dev == st.st_dev && h->runtime[i].ino == st.st_ino)
			return true;
	return false;
}

bool handover_is(struct handover *h, int64_t now, enum tamis_abi abi, uint32_t nr, pid_t tid)
{
	if (tid <= 0 || !meet_is_handover(abi, nr))
		return false;
	if (!h->looked || now - h->looked > HANDOVER_MS)
		look(h, now);
	return runs_one(h, tid);
}
