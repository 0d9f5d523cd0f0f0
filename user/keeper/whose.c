/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/whose.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "identity/identity.h"
#include "keeper/held.h"

#define KNOWN_MAX  4096
#define BUCKETS	   1024
#define PROC_MAX   (64u << 10)
/* An engine's files may come after the first call: what was nobody's is asked again. */
#define NOBODYS_MS 1000
#define RECENT_MS  500
#define RECENTS	   1024

/* A cgroup whose owner is known: an owner's own, which goes for all below it, or, being nobody's, one
 * that goes for itself alone. */
struct known {
	struct known *next;
	char *path, *key; /* key "": nobody's */
	uint64_t id;
	int64_t asked;
};

/* A caller whose owner was found. */
struct recent {
	uint64_t filter;
	pid_t pid;
	int64_t asked;
	uint64_t drops; /* it is good while none was dropped since */
	const struct known *known;
};

struct whose {
	char *mount;
	struct held *held;
	struct known *bucket[BUCKETS];
	size_t cnt;
	uint64_t drops; /* of known ones */
	struct recent recent[RECENTS];
	char *path; /* of who isn't remembered */
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int whose_new(const char *state, const char *mount, struct whose **ret)
{
	struct whose *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->mount = strdup(mount);
	r = w->mount ? held_new(state, &w->held) : -ENOMEM;
	if (r < 0) {
		whose_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void known_free(struct known *k)
{
	if (!k)
		return;
	free(k->path);
	free(k->key);
	free(k);
}

static void forget_all(struct whose *w)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (w->bucket[i]) {
			struct known *k = w->bucket[i];

			w->bucket[i] = k->next;
			known_free(k);
		}
	w->cnt = 0;
	w->drops++;
}

void whose_free(struct whose *w)
{
	if (!w)
		return;
	forget_all(w);
	held_free(w->held);
	free(w->mount);
	free(w->path);
	free(w);
}

/* --- what is remembered --------------------------------------------------------------------- */

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325) /* FNV-1a */

static uint64_t hash_on(uint64_t h, char c)
{
	return (h ^ (uint8_t)c) * UINT64_C(0x100000001b3);
}

static uint64_t hash(const char *s)
{
	uint64_t h = HASH_BEGIN;

	for (; *s; s++)
		h = hash_on(h, *s);
	return h;
}

/* Another cgroup may have come to lie there. */
static bool holds(const struct whose *w, const struct known *k, int64_t now)
{
	uint64_t id;

	if (!*k->key && now - k->asked >= NOBODYS_MS)
		return false;
	return cgroups_id(w->mount, k->path, &id) == 0 && id == k->id;
}

static struct known *find_one(struct whose *w, uint64_t h, const char *path, size_t len,
			      int64_t now)
{
	for (struct known **at = &w->bucket[h % BUCKETS]; *at; at = &(*at)->next) {
		struct known *k = *at;

		if (strncmp(k->path, path, len) != 0 || k->path[len] || (path[len] && !*k->key))
			continue;
		if (holds(w, k, now))
			return k;
		*at = k->next;
		known_free(k);
		w->cnt--;
		w->drops++;
		return NULL;
	}
	return NULL;
}

/* The outermost owner on the path has it, whatever is below. */
static const struct known *find(struct whose *w, const char *path, int64_t now)
{
	uint64_t h = HASH_BEGIN;
	struct known *k = NULL;

	for (size_t i = 0; !k; i++) {
		if (i > 0 && (path[i] == '/' || !path[i]))
			k = find_one(w, h, path, i, now);
		if (!path[i])
			break;
		h = hash_on(h, path[i]);
	}
	return k;
}

static const struct known *remember(struct whose *w, const char *path, size_t len, const char *key,
				    int64_t now)
{
	struct known *k = calloc(1, sizeof(*k)), **bucket;

	if (!k)
		return NULL;
	k->path = strndup(path, len);
	k->key = strdup(key);
	k->asked = now;
	if (!k->path || !k->key || cgroups_id(w->mount, k->path, &k->id) < 0) {
		known_free(k);
		return NULL;
	}
	if (w->cnt == KNOWN_MAX)
		forget_all(w);
	bucket = &w->bucket[hash(k->path) % BUCKETS];
	k->next = *bucket;
	*bucket = k;
	w->cnt++;
	return k;
}

/* --- asking --------------------------------------------------------------------------------- */

static const struct known *identify(struct whose *w, const char *path, int64_t now)
{
	const struct identity_options o = { 0 };
	struct identity i = IDENTITY_INIT;
	const struct known *k = NULL;
	int r = identity_of_path(&o, path, &i);

	if (r == 0 && i.key)
		k = remember(w, path, i.owner_len, i.key, now);
	else if (r == 0 || r == -ENOENT)
		k = remember(w, path, strlen(path), "", now);
	identity_done(&i);
	return k;
}

/* The cgroup v2 line, cut out in place. NULL: there is none. */
static char *cut_path(char *text)
{
	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		return line + 3;
	}
	return NULL;
}

int whose_cgroup(pid_t pid, char **ret)
{
	_free_ char *file = text_format("/proc/%d/cgroup", (int)pid), *text = NULL, *path = NULL;
	int r = file ? file_read(file, PROC_MAX, &text, NULL) : -ENOMEM;
	const char *found;

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	found = cut_path(text);
	path = strdup(found ? found : "");
	if (!path)
		return -ENOMEM;
	*ret = TAKE_PTR(path);
	return 0;
}

static void fill(struct whose *w, const struct known *k, int64_t now, struct whose_answer *ret)
{
	*ret = (struct whose_answer){ .key = k->key, .cgroup = k->path, .cgroup_id = k->id };
	if (*k->key)
		ret->applied = held_get(w->held, k->key, now);
}

/* NULL, and the path in w: it isn't known. */
static int ask(struct whose *w, pid_t pid, int64_t now, const struct known **ret)
{
	_free_ char *path = NULL;
	const struct known *k;
	int r = whose_cgroup(pid, &path);

	if (r == -ESRCH)
		return r;
	k = path ? find(w, path, now) : NULL;
	*ret = !k && path ? identify(w, path, now) : k;
	free(w->path);
	w->path = TAKE_PTR(path);
	return 0;
}

static int ask_now(struct whose *w, pid_t pid, int64_t now, struct recent *recent,
		   struct whose_answer *ret)
{
	const struct known *k = NULL;
	int r = ask(w, pid, now, &k);

	if (r < 0)
		return r;
	if (recent && k && *k->key)
		*recent = (struct recent){ recent->filter, pid, now, w->drops, k };
	if (k)
		fill(w, k, now, ret);
	else
		*ret = (struct whose_answer){ .key = "", .cgroup = w->path ? w->path : "" };
	return 0;
}

int whose_ask(struct whose *w, pid_t pid, struct whose_answer *ret)
{
	return ask_now(w, pid, now_ms(), NULL, ret);
}

int whose_ask_of(struct whose *w, uint64_t filter, pid_t pid, struct whose_answer *ret)
{
	struct recent *r = &w->recent[(filter * 31 + (uint64_t)pid) % RECENTS];
	int64_t now = now_ms();

	if (r->known && r->filter == filter && r->pid == pid && r->drops == w->drops &&
	    now - r->asked < RECENT_MS) {
		fill(w, r->known, now, ret);
		return 1;
	}
	*r = (struct recent){ .filter = filter };
	return ask_now(w, pid, now, r, ret);
}
