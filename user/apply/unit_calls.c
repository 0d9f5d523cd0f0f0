/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as systemd's lists of names. */
#include "apply/unit_calls.h"

#include <errno.h>
#include <string.h>

#include "emit/emit.h"
#include "model/calls.h"
#include "policy/data.h"

#define LINE_MAX_CALLS 8

struct word {
	const char *name;
	int errno_ret; /* -1: none said */
};

struct words {
	struct word *word;
	size_t cnt, room;
};

static void words_done(struct words *w)
{
	free(w->word);
}
#define _words_ __attribute__((cleanup(words_done)))

/* A number without a name can't be said. */
static int words_add(struct words *w, enum tamis_abi abi, uint32_t nr, int errno_ret)
{
	const char *name = calls_name(abi, nr);
	struct word *more;

	if (!name)
		return 0;
	if (w->cnt == w->room) {
		more = reallocarray(w->word, w->room + 256, sizeof(*w->word));
		if (!more)
			return -ENOMEM;
		w->word = more;
		w->room += 256;
	}
	w->word[w->cnt++] = (struct word){ name, errno_ret };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : x->errno_ret - y->errno_ret;
}

/* One of each name: ABIs share the tables' strings or have equal ones. */
static void words_sort(struct words *w)
{
	size_t cnt = 0;

	if (w->cnt > 0)
		qsort(w->word, w->cnt, sizeof(*w->word), compare);
	for (size_t i = 0; i < w->cnt; i++)
		if (cnt == 0 || strcmp(w->word[cnt - 1].name, w->word[i].name) != 0)
			w->word[cnt++] = w->word[i];
	w->cnt = cnt;
}

static const char *errno_name(int e)
{
	return e == EPERM ? "EPERM" : "ENOSYS";
}

/* After a list of allowed calls these are taken from it. */
static void words_print(struct words *w, FILE *f)
{
	words_sort(w);
	for (size_t i = 0; i < w->cnt; i++) {
		const struct word *word = &w->word[i];

		if (i % LINE_MAX_CALLS == 0)
			fprintf(f, "%sSystemCallFilter=~", i ? "\n" : "");
		else
			fputc(' ', f);
		fputs(word->name, f);
		if (word->errno_ret >= 0)
			fprintf(f, ":%s", errno_name(word->errno_ret));
	}
	if (w->cnt > 0)
		fputc('\n', f);
}

/* --- allowed ----------------------------------------------------------------------------- */

/* systemd of before only takes those with an errno out of the list: then they get its ENOSYS. */
static int print_denied(const struct generation *g, FILE *f)
{
	_words_ struct words w = { 0 };
	int r = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &g->denied[abi], *eperm = &g->denied_eperm[abi];

		for (int nr = sysset_next(set, 0); r == 0 && nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1))
			r = words_add(&w, (enum tamis_abi)abi, (uint32_t)nr,
				      sysset_has(eperm, (unsigned)nr) ? EPERM : -1);
	}
	if (r == 0)
		words_print(&w, f);
	return r;
}

static int print_allowed(const struct filter *filter, const struct generation *g, FILE *f)
{
	int r = systemd_filter_print(filter, f);

	return r < 0 ? r : print_denied(g, f);
}

/* --- refused ----------------------------------------------------------------------------- */

static bool passes(const struct filter *filter, enum tamis_abi abi, uint32_t nr)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(filter, abi, nr, &rule);

	for (size_t i = 0; i < cnt; i++)
		if (filter_action_passes(rule[i].action))
			return true;
	return cnt == 0 && filter_action_passes(filter->default_action);
}

static int errno_of(const struct filter *filter, enum tamis_abi abi, uint32_t nr)
{
	const struct filter_rule *rule = NULL;

	if (filter_find(filter, abi, nr, &rule) == 1 && rule->action == FILTER_ERRNO)
		return (int)rule->errno_ret;
	return ENOSYS;
}

static int add_refused(const struct filter *filter, enum tamis_abi abi, const struct sysset *set,
		       struct words *w)
{
	int r = 0;

	for (int nr = sysset_next(set, 0); r == 0 && nr >= 0;
	     nr = sysset_next(set, (unsigned)nr + 1))
		if (!passes(filter, abi, (uint32_t)nr))
			r = words_add(w, abi, (uint32_t)nr, errno_of(filter, abi, (uint32_t)nr));
	return r;
}

/* Beside the unit's own list: taken from allowed ones, added to refused ones. */
static int print_refused(const struct filter *filter, const struct generation *g, FILE *f)
{
	struct sysset guard[TAMIS_ABI_MAX] = { 0 };
	_words_ struct words w = { 0 };
	int r = data_guard(guard);

	for (unsigned abi = 0; r == 0 && abi < TAMIS_ABI_MAX; abi++) {
		sysset_merge(&guard[abi], &g->denied[abi]);
		if (filter->abis >> abi & 1)
			r = add_refused(filter, (enum tamis_abi)abi, &guard[abi], &w);
	}
	if (r == 0)
		words_print(&w, f);
	return r;
}

int unit_print_calls(const struct filter *filter, const struct generation *g, FILE *f)
{
	return g->descendants ? print_refused(filter, g, f) : print_allowed(filter, g, f);
}
