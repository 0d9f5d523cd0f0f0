/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/auto_wait.h"

#include <stdlib.h>

struct auto_waiting {
	int64_t workload;
	uint64_t images; /* a hash of them */
	int64_t since;
};

void auto_wait_done(struct auto_wait *w)
{
	free(w->list);
	*w = (struct auto_wait){ 0 };
}

/* Sorted, so that equal sets have equal hashes. */
static uint64_t hash_images(const struct generation *g)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a, the NUL included */

	for (size_t i = 0; i < g->image_cnt; i++)
		for (const char *s = g->image[i];; s++) {
			h = (h ^ (uint8_t)*s) * 0x100000001b3;
			if (!*s)
				break;
		}
	return h;
}

static struct auto_waiting *find(const struct auto_wait *w, int64_t workload)
{
	for (size_t i = 0; i < w->cnt; i++)
		if (w->list[i].workload == workload)
			return &w->list[i];
	return NULL;
}

static struct auto_waiting *add(struct auto_wait *w)
{
	struct auto_waiting *grown = reallocarray(w->list, w->cnt + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	w->list = grown;
	return &grown[w->cnt++];
}

bool auto_wait_is_over(struct auto_wait *w, int64_t workload, const struct generation *g,
		       int64_t seconds, int64_t now)
{
	struct auto_waiting *one = find(w, workload);
	uint64_t images = hash_images(g);

	/* a clock that was set back begins again */
	if (one && one->images == images && one->since <= now)
		return now - one->since >= seconds;
	one = one ? one : add(w);
	if (!one)
		return false;
	*one = (struct auto_waiting){ workload, images, now };
	return seconds <= 0;
}

void auto_wait_forget(struct auto_wait *w, int64_t workload)
{
	struct auto_waiting *one = find(w, workload);

	if (one)
		*one = w->list[--w->cnt];
}
