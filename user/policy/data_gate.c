/* SPDX-License-Identifier: Apache-2.0 */
/* policies/runtime/: the syntax is in the files. A runtime is a native program, so only the
 * native ABI's set is filled. */
#include <errno.h>
#include <string.h>

#include "policy/data.h"
#include "policy/data_text.h"

#define ROWS_MAX      64
#define SETS_MAX      16
#define VERSION_PARTS 4

struct version {
	unsigned long part[VERSION_PARTS];
};

struct row {
	struct version version;
	bool nnp, exec;
	struct sysset set[TAMIS_ABI_MAX];
};

struct table {
	struct row row[ROWS_MAX];
	unsigned row_cnt;
	struct {
		char name[DATA_WORD];
		struct sysset set[TAMIS_ABI_MAX];
	} named[SETS_MAX];
	unsigned named_cnt;
};

static const struct {
	const char *name;
	struct data_text (*text)(void);
} runtimes[] = {
	{ "runc", data_text_runc },
	{ "crun", data_text_crun },
};

const char *const *data_runtimes(void)
{
	static const char *const names[] = { "runc", "crun", NULL };

	_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(runtimes) + 1, "every runtime is listed");
	return names;
}

/* What may follow the numbers: "+ds1", "-rc.3", "~dfsg", "-1+deb12u1". */
static bool suffix_is_valid(const char *s)
{
	return s[0] == '\0' || (strchr("+-~", s[0]) && strspn(s, "abcdefghijklmnopqrstuvwxyz"
								 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
								 "0123456789.+-~_") == strlen(s));
}

