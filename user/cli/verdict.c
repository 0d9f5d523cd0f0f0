/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verdict.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/applying.h"
#include "cli/call_name.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "model/calls.h"

struct verdict_line {
	const char *dir, *config, *abi_text;
	enum tamis_abi abi; /* TAMIS_ABI_MAX: not said */
	bool forget;
	const char *workload;
	struct call_name *call;
	size_t cnt;
};

bool verdict_was_seen(const struct verdict_work *w, enum tamis_abi abi, unsigned nr)
{
	for (unsigned stage = TAMIS_GATE; stage < TAMIS_STAGE_MAX; stage++) {
		if (sysset_has(&w->learned.set[stage][abi], nr))
			return true;
	}
	return false;
}

/* --- which calls ------------------------------------------------------------------------- */

static bool was_used(const struct verdict_work *w, enum tamis_abi abi)
{
	for (unsigned stage = TAMIS_GATE; stage < TAMIS_STAGE_MAX; stage++) {
		if (!sysset_is_empty(&w->learned.set[stage][abi]))
			return true;
	}
	return false;
}

/* A name means the call of every ABI that the workload uses; a number is of one table. */
static bool is_meant(const struct verdict_line *l, const struct verdict_work *w,
		     const struct call_name *call, enum tamis_abi abi)
{
	if (call->nr[abi] < 0)
		return false;
	if (call->has_abi)
		return true;
	if (l->abi != TAMIS_ABI_MAX)
		return abi == l->abi;
	return abi == abi_native() || (!call->is_number && was_used(w, abi));
}

static int choose_calls(const struct verdict_line *l, struct verdict_work *w)
{
	for (size_t i = 0; i < l->cnt; i++) {
		const struct call_name *call = &l->call[i];
		bool any = false;

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			if (!is_meant(l, w, call, abi))
				continue;
			sysset_add(&w->calls[abi], (unsigned)call->nr[abi]);
			any = true;
		}
		if (any)
			continue;
		if (l->abi_text)
			log_err("%s has no call \"%s\"", l->abi_text, call->text);
		else
			log_err("%s uses no ABI that has \"%s\"; --abi names one", w->row->key,
				call->text);
		return -ENOENT;
	}
	return 0;
}

/* Only what has the verdict can lose it. */
static int choose_said(const struct verdict_kind *k, struct verdict_work *w)
{
	bool any = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *said = k->verdict == VERDICT_ALLOW ? &w->before.allowed[abi]
									: &w->before.denied[abi];

		for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
			w->calls[abi].bits[i] &= said->bits[i];
		any |= !sysset_is_empty(&w->calls[abi]);
	}
	if (any)
		return 0;
	log_err("%s: nobody %s that", w->row->key, k->did);
	return -ENOENT;
}

/* --- in the store ------------------------------------------------------------------------ */

static int load(struct applying *a, const struct verdict_line *l, struct verdict_work *w)
{
	int r = store_applied_get(a->store, a->row.id, &w->is);

	w->row = &a->row;
	if (r == 0)
		r = store_learned(a->store, a->row.id, &w->learned);
	if (r == 0)
		r = store_verdicts(a->store, a->row.id, &w->before);
	return r < 0 ? lookup_failed(a->store, r) : choose_calls(l, w);
}

static int set_all(struct store *s, const struct verdict_work *w, enum store_verdict v)
{
	int64_t now = time(NULL);
	int r = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &w->calls[abi];

		for (int nr = sysset_next(set, 0); r == 0 && nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1))
			r = store_verdict_set(s, w->row->id, abi, (uint32_t)nr, v, now);
	}
	return r < 0 ? lookup_failed(s, r) : 0;
}

/* Containers of it may be in probation: their calls are answered by its applied file. */
static bool may_ask(const struct store_applied *is)
{
	return is->mode == MODE_PROBATION || (is->mode == MODE_ENFORCE && is->probe_new_image);
}

