/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "apply/ways.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/apply_config.h"
#include "cli/cmd.h"
#include "cli/daemon.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "identity/key.h"

struct merge_options {
	const char *dir, *config, *name;
};

/* The workloads that the line names; the first takes the others in. */
struct merging {
	struct store_row *row;
	int64_t *id;
	size_t cnt;
};

static void merging_done(struct merging *m)
{
	for (size_t i = 0; i < m->cnt; i++)
		store_row_done(&m->row[i]);
	free(m->row);
	free(m->id);
}
#define _merging_ __attribute__((cleanup(merging_done)))

static int find_one(struct store *s, const char *name, struct merging *m)
{
	struct store_row *row = &m->row[m->cnt];
	int r = lookup_workload(s, name, row);

	if (r < 0)
		return r;
	m->id[m->cnt++] = row->id;
	for (size_t i = 0; i + 1 < m->cnt; i++) {
		if (m->id[i] != row->id)
			continue;
		log_err("\"%s\" is %s, which is named twice: nothing to merge", name, row->key);
		return -EINVAL;
	}
	return 0;
}

static int find_all(struct store *s, const struct arguments *args, struct merging *m)
{
	int r;

	m->row = calloc((size_t)args->cnt, sizeof(*m->row));
	m->id = calloc((size_t)args->cnt, sizeof(*m->id));
	if (!m->row || !m->id)
		return log_err_errno(-ENOMEM, "merge");
	r = find_one(s, args->arg[0], m);
	for (int i = 1; r == 0 && i < args->cnt; i++)
		r = find_one(s, args->arg[i], m);
	return r;
}

/* What is in force for a container ends by somebody's word, not by the way. */
static int check_released(const struct merging *m)
{
	for (size_t i = 1; i < m->cnt; i++) {
		const struct store_row *row = &m->row[i];

		if (row->mode == MODE_OBSERVE)
			continue;
		log_err("%s: generation %" PRIu32 " is applied; 'tamis release %s' first", row->key,
			row->generation, row->key);
		return -EBUSY;
	}
	return 0;
}

/* --- the new name ------------------------------------------------------------------------- */

static bool is_part(const char *s, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "._:@+=,-\\~%#";

	return len > 0 && strspn(s, plain) >= len && (len > 2 || strspn(s, ".") < len);
}

/* Whether it may be a whole key, as identity/key.h makes them. */
static bool is_key(const char *s)
{
	size_t len = strcspn(s, "/");

	if (strlen(s) >= KEY_MAX || !s[len])
		return false;
	while (is_part(s, len)) {
		if (!s[len])
			return true;
		s += len + 1;
		len = strcspn(s, "/");
	}
	return false;
}

/* "ENGINE/~UID/..." of the workload that gets the name, and NAME below it as one part. */
static int key_beside(const char *key, const char *name, char **ret)
{
	_free_ char *engine = strndup(key, strcspn(key, "/"));
	const char *rest = key + strcspn(key, "/");
	unsigned uid = 0;

	if (!engine)
		return -ENOMEM;
	if (sscanf(rest, "/~%u/", &uid) != 1)
		uid = 0;
	return key_parts(engine, uid, (const char *[]){ name, NULL }, ret);
}

static int rename_to(struct store *s, const struct store_row *row, const char *name, char **ret_key)
{
	const char *slash = strrchr(name, '/');
	_free_ char *key = slash ? strdup(name) : NULL;
	int r = slash ? (key ? 0 : -ENOMEM) : key_beside(row->key, name, &key);

	if (r < 0)
		return log_err_errno(r, "merge");
	r = store_rename(s, row->id, key, slash ? slash + 1 : name);
	if (r == -EEXIST)
		log_err("%s: another workload is called that", key);
	else if (r < 0)
		lookup_failed(s, r);
	else
		*ret_key = TAKE_PTR(key);
	return r;
}

/* ------------------------------------------------------------------------------------------ */

