/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/ways.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "apply/features.h"
#include "apply/gate.h"
#include "apply/kubelet.h"
#include "apply/unit.h"
#include "base/text.h"
#include "policy/oracles.h"

#define GATE_WAIT_MS 2000

/* --- where tamis-start is ---------------------------------------------------------------- */

static int start_beside(const char *dir, const char *below, char **ret)
{
	_free_ char *path = text_format("%s/%stamis-start", dir, below);
	char *real;

	if (!path)
		return -ENOMEM;
	if (access(path, X_OK) < 0)
		return -ENOENT;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	*ret = real;
	return 0;
}

int ways_start_path(char **ret)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	int r;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	r = start_beside(self, "", ret);
	return r == -ENOENT ? start_beside(self, "../libexec/", ret) : r;
}

/* --- one key ----------------------------------------------------------------------------- */

static bool is_unit(const char *key)
{
	return strncmp(key, "systemd/", strlen("systemd/")) == 0;
}

/* A file of the kubelet's directory can be named: "kubernetes/NAMESPACE/OWNER/CONTAINER". */
static bool is_pods(const char *key)
{
	static const char prefix[] = "kubernetes/";
	unsigned parts = 0;

	if (strncmp(key, prefix, strlen(prefix)) != 0 || strstr(key, "/~"))
		return false;
	for (; *key; key++)
		parts += *key == '/';
	return parts == 3;
}

/* Sets a sentence where there is none yet. */
static int fail(int r, char **ret_why, const char *key, const char *what)
{
	if (!*ret_why)
		*ret_why = text_format("%s: %s: %s", key, what, strerror(-r));
	return r;
}

static int put_unit(const struct ways *w, const char *key, const struct applied *a, char **ret_why)
{
	struct unit_options o = {
		.dir = w->unit_dir,
		.state = w->state,
		.start = w->start,
		.no_reload = w->no_reload,
	};
	_free_ char *found = NULL;

	if (!a || !unit_choose(a))
		return unit_remove(key, &o, ret_why);
	/* Without it the daemon alone watches over a trial. */
	if (!o.start && ways_start_path(&found) == 0)
		o.start = found;
	return unit_put(a, &o, ret_why);
}

static int put_kubelet(const struct ways *w, const char *key, const struct applied *a,
		       char **ret_why)
{
	const struct generation *g = a ? unit_choose(a) : NULL;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r;

	if (!g)
		return kubelet_release(w->kubelet_dir, key, ret_why);
	r = gate_of_installed(w->state, GATE_WAIT_MS, gate, NULL);
	return r < 0 ? r : kubelet_put(w->kubelet_dir, key, g, gate, ret_why);
}

/* What asks needs a listener: systemd gives a unit's filter none, and what is in the kubelet's directory
 * is taken whether one is there or not. */
static int check_probation(const struct ways *w, const char *key, const struct applied *a,
			   char **ret_why)
{
	if (!a || a->mode != MODE_PROBATION)
		return 0;
	if (is_unit(key))
		return text_why(-EINVAL, ret_why, "%s: a unit can't be in probation", key);
	if (w->kubelet_dir && is_pods(key))
		return text_why(-EINVAL, ret_why,
				"%s: no probation by a file in the kubelet's directory", key);
	return 0;
}

/* `a` NULL: nothing is applied to it. */
static int put_key(const struct ways *w, const char *key, const struct applied *a, char **ret_why)
{
	int r = check_probation(w, key, a, ret_why);

	if (r < 0)
		return r;
	r = a ? applied_write(w->state, a) : applied_remove(w->state, key);

	if (r < 0)
		return fail(r, ret_why, key, "its applied file");
	if (is_unit(key))
		r = put_unit(w, key, a, ret_why);
	if (r == 0 && w->kubelet_dir && is_pods(key))
		r = put_kubelet(w, key, a, ret_why);
	return r < 0 ? fail(r, ret_why, key, "what is to be in force") : 0;
}

/* --- all keys ---------------------------------------------------------------------------- */

/* A workload is found by each of its keys: those that were merged into it too. */
struct keys {
	char **key;
	size_t cnt;
	struct applied *before; /* what was in its file; no key: nothing sound */
};

