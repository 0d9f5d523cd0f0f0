/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SeccompProfile of the security-profiles-operator (v1, cluster scoped). It has no
 * defaultErrnoRet: what its default refuses gets EPERM, so every call that has a name and another
 * answer is listed.
 */
#include <ctype.h>
#include <errno.h>
#include <sha2.h>
#include <string.h>

#include "base/stream.h"
#include "emit/formats.h"
#include "emit/oci_names.h"
#include "model/calls.h"

#define NAME_MAX_DNS 253
#define NAME_HASH    12 /* hex digits of the key's SHA-256 */

/* --- the name ------------------------------------------------------------------------------- */

/* Appends one component of the key as a DNS label; true when nothing of it had to change. */
static bool add_label(FILE *f, const char *part, size_t len)
{
	bool same = len > 0;

	if (len == 0 || !isalnum((unsigned char)part[0])) {
		fputc('x', f);
		same = false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = part[i];
		bool good = (c >= 'a' && c <= 'z') || isdigit(c) || c == '-';

		fputc(good ? c : isupper(c) ? tolower(c) : '-', f);
		same &= good;
	}
	if (len > 0 && !isalnum((unsigned char)part[len - 1])) {
		fputc('x', f);
		same = false;
	}
	return same;
}

/* Another key has another name: where something had to change, its digest makes the difference. */
static int make_name(const char *key, char ret[NAME_MAX_DNS + 1])
{
	_free_ char *text = NULL;
	char hex[SHA256_DIGEST_STRING_LENGTH];
	size_t len = 0;
	bool same = true;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return -ENOMEM;
	for (const char *part = key;; part += strcspn(part, "/") + 1) {
		same &= add_label(f, part, strcspn(part, "/"));
		if (!part[strcspn(part, "/")])
			break;
		fputc('.', f);
	}
	if (fclose(f) != 0)
		return -ENOMEM;
	if (same && len <= NAME_MAX_DNS) {
		memcpy(ret, text, len + 1);
		return 0;
	}
	SHA256Data((const uint8_t *)key, strlen(key), hex);
	len = strlen(text) > NAME_MAX_DNS - NAME_HASH - 2 ? NAME_MAX_DNS - NAME_HASH - 2 : len;
	snprintf(ret, NAME_MAX_DNS + 1, "%.*sx-%.*s", (int)len, text, NAME_HASH, hex);
	return 0;
}

/* --- answers -------------------------------------------------------------------------------- */

/* What is said of a name whatever its arguments are. */
struct answer {
	const char *name;
	enum filter_action action;
	uint32_t errno_ret;
};

struct answers {
	size_t cnt;
	struct answer item[TAMIS_ABI_MAX * TAMIS_CALLS];
};

/* int64 in the API. */
static bool is_sayable(const struct oci_call *c)
{
	for (size_t i = 0; i < c->rule_cnt; i++) {
		for (unsigned j = 0; j < c->rule[i].cond_cnt; j++) {
			const struct filter_cond *cond = &c->rule[i].cond[j];

			if (cond->value > INT64_MAX || cond->value_two > INT64_MAX)
				return false;
		}
	}
	return true;
}

static bool is_conditional(const struct oci_call *c)
{
	return c && is_sayable(c) && rules_have_conditions(c->rule, c->rule_cnt);
}

static const struct oci_call *find_call(const struct oci_names *n, const char *name)
{
	for (size_t i = 0; i < n->cnt; i++) {
		if (n->call[i].name && strcmp(n->call[i].name, name) == 0)
			return &n->call[i];
	}
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct answer *)a)->name, ((const struct answer *)b)->name);
}

/* The most permissive first. */
static int compare_answers(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	int r = (int)y->action - (int)x->action;

	if (r == 0)
		r = (int)x->errno_ret - (int)y->errno_ret;
	return r ? r : strcmp(x->name, y->name);
}

static void list_names(const struct filter *f, struct answers *ret)
{
	size_t kept = 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; (f->abis >> abi & 1) && nr < calls_end(abi); nr++) {
			const char *name = calls_name(abi, nr);

			if (name)
				ret->item[ret->cnt++].name = name;
		}
	}
	qsort(ret->item, ret->cnt, sizeof(ret->item[0]), compare_names);
	for (size_t i = 0; i < ret->cnt; i++) {
		if (kept == 0 || strcmp(ret->item[kept - 1].name, ret->item[i].name) != 0)
			ret->item[kept++] = ret->item[i];
	}
	ret->cnt = kept;
}

