/* SPDX-License-Identifier: Apache-2.0 */
/* policies/engine/fallback: the syntax is in the file. */
#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "policy/data.h"
#include "policy/data_text.h"

static int read_u64(const char *word, uint64_t max, uint64_t *ret)
{
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoull(word, &end, 0);
	return errno || *end || *ret > max ? -EINVAL : 0;
}

static int next_u64(struct data_text *line, uint64_t max, uint64_t *ret)
{
	char word[DATA_WORD];

	return data_word(line, word) > 0 ? read_u64(word, max, ret) : -EINVAL;
}

/* The value that ends a condition: a comma says that another follows. */
static int last_u64(struct data_text *line, uint64_t *ret, bool *ret_more)
{
	char word[DATA_WORD];
	size_t len;

	if (data_word(line, word) <= 0)
		return -EINVAL;
	len = strlen(word);
	*ret_more = word[len - 1] == ',';
	if (*ret_more)
		word[len - 1] = '\0';
	return read_u64(word, UINT64_MAX, ret);
}

/* "aI == VALUE" or "aI & MASK == VALUE" */
static int read_cond(struct data_text *line, struct filter_cond *c, bool *ret_more)
{
	char arg[DATA_WORD], op[DATA_WORD];

	if (data_word(line, arg) <= 0 || data_word(line, op) <= 0)
		return -EINVAL;
	if (arg[0] != 'a' || arg[1] < '0' || arg[1] > '5' || arg[2])
		return -EINVAL;
	c->index = (uint8_t)(arg[1] - '0');
	c->op = FILTER_EQ;
	if (strcmp(op, "==") == 0)
		return last_u64(line, &c->value, ret_more);
	c->op = FILTER_MASKED_EQ;
	if (strcmp(op, "&") != 0 || next_u64(line, UINT64_MAX, &c->value) < 0 ||
	    data_word(line, op) <= 0 || strcmp(op, "==") != 0)
		return -EINVAL;
	return last_u64(line, &c->value_two, ret_more);
}

static int read_conds(struct data_text *line, struct filter_rule *rule)
{
	bool more = line->p < line->end;

	while (more) {
		if (rule->cond_cnt == FILTER_ARGS)
			return -EINVAL;
		if (read_cond(line, &rule->cond[rule->cond_cnt], &more) < 0)
			return -EINVAL;
		rule->cond_cnt++;
	}
	return 0;
}

static int read_action(struct data_text *line, struct filter_rule *rule)
{
	char word[DATA_WORD];
	uint64_t errno_ret = 0;

	if (data_word(line, word) <= 0)
		return -EINVAL;
	rule->action = FILTER_ALLOW;
	if (strcmp(word, "allow") == 0)
		return 0;
	if (strcmp(word, "errno") != 0 || next_u64(line, 4095, &errno_ret) < 0)
		return -EINVAL;
	rule->action = FILTER_ERRNO;
	rule->errno_ret = (uint32_t)errno_ret;
	return 0;
}

static int add_for_each_abi(struct filter *f, const char *name, struct filter_rule *rule)
{
	bool known = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, name), r;

		if (nr < 0)
			continue;
		known = true;
		rule->abi = (enum tamis_abi)abi;
		rule->nr = (uint32_t)nr;
		r = filter_add(f, rule);
		if (r < 0)
			return r;
	}
	return known ? 0 : -EINVAL;
}

static void trim_end(struct data_text *line)
{
	while (line->end > line->p && (line->end[-1] == ' ' || line->end[-1] == '\t'))
		line->end--;
}

int data_fallback(struct filter **ret)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	struct data_text text = data_text_fallback(), line;
	int r = filter_new(&f);

	while (r == 0 && data_line(&text, &line)) {
		struct filter_rule rule = { 0 };
		char name[DATA_WORD];

		trim_end(&line);
		if (data_word(&line, name) <= 0 || read_action(&line, &rule) < 0 ||
		    read_conds(&line, &rule) < 0)
			return -EINVAL;
		r = add_for_each_abi(f, name, &rule);
	}
	if (r < 0)
		return r;
	f->abis = (1u << TAMIS_ABI_MAX) - 1;
	filter_sort(f);
	*ret = TAKE_PTR(f);
	return 0;
}
