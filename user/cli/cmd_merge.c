/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "identity/key.h"

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

static void say(const struct merging *m, const char *key)
{
	fputs("merged ", stdout);
	for (size_t i = 1; i < m->cnt; i++) {
		fputs(i > 1 ? ", " : "", stdout);
		text_escape(stdout, m->row[i].key, SIZE_MAX);
	}
	fputs(" into ", stdout);
	text_escape(stdout, m->row[0].key, SIZE_MAX);
	if (key) {
		fputs(", now ", stdout);
		text_escape(stdout, key, SIZE_MAX);
	}
	putchar('\n');
}

static int merge(const char *dir, const struct arguments *args, const char *name)
{
	_cleanup_(store_close) struct store *s = NULL;
	_merging_ struct merging m = { 0 };
	_free_ char *key = NULL;
	int r;

	if (lookup_open(dir, STORE_EDIT, &s) < 0 || find_all(s, args, &m) < 0)
		return EXIT_FAIL;
	r = store_merge(s, m.id[0], m.id + 1, m.cnt - 1);
	if (r < 0)
		(void)lookup_failed(s, r);
	else if (name)
		r = rename_to(s, &m.row[0], name, &key);
	if (r < 0 || lookup_commit(s) < 0)
		return EXIT_FAIL;
	say(&m, key);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *dir = DEFAULT_STATE_DIR, *name = NULL;
	const struct option_row options[] = {
		{ "output", 'o', .text = &name },
		OPTION_STATE(&dir),
		{ 0 },
	};
	struct arguments args = { .min = 2, .max = -1 };

	if (options_parse(&cmd_merge, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (name && (!*name || strlen(name) >= KEY_MAX || (strchr(name, '/') && !is_key(name)))) {
		log_err("merge: \"%s\" can't be a workload's name or key", name);
		return EXIT_USAGE;
	}
	return merge(dir, &args, name);
}

const struct cmd cmd_merge = {
	.name = "merge",
	.args = "A B... [-o NAME] [--state DIR]",
	.help = "make workloads one from now on: A, or called NAME",
	.run = run,
};