/* Names with conditions are left out, and what the default says anyway. */
static void choose_answers(const struct filter *f, const struct oci_names *n, struct answers *ret)
{
	uint32_t said = f->default_action == FILTER_ERRNO ? EPERM : f->default_errno;
	size_t kept = 0;

	list_names(f, ret);
	for (size_t i = 0; i < ret->cnt; i++) {
		struct answer a = { ret->item[i].name, f->default_action, f->default_errno };
		const struct oci_call *c = find_call(n, a.name);

		if (is_conditional(c))
			continue;
		if (c && is_sayable(c)) {
			a.action = c->rule->action;
			a.errno_ret = c->rule->errno_ret;
		}
		if (a.action != f->default_action || a.errno_ret != said)
			ret->item[kept++] = a;
	}
	ret->cnt = kept;
	qsort(ret->item, ret->cnt, sizeof(ret->item[0]), compare_answers);
}

/* --- YAML ----------------------------------------------------------------------------------- */

static void write_action(enum filter_action action, uint32_t errno_ret, FILE *f)
{
	fprintf(f, "    - action: %s\n", filter_action_oci(action));
	if (action == FILTER_ERRNO || action == FILTER_TRACE)
		fprintf(f, "      errnoRet: %u\n", errno_ret);
	fputs("      names:\n", f);
}

static void write_answers(const struct answers *a, FILE *f)
{
	for (size_t i = 0; i < a->cnt; i++) {
		const struct answer *item = &a->item[i], *before = i ? item - 1 : NULL;

		if (!before || before->action != item->action ||
		    before->errno_ret != item->errno_ret)
			write_action(item->action, item->errno_ret, f);
		fprintf(f, "        - %s\n", item->name);
	}
}

static void write_rule(const char *name, const struct filter_rule *r, FILE *f)
{
	write_action(r->action, r->errno_ret, f);
	fprintf(f, "        - %s\n", name);
	if (r->cond_cnt > 0)
		fputs("      args:\n", f);
	for (unsigned i = 0; i < r->cond_cnt; i++) {
		const struct filter_cond *c = &r->cond[i];

		fprintf(f, "        - index: %u\n          op: %s\n          value: %llu\n",
			c->index, filter_op_oci(c->op), (unsigned long long)c->value);
		if (c->op == FILTER_MASKED_EQ)
			fprintf(f, "          valueTwo: %llu\n", (unsigned long long)c->value_two);
	}
}

static void write_conditional(const struct oci_names *n, FILE *f)
{
	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		for (size_t j = 0; c->name && is_conditional(c) && j < c->rule_cnt; j++)
			write_rule(c->name, &c->rule[j], f);
	}
}

static void write_head(const struct filter *filter, const char *name, FILE *f)
{
	fputs("apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n", f);
	fprintf(f, "metadata:\n  name: \"%s\"\nspec:\n", name);
	fprintf(f, "  defaultAction: %s\n  architectures:\n",
		filter_action_oci(filter->default_action));
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (filter->abis >> abi & 1)
			fprintf(f, "    - %s\n", abi_oci_name(abi));
	}
}

int spo_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	_free_ struct answers *answers = calloc(1, sizeof(*answers));
	char name[NAME_MAX_DNS + 1];
	int r = answers ? oci_names_new(p->filter, &n) : -ENOMEM;

	if (r == 0)
		r = make_name(p->workload ?: "", name);
	if (r < 0)
		return r;
	choose_answers(p->filter, n, answers);
	write_head(p->filter, name, f);
	fputs("  syscalls:\n", f);
	write_answers(answers, f);
	write_conditional(n, f);
	return ferror(f) ? -EIO : 0;
}

/* --- what it can't say ------------------------------------------------------------------- */

static bool says_another_errno(const struct filter *f, const struct oci_call *c)
{
	return c->name && is_conditional(c) && f->default_action == FILTER_ERRNO &&
	       f->default_errno != EPERM;
}

static void other_errno_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, says_another_errno);
}

static bool is_too_large(const struct filter *f, const struct oci_call *c)
{
	return c->name && !is_sayable(c) && rules_allow(c->rule, c->rule_cnt);
}

static void large_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_too_large);
}

const struct emit_limit spo_limits[] = {
	{ "conditions with values of 2^63 and more can't be said, so refused", large_calls },
	{ "refused with EPERM, not the default's errno, where their conditions don't hold",
	  other_errno_calls },
	{ "numbers without a name are refused with EPERM, as it has no errno for its default",
	  NULL },
	{ 0 },
};