static int version_read(const char *s, struct version *ret)
{
	struct version v = { 0 };

	for (unsigned i = 0; i < VERSION_PARTS; i++) {
		size_t digits = strspn(s, "0123456789");

		if (digits == 0 || digits > 9)
			return -EINVAL;
		v.part[i] = strtoul(s, NULL, 10);
		s += digits;
		if (s[0] != '.')
			break;
		s++;
	}
	if (!suffix_is_valid(s))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int version_compare(const struct version *a, const struct version *b)
{
	for (unsigned i = 0; i < VERSION_PARTS; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

static void merge_all(struct sysset into[TAMIS_ABI_MAX], const struct sysset from[TAMIS_ABI_MAX])
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_merge(&into[abi], &from[abi]);
}

static int merge_named(const struct table *t, const char *name, struct sysset ret[TAMIS_ABI_MAX])
{
	for (unsigned i = 0; i < t->named_cnt; i++)
		if (strcmp(t->named[i].name, name) == 0) {
			merge_all(ret, t->named[i].set);
			return 0;
		}
	return -EINVAL;
}

static int read_names(const struct table *t, struct data_text line,
		      struct sysset ret[TAMIS_ABI_MAX])
{
	char word[DATA_WORD];
	int r;

	while ((r = data_word(&line, word)) > 0) {
		r = word[0] == '@' ? merge_named(t, word, ret) : data_add_call(word, ret);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_row(struct data_text *line, const char *version, struct row *row)
{
	char nnp[DATA_WORD], when[DATA_WORD];

	if (data_word(line, nnp) <= 0 || data_word(line, when) <= 0)
		return -EINVAL;
	row->nnp = strcmp(nnp, "1") == 0;
	row->exec = strcmp(when, "exec") == 0;
	if ((!row->nnp && strcmp(nnp, "0") != 0) || (!row->exec && strcmp(when, "start") != 0))
		return -EINVAL;
	return version_read(version, &row->version);
}

/* The head of a line that isn't indented: where its names go. */
static int read_head(struct table *t, struct data_text *line, struct sysset **ret)
{
	char word[DATA_WORD];

	if (data_word(line, word) <= 0)
		return -EINVAL;
	if (word[0] == '@') {
		if (t->named_cnt == SETS_MAX)
			return -EINVAL;
		memcpy(t->named[t->named_cnt].name, word, sizeof(word));
		*ret = t->named[t->named_cnt++].set;
		return 0;
	}
	if (t->row_cnt == ROWS_MAX || read_row(line, word, &t->row[t->row_cnt]) < 0)
		return -EINVAL;
	*ret = t->row[t->row_cnt++].set;
	return 0;
}

static int table_read(struct data_text text, struct table *t)
{
	struct sysset *set = NULL;
	struct data_text line;
	int r = 0;

	while (r == 0 && data_line(&text, &line)) {
		if (line.p[0] != ' ' && line.p[0] != '\t')
			r = read_head(t, &line, &set);
		else if (!set)
			r = -EINVAL;
		if (r == 0)
			r = read_names(t, line, set);
	}
	return r;
}

/* The nearest row of the same kind at or below (side -1), or at or above (side 1). */
static const struct row *nearest(const struct table *t, const struct version *v, int side, bool nnp,
				 bool exec)
{
	const struct row *best = NULL;

	for (unsigned i = 0; i < t->row_cnt; i++) {
		const struct row *row = &t->row[i];

		if (row->nnp != nnp || row->exec != exec ||
		    version_compare(&row->version, v) * side < 0)
			continue;
		if (!best || version_compare(&row->version, &best->version) * side < 0)
			best = row;
	}
	return best;
}

static void merge_table(const struct table *t, struct sysset ret[TAMIS_ABI_MAX])
{
	for (unsigned i = 0; i < t->row_cnt; i++)
		merge_all(ret, t->row[i].set);
}

static void merge_version(const struct table *t, const struct version *v,
			  struct sysset ret[TAMIS_ABI_MAX])
{
	for (unsigned kind = 0; kind < 4; kind++) {
		const struct row *below = nearest(t, v, -1, kind & 1, kind & 2);
		const struct row *above = nearest(t, v, 1, kind & 1, kind & 2);

		if (!below || !above) {
			merge_table(t, ret);
			return;
		}
		merge_all(ret, below->set);
		merge_all(ret, above->set);
	}
}

static int merge_runtime(unsigned i, const struct version *v, struct sysset ret[TAMIS_ABI_MAX])
{
	_free_ struct table *t = calloc(1, sizeof(*t));
	int r = t ? table_read(runtimes[i].text(), t) : -ENOMEM;

	if (r < 0)
		return r;
	if (v)
		merge_version(t, v, ret);
	else
		merge_table(t, ret);
	return 0;
}

static int find_runtime(const char *spec, size_t len)
{
	for (unsigned i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (strlen(runtimes[i].name) == len && memcmp(runtimes[i].name, spec, len) == 0)
			return (int)i;
	return -ENOENT;
}

static int gate_of(const char *spec, struct sysset ret[TAMIS_ABI_MAX])
{
	size_t len = strcspn(spec, "@");
	int i = find_runtime(spec, len);
	struct version v;

	if (len == 0)
		return -EINVAL;
	if (i < 0)
		return i;
	if (spec[len] == '\0')
		return merge_runtime((unsigned)i, NULL, ret);
	if (version_read(spec + len + 1, &v) < 0)
		return -EINVAL;
	return merge_runtime((unsigned)i, &v, ret);
}

static int gate_of_all(struct sysset ret[TAMIS_ABI_MAX])
{
	/* asked for each of ten thousand policies, and always the same */
	static _Thread_local struct sysset all[TAMIS_ABI_MAX];
	static _Thread_local bool is_known;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = 0;

	for (unsigned i = 0; !is_known && r == 0 && i < ARRAY_SIZE(runtimes); i++)
		r = merge_runtime(i, NULL, gate);
	if (r < 0)
		return r;
	if (!is_known)
		memcpy(all, gate, sizeof(all));
	is_known = true;
	memcpy(ret, all, sizeof(all));
	return 0;
}

int data_gate(const char *spec, struct sysset ret[TAMIS_ABI_MAX])
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = spec ? gate_of(spec, gate) : gate_of_all(gate);

	if (r == 0)
		sysset_merge(&ret[abi_native()], &gate[abi_native()]);
	return r;
}

int data_gate_unknown(const struct learned *l, struct sysset ret[TAMIS_ABI_MAX])
{
	struct sysset known[TAMIS_ABI_MAX] = { 0 }, unknown[TAMIS_ABI_MAX];
	int r = data_always(known);

	if (r == 0)
		r = data_gate(NULL, known);
	if (r < 0)
		return r;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		unknown[abi] = l->set[TAMIS_GATE][abi];
		sysset_remove(&unknown[abi], &known[abi]);
	}
	memcpy(ret, unknown, sizeof(unknown));
	return 0;
}