static void keys_donep(struct keys *k)
{
	for (size_t i = 0; i < k->cnt; i++) {
		free(k->key[i]);
		if (k->before)
			applied_done(&k->before[i]);
	}
	free(k->key);
	free(k->before);
}
#define _keys_ __attribute__((cleanup(keys_donep)))

static int keys_add(struct keys *k, const char *key)
{
	char **more = reallocarray(k->key, k->cnt + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	k->key = more;
	k->key[k->cnt] = strdup(key);
	if (!k->key[k->cnt])
		return -ENOMEM;
	k->cnt++;
	return 0;
}

/* A key that a person chose may be none that a file could have: no start has it either. */
static int keys_add_possible(struct keys *k, const char *key)
{
	_free_ char *path = NULL;
	int r = applied_path(key, &path);

	return r == -EINVAL || r == -ENAMETOOLONG ? 0 : r < 0 ? r : keys_add(k, key);
}

static int find_keys(struct store *s, const struct store_row *row, struct keys *ret)
{
	char **alias = NULL;
	size_t cnt = 0;
	int r = store_aliases(s, row->id, &alias, &cnt);

	if (r == 0)
		r = keys_add_possible(ret, row->key);
	for (size_t i = 0; i < cnt; i++) {
		if (r == 0)
			r = keys_add_possible(ret, alias[i]);
		free(alias[i]);
	}
	free(alias);
	return r == 0 && ret->cnt == 0 ? -ENAMETOOLONG : r;
}

static int remember(const struct ways *w, struct keys *k)
{
	k->before = calloc(k->cnt, sizeof(*k->before));
	if (!k->before)
		return -ENOMEM;
	for (size_t i = 0; i < k->cnt; i++) {
		_free_ char *why = NULL;

		(void)applied_read(w->state, k->key[i], &k->before[i], &why);
		/* Whatever else is wrong there is said when it is written. */
		if (applied_keep(w->state, k->key[i]) == -ENOSPC)
			return -ENOSPC;
	}
	return 0;
}

static void forget(const struct ways *w, const struct keys *k)
{
	for (size_t i = 0; i < k->cnt; i++)
		applied_drop(w->state, k->key[i]);
}

static void put_back(const struct ways *w, const struct keys *k, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const struct applied *a = k->before[i].key ? &k->before[i] : NULL;
		_free_ char *why = NULL, *again = NULL;

		if (put_key(w, k->key[i], a, &why) < 0 && a &&
		    applied_back(w->state, k->key[i]) < 0)
			(void)put_key(w, k->key[i], NULL, &again);
	}
}

/* The same generation by each key; borrows the key for as long as it is written. */
static int put_keys(const struct ways *w, const struct keys *k, struct applied *a, char **ret_why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < k->cnt; i++) {
		if (a)
			a->key = k->key[i];
		r = put_key(w, k->key[i], a, ret_why);
		if (r < 0)
			put_back(w, k, i + 1);
	}
	if (a)
		a->key = NULL;
	return r;
}

/* --- the store's word -------------------------------------------------------------------- */

static int load_good(struct store *s, int64_t workload, uint32_t number, struct applied *ret)
{
	int r;

	if (number == 0 || number == ret->now.number)
		return 0;
	r = store_generation_get(s, workload, number, &ret->good);
	ret->has_good = r == 0;
	return r;
}

/* What the oracle rejected stays refused until a person allows it. */
static int load_rejected(struct store *s, int64_t workload, struct sysset ret[TAMIS_ABI_MAX])
{
	struct store_oracle_call *calls = NULL;
	size_t cnt = 0;
	int r = store_oracle_calls(s, workload, &calls, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		if (calls[i].rejected)
			sysset_add(&ret[calls[i].abi], calls[i].nr);
		free(calls[i].report);
	}
	free(calls);
	return r;
}

/* What tamis-keeper answers by. */
static int load_probation(const struct ways *w, struct store *s, int64_t workload,
			  const struct store_applied *is, struct applied *ret)
{
	struct verdicts v = { 0 };
	int r = store_verdicts(s, workload, &v);

	if (r < 0)
		return r;
	ret->rule = is->rule;
	memcpy(ret->allowed, v.allowed, sizeof(ret->allowed));
	memcpy(ret->refused, v.denied, sizeof(ret->refused));
	r = load_rejected(s, workload, ret->refused);
	if (r < 0 || !w->listener)
		return r;
	ret->listener = strdup(w->listener);
	return ret->listener ? 0 : -ENOMEM;
}

