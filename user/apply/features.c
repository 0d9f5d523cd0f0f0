/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/features.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "apply/runtime_ask.h"
#include "apply/runtime_cache.h"
#include "apply/runtimes.h"
#include "base/cleanup.h"

#define CACHE	 "features"
#define TEXT_MAX (256u << 10) /* runc 1.1.5's has 6 KiB */

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what it says ------------------------------------------------------------------------ */

static bool has(const json_t *array, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const char *text = json_string_value(item);

		if (text && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

int features_parse(const char *text, size_t len, struct features *ret)
{
	_cleanup_(json_decref) json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *linux_, *seccomp, *flags;

	/* Every runtime with that command tells its versions of the specification. */
	if (!json_is_string(json_object_get(root, "ociVersionMin")))
		return -EINVAL;
	linux_ = json_object_get(root, "linux");
	seccomp = json_object_get(linux_, "seccomp");
	/* knownFlags are those that it has heard of: kernel and library may not have. */
	flags = json_object_get(seccomp, "supportedFlags");
	*ret = (struct features){ .known = true };
	if (json_is_false(json_object_get(seccomp, "enabled")))
		return 0;
	ret->notify = has(json_object_get(seccomp, "actions"), "SCMP_ACT_NOTIFY");
	ret->wait_killable = has(flags, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	ret->log = has(flags, "SECCOMP_FILTER_FLAG_LOG");
	return 0;
}

/* crun had notify long before it had a command that says so (Debian 12's 1.8.1 has none). */
static bool had_notify(const char *spec)
{
	static const char crun[] = "crun@";

	return strncmp(spec, crun, strlen(crun)) == 0 && spec[strlen(crun)] >= '1' &&
	       spec[strlen(crun)] <= '9';
}

/* *ret: what `features` says, or a guess from the name. */
static int ask_who(const char *path, unsigned wait_ms, bool said, struct features *ret)
{
	char spec[RUNTIME_SAID_MAX] = "";
	int r = wait_ms > 0 ? runtime_ask(path, wait_ms, spec, sizeof(spec)) : -ETIME;

	if (!said)
		*ret = (struct features){ .notify = r == 0 && had_notify(spec) };
	if (!said || (r < 0 && r != -EINVAL))
		return r;
	ret->other = r < 0 || (strncmp(spec, "runc@", 5) != 0 && strncmp(spec, "crun@", 5) != 0);
	ret->notify = !ret->other;
	return 0;
}

static int ask(const char *path, unsigned wait_ms, struct features *ret)
{
	int64_t until = now_ms() + wait_ms, left;
	_free_ char *text = NULL;
	struct features f = { 0 };
	size_t len = 0;
	int r = runtime_tells(path, "features", wait_ms, TEXT_MAX, &text, &len);

	if (r == 0)
		r = features_parse(text, len, &f);
	left = until - now_ms();
	if (r == -EINVAL || (r == 0 && f.notify))
		r = ask_who(path, left > 0 ? (unsigned)left : 0, r == 0, &f);
	if (r == 0)
		*ret = f;
	return r;
}

/* --- what is remembered ------------------------------------------------------------------ */

static void print_words(const struct features *f, char ret[RUNTIME_SAID_MAX])
{
	snprintf(ret, RUNTIME_SAID_MAX, "%s%s%s%s%s", f->known ? "known" : "unknown",
		 f->notify ? " notify" : "", f->wait_killable ? " wait-killable" : "",
		 f->log ? " log" : "", f->other ? " other" : "");
}

static struct features read_words(char *text)
{
	struct features f = { 0 };
	char *save = NULL, *word = strtok_r(text, " ", &save);

	for (; word; word = strtok_r(NULL, " ", &save)) {
		f.known |= strcmp(word, "known") == 0;
		f.notify |= strcmp(word, "notify") == 0;
		f.wait_killable |= strcmp(word, "wait-killable") == 0;
		f.log |= strcmp(word, "log") == 0;
		f.other |= strcmp(word, "other") == 0;
	}
	return f;
}

int features_of_runtime(const char *state, const char *path, unsigned wait_ms, struct features *ret)
{
	struct features f = { 0 };
	char words[RUNTIME_SAID_MAX];
	struct stat st;
	int r = -ENOENT;

	*ret = f;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (state && runtime_cache_find(state, CACHE, &st, words) == 0) {
		*ret = read_words(words);
		return 0;
	}
	r = wait_ms > 0 ? ask(path, wait_ms, &f) : -ETIME;
	if (r == -ENOMEM)
		return r;
	/* On a busy machine the next time may be better. */
	if (r < 0 && r != -EINVAL)
		return 0;
	print_words(&f, words);
	if (state)
		(void)runtime_cache_add(state, CACHE, &st, words);
	*ret = f;
	return 0;
}

/* --- all that are there ------------------------------------------------------------------ */

struct common {
	const char *state;
	int64_t until;
	size_t cnt;
	struct features f;
};

static int add(void *ctx, const char *path)
{
	struct common *c = ctx;
	struct features own = { 0 };
	int64_t left = c->until - now_ms();
	int r = features_of_runtime(c->state, path, left > 0 ? (unsigned)left : 0, &own);

	if (r < 0)
		return r;
	c->f.known &= own.known;
	c->f.notify &= own.notify;
	c->f.wait_killable &= own.wait_killable;
	c->f.log &= own.log;
	c->f.other |= own.other;
	c->cnt++;
	return 0;
}

int features_of_installed(const char *state, unsigned wait_ms, struct features *ret)
{
	struct common c = { .state = state,
			    .until = now_ms() + wait_ms,
			    .f = { true, true, true, true } };
	int r = runtimes_installed(add, &c);

	if (r < 0)
		return r;
	*ret = c.cnt ? c.f : (struct features){ 0 };
	return 0;
}