static int commit(struct applying *a, const struct verdict_work *w, enum store_verdict v)
{
	int r = set_all(a->store, w, v);

	if (r < 0)
		return r;
	return may_ask(&w->is) ? applying_commit(a, &w->is) : lookup_commit(a->store);
}

/* --- what is said ------------------------------------------------------------------------ */

static void say_calls(const struct verdict_work *w)
{
	char name[CALLS_NAME_MAX];
	const char *comma = "";

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &w->calls[abi];

		for (int nr = sysset_next(set, 0); nr >= 0;
		     nr = sysset_next(set, (unsigned)nr + 1)) {
			printf("%s%s %s", comma, abi_name(abi),
			       calls_print(abi, (unsigned)nr, name));
			comma = ", ";
		}
	}
	fputs(" of ", stdout);
	text_escape(stdout, w->row->key, SIZE_MAX);
}

static void say_each(const struct verdict_kind *k, const struct verdict_work *w)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		const struct sysset *set = &w->calls[abi];

		for (int nr = sysset_next(set, 0); nr >= 0; nr = sysset_next(set, (unsigned)nr + 1))
			k->say(w, abi, (unsigned)nr);
	}
}

/* What becomes of it, and when. */
static void say_when(const struct verdict_kind *k, const struct verdict_work *w, bool forget)
{
	if (w->is.mode == MODE_PROBATION) {
		puts("; it is in probation: tamis-keeper answers so from now on, and a generation "
		     "is made of it");
		return;
	}
	fputs("; 'tamis apply ", stdout);
	text_escape(stdout, w->row->key, SIZE_MAX);
	if (forget)
		puts("' makes a generation of what is left");
	else
		printf("' makes a generation %s it\n", k->after);
}

static void say(const struct verdict_kind *k, const struct verdict_work *w, bool forget)
{
	printf("%s ", forget ? "took back the word on" : k->did);
	say_calls(w);
	say_when(k, w, forget);
	if (!forget)
		say_each(k, w);
}

/* ----------------------------------------------------------------------------------------- */

static int judge(const struct verdict_kind *k, const struct verdict_line *l)
{
	_applying_ struct applying a = { 0 };
	struct verdict_work w = { 0 };
	int r = applying_open(l->dir, l->config, l->workload, &a);

	if (r == 0)
		r = load(&a, l, &w);
	if (r == 0 && l->forget)
		r = choose_said(k, &w);
	else if (r == 0 && k->check)
		r = k->check(&w);
	if (r == 0)
		r = commit(&a, &w, l->forget ? VERDICT_NONE : k->verdict);
	if (r == 0)
		say(k, &w, l->forget);
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int take_abi(const char *value, void *ctx)
{
	struct verdict_line *l = ctx;

	l->abi_text = value;
	if (abi_from_name(value, &l->abi) == 0)
		return 0;
	log_err("--abi: unknown ABI \"%s\"", value);
	return -EINVAL;
}

int verdict_run(const struct verdict_kind *k, int argc, char **argv)
{
	struct verdict_line l = { .dir = DEFAULT_STATE_DIR,
				  .config = DAEMON_CONFIG,
				  .abi = TAMIS_ABI_MAX };
	const struct option_row options[] = {
		{ "abi", .take = take_abi, .ctx = &l },
		{ "forget", .flag = &l.forget },
		{ "config", .text = &l.config },
		OPTION_STATE(&l.dir),
		{ 0 },
	};
	struct arguments args = { .min = 2, .max = -1 };
	_free_ struct call_name *calls = NULL;

	if (options_parse(k->cmd, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	l.workload = args.arg[0];
	l.call = calls = calloc((size_t)args.cnt, sizeof(*calls));
	if (!calls) {
		(void)log_err_errno(-ENOMEM, "%s", k->cmd->name);
		return EXIT_FAIL;
	}
	for (int i = 1; i < args.cnt; i++) {
		if (call_name_parse(args.arg[i], &calls[l.cnt++]) < 0)
			return EXIT_FAIL;
	}
	return judge(k, &l);
}
