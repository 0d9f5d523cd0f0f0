/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "apply/gate_cache.h"
#include "apply/runtime_ask.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "identity/state.h"
#include "model/abi.h"
#include "policy/data.h"

#define ALL "all"

static void merge(struct sysset *into, const struct sysset *from)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&into[abi], &from[abi]);
}

/* Out of the table's range every row of the runtime is in, which no version in it has. */
static bool is_in_table(const char *spec, const struct sysset *gate)
{
	_free_ char *name = strndup(spec, strcspn(spec, "@"));
	struct sysset rows[TAMIS_ABI_MAX] = { 0 };

	return name && data_gate(name, rows) == 0 &&
	       !sysset_equal(&rows[abi_native()], &gate[abi_native()]);
}

/* *ret_known: that runtime's and version's own gate was taken. */
static int merge_gate(const char *spec, struct sysset *ret, bool *ret_known)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = strcmp(spec, ALL) == 0 ? -ENOENT : data_gate(spec, gate);

	if (r == -ENOMEM)
		return r;
	*ret_known = r == 0 && is_in_table(spec, gate);
	if (!*ret_known)
		return data_gate(NULL, ret);
	merge(ret, gate);
	return 0;
}

/* What it is, from memory or by asking; "all" when that can't be told. */
static void find_spec(const char *state, const char *path, unsigned wait_ms,
		      char ret[GATE_SPEC_MAX])
{
	struct stat st;
	int r;

	snprintf(ret, GATE_SPEC_MAX, ALL);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (state && gate_cache_find(state, &st, ret) == 0)
		return;
	r = wait_ms > 0 ? runtime_ask(path, wait_ms, ret, GATE_SPEC_MAX) : -ETIME;
	if (r < 0)
		snprintf(ret, GATE_SPEC_MAX, ALL);
	/* On a busy machine the next time may be better. */
	if (state && (r == 0 || r == -EINVAL))
		(void)gate_cache_add(state, &st, ret);
}

static int put_spec(const char *spec, char **ret)
{
	char *copy = ret ? strdup(spec) : NULL;

	if (ret && !copy)
		return -ENOMEM;
	if (ret)
		*ret = copy;
	return 0;
}

int gate_of_runtime(const char *state, const char *path, unsigned wait_ms, struct sysset *ret,
		    char **ret_spec)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	char spec[GATE_SPEC_MAX];
	bool known = false;
	int r;

	find_spec(state, path, wait_ms, spec);
	r = merge_gate(spec, gate, &known);
	if (r == 0)
		r = put_spec(known ? spec : ALL, ret_spec);
	if (r == 0)
		merge(ret, gate);
	return r;
}

/* --- all that are there ------------------------------------------------------------------- */

static const char *const dirs[] = {
	"/usr/bin",	"/usr/sbin",	  "/usr/local/bin",    "/usr/local/sbin",
	"/usr/libexec", "/usr/lib/cri-o", "/usr/libexec/crio",
};
static const char *const names[] = { "runc", "crun", "youki" };

struct found {
	struct stat seen[ARRAY_SIZE(dirs) * ARRAY_SIZE(names)];
	size_t cnt;
	struct sysset gate[TAMIS_ABI_MAX];
	char *specs; /* "crun@1.8.1, runc@1.1.5" */
	bool all;
};

/* A link to one that was asked is the same; what isn't root's alone is run by no engine of root's. */
static bool is_new(struct found *f, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111) ||
	    st.st_mode & 022 || st.st_uid != state_uid_here(0))
		return false;
	for (size_t i = 0; i < f->cnt; i++)
		if (f->seen[i].st_dev == st.st_dev && f->seen[i].st_ino == st.st_ino)
			return false;
	f->seen[f->cnt++] = st;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int add(struct found *f, const char *state, const char *path, int64_t until)
{
	_free_ char *spec = NULL, *longer = NULL;
	int64_t left = until - now_ms();
	int r = gate_of_runtime(state, path, left > 0 ? (unsigned)left : 0, f->gate, &spec);

	if (r < 0 || !spec)
		return r;
	f->all |= strcmp(spec, ALL) == 0;
	longer = f->specs ? text_format("%s, %s", f->specs, spec) : TAKE_PTR(spec);
	if (!longer)
		return -ENOMEM;
	free(f->specs);
	f->specs = TAKE_PTR(longer);
	return 0;
}

static int add_installed(struct found *f, const char *state, unsigned wait_ms)
{
	int64_t until = now_ms() + wait_ms;
	int r = 0;

	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++)
		for (size_t n = 0; n < ARRAY_SIZE(names) && r == 0; n++) {
			_free_ char *path = text_format("%s/%s", dirs[d], names[n]);

			if (!path)
				return -ENOMEM;
			if (is_new(f, path))
				r = add(f, state, path, until);
		}
	return r;
}

int gate_of_installed(const char *state, unsigned wait_ms, struct sysset *ret, char **ret_spec)
{
	struct found f = { 0 };
	int r = add_installed(&f, state, wait_ms);

	if (r == 0 && f.cnt == 0)
		r = data_gate(NULL, f.gate);
	if (r == 0)
		r = put_spec(f.cnt == 0 || f.all ? ALL : f.specs, ret_spec);
	if (r == 0)
		merge(ret, f.gate);
	free(f.specs);
	return r;
}
