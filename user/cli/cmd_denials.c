/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/daemon_lost.h"
#include "cli/denial_text.h"
#include "cli/lookup.h"
#include "cli/options.h"

#define POLL_MS 200

struct denials_options {
	const char *dir;
	const char *workload; /* NULL: all */
	bool follow, json;
};

struct denials {
	struct store_denial *d;
	size_t cnt;
	uint64_t lost; /* of all workloads */
};

static void denials_done(struct denials *l)
{
	store_denials_free(l->d, l->cnt);
}
#define _denials_ __attribute__((cleanup(denials_done)))

/* --- all of it --------------------------------------------------------------------------- */

static int print_all_json(const struct denials *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->cnt; i++) {
		if (json_array_append_new(array, denial_json(&l->d[i])) < 0) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	return print_json(json_pack("{s:i, s:I, s:o}", "version", 1, "lost", (json_int_t)l->lost,
				    "denials", array),
			  stdout);
}

static int print_all(const struct denials *l)
{
	int r = denial_table(l->d, l->cnt, stdout);

	if (r == 0 && l->lost)
		log_warn("%" PRIu64 " more refused calls, whoever's, found no room to be kept",
			 l->lost);
	return r;
}

static int load(struct store *s, int64_t workload, struct denials *ret)
{
	int r = store_denials(s, workload, &ret->d, &ret->cnt);

	if (r == 0)
		r = daemon_lost_get(s, &ret->lost);
	return r < 0 ? lookup_failed(s, r) : 0;
}

/* 0: all of them. */
static int find(struct store *s, const struct denials_options *o, int64_t *ret)
{
	_row_ struct store_row row = { 0 };
	int r = o->workload ? lookup_workload(s, o->workload, &row) : 0;

	if (r == 0)
		*ret = row.id;
	return r;
}

/* --- what is new ------------------------------------------------------------------------- */

struct told_key {
	int64_t workload;
	uint32_t kind, abi, nr, pad;
};

/* How much of a row was told. */
struct told {
	struct told_key key;
	uint64_t count;
	UT_hash_handle hh;
};

struct follower {
	const struct denials_options *o;
	struct store *store;
	int64_t workload;
	struct told *told;
};

static void follower_done(struct follower *f)
{
	struct told *t, *next;

	HASH_ITER(hh, f->told, t, next)
	{
		HASH_DEL(f->told, t);
		free(t);
	}
}
#define _follower_ __attribute__((cleanup(follower_done)))

/* By how many it grew since. -ENOMEM. */
static int take_more(struct follower *f, const struct store_denial *d, uint64_t *ret)
{
	const struct told_key key = { d->workload, d->kind, d->abi, d->nr, 0 };
	struct told *t;

	HASH_FIND(hh, f->told, &key, sizeof(key), t);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->key = key;
		HASH_ADD(hh, f->told, key, sizeof(t->key), t);
	}
	/* one that is smaller went and came again */
	*ret = d->count >= t->count ? d->count - t->count : d->count;
	t->count = d->count;
	return 0;
}

static int print_line(const struct denials_options *o, const struct store_denial *d, uint64_t more)
{
	json_t *json;
	int r;

	if (!o->json) {
		denial_line(d, more, stdout);
		return 0;
	}
	json = denial_json(d);
	if (!json)
		return -ENOMEM;
	r = json_dumpf(json, stdout, JSON_COMPACT);
	json_decref(json);
	return r < 0 || putchar('\n') == EOF ? -EIO : 0;
}

/* Each row that is new or grew; `quietly`: they count as told. */
static int tell(struct follower *f, const struct denials *l, bool quietly)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->cnt; i++) {
		uint64_t more = 0;

		r = take_more(f, &l->d[i], &more);
		if (r == 0 && more && !quietly)
			r = print_line(f->o, &l->d[i], more);
	}
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = -EIO;
	return r < 0 ? log_err_errno(r, "denials") : 0;
}

/* As of one moment. */
static int look(struct follower *f)
{
	_denials_ struct denials l = { 0 };
	int r = store_begin(f->store);

	if (r < 0)
		return lookup_failed(f->store, r);
	r = load(f->store, f->workload, &l);
	store_rollback(f->store);
	return r < 0 ? r : tell(f, &l, false);
}

/* Until a signal ends it, or nobody reads any more. */
static int follow(struct follower *f)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int r = look(f);

	while (r == 0) {
		(void)nanosleep(&pause, NULL);
		if (store_changed(f->store))
			r = look(f);
	}
	return r;
}

/* ----------------------------------------------------------------------------------------- */

/* What is followed was told as a table before; a script gets one line for each from the start. */
static int print(const struct denials_options *o, struct store *s, int64_t workload)
{
	_follower_ struct follower f = { .o = o, .store = s, .workload = workload };
	_denials_ struct denials l = { 0 };
	int r = load(s, workload, &l);

	if (r < 0)
		return r;
	if (!o->follow || !o->json)
		r = o->json ? print_all_json(&l) : print_all(&l);
	if (r < 0)
		return log_err_errno(r, "denials");
	if (!o->follow)
		return 0;
	r = tell(&f, &l, !o->json);
	store_rollback(s);
	return r < 0 ? r : follow(&f);
}

static int denials(const struct denials_options *o)
{
	_cleanup_(store_close) struct store *s = NULL;
	int64_t workload = 0;

	if (lookup_open(o->dir, STORE_READ, &s) < 0 || find(s, o, &workload) < 0)
		return EXIT_FAIL;
	return print(o, s, workload) < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct denials_options o = { .dir = DEFAULT_STATE_DIR };
	const struct option_row options[] = {
		{ "follow", .letter = 'f', .flag = &o.follow },
		OPTION_JSON(&o.json),
		OPTION_STATE(&o.dir),
		{ 0 },
	};
	struct arguments args = { .max = 1 };

	if (options_parse(&cmd_denials, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (args.cnt)
		o.workload = args.arg[0];
	return denials(&o);
}

const struct cmd cmd_denials = {
	.name = "denials",
	.args = "[WORKLOAD] [--follow] [--json] [--state DIR]",
	.help = "show calls that were refused, and to whom",
	.run = run,
};