static bool may_ask(const struct store_applied *is)
{
	return is->mode == MODE_PROBATION || (is->mode == MODE_ENFORCE && is->probe_new_image);
}

static int load(const struct ways *w, struct store *s, int64_t workload,
		const struct store_applied *is, struct applied *ret)
{
	int r = store_generation_get(s, workload, is->generation, &ret->now);

	if (r == 0)
		r = load_good(s, workload, is->good, ret);
	if (r == 0 && may_ask(is))
		r = load_probation(w, s, workload, is, ret);
	ret->mode = is->mode;
	ret->replace = is->replace;
	ret->unconfined = is->unconfined;
	ret->keep_new_image = is->keep_new_image;
	ret->probe_new_image = is->probe_new_image;
	ret->trial_s = w->trial_s ?: APPLIED_TRIAL_S;
	return r;
}

static int load_all(const struct ways *w, struct store *s, const struct store_row *row,
		    struct applied *ret, bool *ret_any, struct keys *ret_keys)
{
	struct store_applied is = { 0 };
	int r = store_applied_get(s, row->id, &is);

	*ret_any = is.mode != MODE_OBSERVE;
	if (r == 0 && *ret_any)
		r = load(w, s, row->id, &is, ret);
	return r < 0 ? r : find_keys(s, row, ret_keys);
}

static int put(const struct ways *w, struct store *s, const struct store_row *row, char **ret_why)
{
	_applied_ struct applied a = { 0 };
	_keys_ struct keys k = { 0 };
	bool any = false;
	int r = load_all(w, s, row, &a, &any, &k);

	if (r < 0)
		return r;
	r = remember(w, &k);
	if (r == 0)
		r = put_keys(w, &k, any ? &a : NULL, ret_why);
	if (r < 0)
		forget(w, &k);
	return r;
}

/* A start has no time to ask a runtime who it is and what it can: what is asked now is remembered. */
static void ask_runtimes(const struct ways *w)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	struct features features;

	(void)features_of_installed(w->state, GATE_WAIT_MS, &features);
	(void)gate_of_installed(w->state, GATE_WAIT_MS, gate, NULL);
}

int ways_put(const struct ways *w, struct store *s, const struct store_row *row, char **ret_why)
{
	_free_ char *why = NULL;
	int r = put(w, s, row, &why);

	if (r < 0) {
		(void)fail(r, &why, row->key, "putting in place what is applied");
		*ret_why = TAKE_PTR(why);
	} else {
		ask_runtimes(w);
	}
	return r;
}

void ways_settled(const struct ways *w, struct store *s, const struct store_row *row)
{
	_keys_ struct keys k = { 0 };

	if (find_keys(s, row, &k) == 0)
		forget(w, &k);
}

/* Whether the file of a->key is what the store says. */
static bool is_in_place(const struct ways *w, const struct applied *a)
{
	_applied_ struct applied found = { 0 };
	_free_ char *why = NULL, *is = NULL, *wanted = NULL;
	size_t len;

	return applied_read(w->state, a->key, &found, &why) == 0 &&
	       applied_print(&found, &is, &len) == 0 && applied_print(a, &wanted, &len) == 0 &&
	       strcmp(is, wanted) == 0;
}

/* Without any room: by the file that was kept, if it is the one. `a` NULL: nothing is applied. */
static void restore_key(const struct ways *w, const char *key, const struct applied *a)
{
	_free_ char *why = NULL, *again = NULL;

	if (a && put_key(w, key, a, &why) == 0)
		return;
	if (a && applied_back(w->state, key) == 0 && is_in_place(w, a))
		return;
	(void)put_key(w, key, NULL, &again);
}

void ways_restore(const struct ways *w, struct store *s, const struct store_row *row)
{
	_applied_ struct applied a = { 0 };
	_keys_ struct keys k = { 0 };
	bool any = false;

	if (load_all(w, s, row, &a, &any, &k) < 0)
		return;
	for (size_t i = 0; i < k.cnt; i++) {
		a.key = k.key[i];
		restore_key(w, k.key[i], any ? &a : NULL);
	}
	a.key = NULL;
	forget(w, &k);
}
