/* SPDX-License-Identifier: Apache-2.0 */
#include "model/filter.h"

#include <errno.h>
#include <string.h>

#include "model/cond.h"

#define ERRNO_MAX 4095

int filter_new(struct filter **ret)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->default_action = FILTER_ERRNO;
	f->default_errno = ENOSYS;
	*ret = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->rule);
	free(f);
}

static bool action_has_errno(enum filter_action a)
{
	return a == FILTER_ERRNO || a == FILTER_TRACE;
}

static bool rule_is_valid(const struct filter_rule *r)
{
	unsigned seen = 0;

	if ((unsigned)r->abi >= TAMIS_ABI_MAX || r->nr >= TAMIS_CALLS ||
	    (unsigned)r->action >= FILTER_ACTION_MAX || r->cond_cnt > FILTER_ARGS)
		return false;
	if (action_has_errno(r->action) && r->errno_ret > ERRNO_MAX)
		return false;
	for (unsigned i = 0; i < r->cond_cnt; i++) {
		if (r->cond[i].index >= FILTER_ARGS || seen & 1u << r->cond[i].index ||
		    (unsigned)r->cond[i].op >= FILTER_OP_MAX)
			return false;
		seen |= 1u << r->cond[i].index;
	}
	return true;
}

/* Field by field into zeroed memory, so that padding is equal too. */
static void rule_write(struct filter_rule *to, const struct filter_rule *from)
{
	memset(to, 0, sizeof(*to));
	to->abi = from->abi;
	to->nr = from->nr;
	to->action = from->action;
	to->errno_ret = action_has_errno(from->action) ? from->errno_ret : 0;
	to->why = from->why;
	for (unsigned index = 0; index < FILTER_ARGS; index++) {
		const struct filter_cond *c = cond_find(from, index);
		struct filter_cond *slot = &to->cond[to->cond_cnt];

		if (!c)
			continue;
		slot->index = c->index;
		slot->op = c->op;
		slot->value = c->value;
		slot->value_two = c->op == FILTER_MASKED_EQ ? c->value_two & c->value : 0;
		to->cond_cnt++;
	}
}

int filter_add(struct filter *f, const struct filter_rule *rule)
{
	if (!rule_is_valid(rule))
		return -EINVAL;
	if (f->rule_cnt == f->rule_room) {
		size_t room = f->rule_room ? 2 * f->rule_room : 64;
		struct filter_rule *grown = reallocarray(f->rule, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->rule = grown;
		f->rule_room = room;
	}
	rule_write(&f->rule[f->rule_cnt], rule);
	f->rule[f->rule_cnt].order = (uint32_t)f->rule_cnt;
	f->rule_cnt++;
	return 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_cond(const struct filter_cond *a, const struct filter_cond *b)
{
	int order = compare_u64(a->index, b->index);

	if (order == 0)
		order = compare_u64(a->op, b->op);
	if (order == 0)
		order = compare_u64(a->value, b->value);
	return order ? order : compare_u64(a->value_two, b->value_two);
}

static int compare_conds(const struct filter_rule *a, const struct filter_rule *b)
{
	unsigned both = a->cond_cnt < b->cond_cnt ? a->cond_cnt : b->cond_cnt;

	for (unsigned i = 0; i < both; i++) {
		int order = compare_cond(&a->cond[i], &b->cond[i]);

		if (order)
			return order;
	}
	return compare_u64(a->cond_cnt, b->cond_cnt);
}

static int compare_call(const struct filter_rule *a, const struct filter_rule *b)
{
	int order = compare_u64(a->abi, b->abi);

	return order ? order : compare_u64(a->nr, b->nr);
}

static int compare_rules(const void *pa, const void *pb)
{
	const struct filter_rule *a = pa, *b = pb;
	int order = compare_call(a, b);

	if (order == 0)
		order = compare_conds(a, b);
	return order ? order : compare_u64(a->order, b->order);
}

static bool says_default(const struct filter *f, const struct filter_rule *r)
{
	return r->action == f->default_action &&
	       (r->action != FILTER_ERRNO || r->errno_ret == f->default_errno);
}

static bool same_answer(const struct filter_rule *a, const struct filter_rule *b)
{
	return a->action == b->action && a->errno_ret == b->errno_ret;
}

/* Among the sorted rules of one call: those that say something else than the default, or
 * all where there are none. Order is kept. */
static size_t drop_default(const struct filter *f, struct filter_rule *rule, size_t cnt)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++)
		if (!says_default(f, &rule[i]))
			rule[kept++] = rule[i];
	return kept ? kept : cnt;
}

static size_t drop_same_conds(struct filter_rule *rule, size_t cnt)
{
	size_t last = 0;

	for (size_t i = 1; i < cnt; i++) {
		if (compare_conds(&rule[last], &rule[i]) != 0)
			rule[++last] = rule[i];
		else if (same_answer(&rule[last], &rule[i]))
			rule[last].why |= rule[i].why;
	}
	return last + 1;
}

