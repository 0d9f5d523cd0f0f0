/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/tally.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "keeper/keeper.h"

#define COUNTS_MAX 16384
#define BUCKETS	   4096
#define MINUTE_MS  60000
#define HOUR_MS	   (60 * MINUTE_MS)

struct count {
	struct count *next, *next_told;
	char *key;
	uint64_t cgroup_id;
	enum tamis_abi abi;
	uint32_t nr;
	enum journal_answer answer;
	uint64_t since_told; /* more than 0: it is in the list of those to be told */
	int64_t minute;	     /* when it began, */
	unsigned in_minute;  /* and how many came since */
	int64_t hot;
};

struct tally {
	bool (*tell)(void *arg, const struct journal_entry *e);
	void *arg;
	struct count *bucket[BUCKETS], *to_tell;
	size_t cnt;
};

int tally_new(bool (*tell)(void *arg, const struct journal_entry *e), void *arg, struct tally **ret)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->tell = tell;
	t->arg = arg;
	*ret = t;
	return 0;
}

static void drop_all(struct tally *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (t->bucket[i]) {
			struct count *c = t->bucket[i];

			t->bucket[i] = c->next;
			free(c->key);
			free(c);
		}
	t->to_tell = NULL;
	t->cnt = 0;
}

void tally_free(struct tally *t)
{
	if (t)
		drop_all(t);
	free(t);
}

static struct journal_entry entry_of(const struct count *c, enum journal_kind kind, uint64_t count)
{
	return (struct journal_entry){ .kind = kind,
				       .key = c->key,
				       .abi = c->abi,
				       .nr = c->nr,
				       .answer = c->answer,
				       .count = count };
}

void tally_tell(struct tally *t)
{
	while (t->to_tell) {
		struct count *c = t->to_tell;
		struct journal_entry e = entry_of(c, JOURNAL_COUNT, c->since_told);

		if (!t->tell(t->arg, &e))
			return;
		t->to_tell = c->next_told;
		c->since_told = 0;
	}
}

bool tally_waits(const struct tally *t)
{
	return t->to_tell;
}

static struct count **bucket_of(struct tally *t, const struct journal_entry *e)
{
	uint64_t h = e->cgroup_id * UINT64_C(0x9e3779b97f4a7c15);

	h ^= (uint64_t)e->nr << 8 | (uint64_t)e->abi << 4 | e->answer;
	return &t->bucket[(h * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
}
_Static_assert(BUCKETS == 1 << (64 - 52), "as many as the hash has");

static bool is_it(const struct count *c, const struct journal_entry *e)
{
	return c->cgroup_id == e->cgroup_id && c->nr == e->nr && c->abi == e->abi &&
	       c->answer == e->answer && strcmp(c->key, e->key) == 0;
}

static void begin(struct tally *t, const struct journal_entry *e, int64_t now)
{
	struct count *c = calloc(1, sizeof(*c)), **bucket;

	if (!c)
		return;
	*c = (struct count){ .key = strdup(e->key),
			     .cgroup_id = e->cgroup_id,
			     .abi = e->abi,
			     .nr = e->nr,
			     .answer = e->answer,
			     .minute = now,
			     .in_minute = 1,
			     .hot = now - HOUR_MS };
	if (!c->key) {
		free(c);
		return;
	}
	if (t->cnt == COUNTS_MAX) {
		tally_tell(t);
		drop_all(t);
	}
	bucket = bucket_of(t, e);
	c->next = *bucket;
	*bucket = c;
	t->cnt++;
}

/* A refused call is none that a restart makes free. */
static bool is_hot(struct count *c, int64_t now)
{
	if (now - c->minute >= MINUTE_MS) {
		c->minute = now;
		c->in_minute = 0;
	}
	c->in_minute++;
	if (c->in_minute <= KEEPER_HOT || now - c->hot < HOUR_MS ||
	    (c->answer != ANSWER_CONTINUED && c->answer != ANSWER_ALLOWED))
		return false;
	c->hot = now;
	return true;
}

static struct count *find(struct tally *t, const struct journal_entry *e)
{
	struct count *c = *bucket_of(t, e);

	while (c && !is_it(c, e))
		c = c->next;
	return c;
}

static void count(struct tally *t, struct count *c)
{
	if (c->since_told++ > 0)
		return;
	c->next_told = t->to_tell;
	t->to_tell = c;
}

void tally_lost(struct tally *t, const struct journal_entry *e)
{
	struct count *c = find(t, e);

	if (c)
		count(t, c);
}

bool tally_add(struct tally *t, const struct journal_entry *e, int64_t now)
{
	struct count *c = find(t, e);

	if (!c) {
		begin(t, e, now);
		return true;
	}
	count(t, c);
	if (is_hot(c, now)) {
		struct journal_entry hot = entry_of(c, JOURNAL_HOT, c->in_minute);

		(void)t->tell(t->arg, &hot);
	}
	return false;
}
