/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/held.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#define HELD_MAX 1024
#define STALE_MS 100

/* One version of a file. */
struct version {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, written;
};

struct one {
	struct one *next;
	char *key, *path;
	int64_t asked;
	struct version version;
	bool there; /* applied is filled */
	struct applied applied;
};

struct held {
	char *state;
	struct one *all; /* the one asked for last comes first */
	size_t cnt;
};

int held_new(const char *state, struct held **ret)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->state = strdup(state);
	if (!h->state) {
		free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

static void one_free(struct one *o)
{
	if (o->there)
		applied_done(&o->applied);
	free(o->key);
	free(o->path);
	free(o);
}

static void drop_all(struct held *h)
{
	while (h->all) {
		struct one *o = h->all;

		h->all = o->next;
		one_free(o);
	}
	h->cnt = 0;
}

void held_free(struct held *h)
{
	if (!h)
		return;
	drop_all(h);
	free(h->state);
	free(h);
}

static struct version version_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return (struct version){ 0 };
	return (struct version){ st.st_dev, st.st_ino, st.st_size, st.st_ctim, st.st_mtim };
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct version *a, const struct version *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(&a->changed, &b->changed) && same_time(&a->written, &b->written);
}

/* The version is asked before the file is read: one that comes between is read again. */
static void look(const struct held *h, struct one *o, int64_t now)
{
	struct version v = version_of(o->path);
	struct applied fresh = { 0 };
	_free_ char *why = NULL;
	bool changed = !same(&v, &o->version);
	int r;

	o->asked = now;
	if (!changed && (o->there || v.ino == 0))
		return;
	r = v.ino ? applied_read(h->state, o->key, &fresh, &why) : -ENOENT;
	if (r < 0 && r != -ENOENT && changed)
		log_warn("%s; its calls are nobody's", why ? why : o->path);
	if (o->there)
		applied_done(&o->applied);
	o->there = r == 0;
	if (r == 0)
		o->applied = fresh;
	o->version = v;
}

static struct one *add(struct held *h, const char *key)
{
	_free_ char *name = NULL;
	struct one *o;

	if (applied_path(key, &name) < 0)
		return NULL;
	if (h->cnt == HELD_MAX)
		drop_all(h);
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->key = strdup(key);
	o->path = text_format("%s/%s", h->state, name);
	o->asked = INT64_MIN / 2;
	if (!o->key || !o->path) {
		one_free(o);
		return NULL;
	}
	o->next = h->all;
	h->all = o;
	h->cnt++;
	return o;
}

static struct one *find(struct held *h, const char *key)
{
	for (struct one **at = &h->all; *at; at = &(*at)->next) {
		struct one *o = *at;

		if (strcmp(o->key, key) != 0)
			continue;
		*at = o->next;
		o->next = h->all;
		h->all = o;
		return o;
	}
	return NULL;
}

const struct applied *held_get(struct held *h, const char *key, int64_t now)
{
	struct one *o = find(h, key);

	if (!o)
		o = add(h, key);
	if (!o)
		return NULL;
	if (now - o->asked >= STALE_MS)
		look(h, o, now);
	return o->there ? &o->applied : NULL;
}