/* Unconditional rules are sorted first. */
static size_t drop_unheard(const struct filter *f, struct filter_rule *rule, size_t cnt)
{
	cnt = drop_default(f, rule, cnt);
	cnt = drop_same_conds(rule, cnt);
	return rule[0].cond_cnt == 0 ? 1 : cnt;
}

void filter_sort(struct filter *f)
{
	size_t kept = 0;

	if (f->rule_cnt > 1)
		qsort(f->rule, f->rule_cnt, sizeof(*f->rule), compare_rules);
	for (size_t start = 0, end; start < f->rule_cnt; start = end) {
		size_t cnt;

		for (end = start + 1; end < f->rule_cnt; end++)
			if (compare_call(&f->rule[start], &f->rule[end]) != 0)
				break;
		cnt = drop_unheard(f, &f->rule[start], end - start);
		memmove(&f->rule[kept], &f->rule[start], cnt * sizeof(*f->rule));
		kept += cnt;
	}
	f->rule_cnt = kept;
	for (size_t i = 0; i < kept; i++)
		f->rule[i].order = (uint32_t)i;
}

size_t filter_find(const struct filter *f, enum tamis_abi abi, uint32_t nr,
		   const struct filter_rule **ret)
{
	const struct filter_rule call = { .abi = abi, .nr = nr };
	size_t low = 0, high = f->rule_cnt, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_call(&f->rule[mid], &call) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < f->rule_cnt && compare_call(&f->rule[end], &call) == 0; end++)
		;
	if (end > low)
		*ret = &f->rule[low];
	return end - low;
}

static bool rule_matches(const struct filter_rule *r, const uint64_t args[FILTER_ARGS])
{
	for (unsigned i = 0; i < r->cond_cnt; i++)
		if (!cond_match(&r->cond[i], args[r->cond[i].index]))
			return false;
	return true;
}

struct filter_verdict filter_verdict(const struct filter *f, enum tamis_abi abi, uint32_t nr,
				     const uint64_t args[FILTER_ARGS])
{
	const struct filter_rule *rule = NULL, *best = NULL;
	size_t cnt = filter_find(f, abi, nr, &rule);

	if ((unsigned)abi >= TAMIS_ABI_MAX || !(f->abis & 1u << abi))
		return (struct filter_verdict){ FILTER_KILL_THREAD, 0 };
	for (size_t i = 0; i < cnt; i++)
		if (rule_matches(&rule[i], args) && (!best || rule[i].action < best->action))
			best = &rule[i];
	if (!best)
		return (struct filter_verdict){ f->default_action, f->default_errno };
	return (struct filter_verdict){ best->action, best->errno_ret };
}

static const char *const actions[] = {
	[FILTER_KILL_PROCESS] = "SCMP_ACT_KILL_PROCESS",
	[FILTER_KILL_THREAD] = "SCMP_ACT_KILL_THREAD",
	[FILTER_TRAP] = "SCMP_ACT_TRAP",
	[FILTER_ERRNO] = "SCMP_ACT_ERRNO",
	[FILTER_NOTIFY] = "SCMP_ACT_NOTIFY",
	[FILTER_TRACE] = "SCMP_ACT_TRACE",
	[FILTER_LOG] = "SCMP_ACT_LOG",
	[FILTER_ALLOW] = "SCMP_ACT_ALLOW",
};
_Static_assert(ARRAY_SIZE(actions) == FILTER_ACTION_MAX, "a name for each action");

static const char *const ops[] = {
	[FILTER_NE] = "SCMP_CMP_NE",
	[FILTER_LT] = "SCMP_CMP_LT",
	[FILTER_LE] = "SCMP_CMP_LE",
	[FILTER_EQ] = "SCMP_CMP_EQ",
	[FILTER_GE] = "SCMP_CMP_GE",
	[FILTER_GT] = "SCMP_CMP_GT",
	[FILTER_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};
_Static_assert(ARRAY_SIZE(ops) == FILTER_OP_MAX, "a name for each operator");

static int find_name(const char *const *names, unsigned cnt, const char *name)
{
	for (unsigned i = 0; i < cnt; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -ENOENT;
}

const char *filter_action_oci(enum filter_action a)
{
	return (unsigned)a < FILTER_ACTION_MAX ? actions[a] : "?";
}

int filter_action_from_oci(const char *name, enum filter_action *ret)
{
	/* The runtime-spec's older name. */
	const char *now = strcmp(name, "SCMP_ACT_KILL") == 0 ? "SCMP_ACT_KILL_THREAD" : name;
	int i = find_name(actions, FILTER_ACTION_MAX, now);

	if (i < 0)
		return i;
	*ret = (enum filter_action)i;
	return 0;
}

const char *filter_op_oci(enum filter_op op)
{
	return (unsigned)op < FILTER_OP_MAX ? ops[op] : "?";
}

int filter_op_from_oci(const char *name, enum filter_op *ret)
{
	int i = find_name(ops, FILTER_OP_MAX, name);

	if (i < 0)
		return i;
	*ret = (enum filter_op)i;
	return 0;
}
