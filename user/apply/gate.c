/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/gate.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "apply/runtime_ask.h"
#include "apply/runtime_cache.h"
#include "apply/runtimes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "model/abi.h"
#include "policy/data.h"

#define ALL   "all"
#define CACHE "runtimes"

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
		      char ret[RUNTIME_SAID_MAX])
{
	struct stat st;
	int r;

	snprintf(ret, RUNTIME_SAID_MAX, ALL);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (state && runtime_cache_find(state, CACHE, &st, ret) == 0)
		return;
	r = wait_ms > 0 ? runtime_ask(path, wait_ms, ret, RUNTIME_SAID_MAX) : -ETIME;
	if (r < 0)
		snprintf(ret, RUNTIME_SAID_MAX, ALL);
	/* On a busy machine the next time may be better. */
	if (state && (r == 0 || r == -EINVAL))
		(void)runtime_cache_add(state, CACHE, &st, ret);
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
	char spec[RUNTIME_SAID_MAX];
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

struct found {
	const char *state;
	int64_t until;
	size_t cnt;
	struct sysset gate[TAMIS_ABI_MAX];
	char *specs; /* "crun@1.8.1, runc@1.1.5" */
	bool all;
};

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int add(void *ctx, const char *path)
{
	struct found *f = ctx;
	_free_ char *spec = NULL, *longer = NULL;
	int64_t left = f->until - now_ms();
	int r = gate_of_runtime(f->state, path, left > 0 ? (unsigned)left : 0, f->gate, &spec);

	f->cnt++;
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

int gate_of_installed(const char *state, unsigned wait_ms, struct sysset *ret, char **ret_spec)
{
	struct found f = { .state = state, .until = now_ms() + wait_ms };
	int r = runtimes_installed(add, &f);

	if (r == 0 && f.cnt == 0)
		r = data_gate(NULL, f.gate);
	if (r == 0)
		r = put_spec(f.cnt == 0 || f.all ? ALL : f.specs, ret_spec);
	if (r == 0)
		merge(ret, f.gate);
	free(f.specs);
	return r;
}