/* What is applied to the first is applied to all: their files are named by their keys. */
static int put_in_place(const struct ways *w, struct store *s, const char *key)
{
	_row_ struct store_row row = { 0 };
	_free_ char *why = NULL;
	int r = lookup_workload(s, key, &row);

	if (r < 0)
		return r;
	r = ways_put(w, s, &row, &why);
	if (r < 0)
		log_err("nothing was changed: %s", why ?: strerror(-r));
	return r;
}

static int commit_in_place(const struct ways *w, const struct merging *m, struct store *s,
			   const char *key)
{
	int r = put_in_place(w, s, key ?: m->row[0].key);

	if (r == 0)
		r = lookup_commit(s);
	if (r == 0) {
		ways_settled(w, s, &m->row[0]);
		return 0;
	}
	store_rollback(s);
	for (size_t i = 0; i < m->cnt; i++)
		ways_restore(w, s, &m->row[i]);
	return r;
}

static int commit(const struct merge_options *o, const struct merging *m, struct store *s,
		  const char *key)
{
	struct apply_config config = { 0 };
	struct ways ways = { .state = o->dir };
	int r;

	if (m->row[0].mode == MODE_OBSERVE)
		return lookup_commit(s);
	r = apply_config_read(o->config, &config);
	if (r < 0)
		return r;
	ways.kubelet_dir = config.kubelet_dir;
	ways.trial_s = config.trial_s;
	ways.listener = config.keeper;
	r = commit_in_place(&ways, m, s, key);
	apply_config_done(&config);
	return r;
}

static void say(const struct merging *m, const char *key)
{
	const struct store_row *into = &m->row[0];

	fputs("merged ", stdout);
	for (size_t i = 1; i < m->cnt; i++) {
		fputs(i > 1 ? ", " : "", stdout);
		text_escape(stdout, m->row[i].key, SIZE_MAX);
	}
	fputs(" into ", stdout);
	text_escape(stdout, into->key, SIZE_MAX);
	if (key) {
		fputs(", now ", stdout);
		text_escape(stdout, key, SIZE_MAX);
	}
	if (into->mode != MODE_OBSERVE)
		printf("; its generation %" PRIu32 " is applied to all of them", into->generation);
	putchar('\n');
}

static int merge(const struct merge_options *o, const struct arguments *args)
{
	_cleanup_(store_close) struct store *s = NULL;
	_merging_ struct merging m = { 0 };
	_free_ char *key = NULL;
	int r;

	if (lookup_open(o->dir, STORE_EDIT, &s) < 0 || find_all(s, args, &m) < 0 ||
	    check_released(&m) < 0)
		return EXIT_FAIL;
	r = store_merge(s, m.id[0], m.id + 1, m.cnt - 1);
	if (r < 0)
		(void)lookup_failed(s, r);
	else if (o->name)
		r = rename_to(s, &m.row[0], o->name, &key);
	if (r < 0 || commit(o, &m, s, key) < 0)
		return EXIT_FAIL;
	say(&m, key);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct merge_options o = { .dir = DEFAULT_STATE_DIR, .config = DAEMON_CONFIG };
	const struct option_row options[] = {
		{ "output", 'o', .text = &o.name },
		{ "config", .text = &o.config },
		OPTION_STATE(&o.dir),
		{ 0 },
	};
	struct arguments args = { .min = 2, .max = -1 };

	if (options_parse(&cmd_merge, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (o.name &&
	    (!*o.name || strlen(o.name) >= KEY_MAX || (strchr(o.name, '/') && !is_key(o.name)))) {
		log_err("merge: \"%s\" can't be a workload's name or key", o.name);
		return EXIT_USAGE;
	}
	return merge(&o, &args);
}

const struct cmd cmd_merge = {
	.name = "merge",
	.args = "A B... [-o NAME] [--config FILE] [--state DIR]",
	.help = "make workloads one from now on: A, or called NAME",
	.run = run,
};
