/* SPDX-License-Identifier: Apache-2.0 */
/* policies/risk/cves: the syntax is in the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/calls.h"
#include "model/score.h"
#include "policy/data.h"
#include "policy/data_text.h"

static const struct source {
	const char *word, *name;
} sources[] = {
	{ "sysfilter", "sysfilter, Temporal Specialization, SysPart" },
	{ "confine", "Confine" },
	{ "both", "sysfilter, Temporal Specialization, SysPart; Confine" },
	{ "record", "the CVE's record" },
};

static const char *source_name(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (strcmp(sources[i].word, word) == 0)
			return sources[i].name;
	return NULL;
}

/* The first four words. */
static int read_head(struct data_text *line, struct score_cve *c)
{
	char word[4][DATA_WORD];

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (data_word(line, word[i]) <= 0)
			return -EINVAL;
	if (strlen(word[0]) >= sizeof(c->id))
		return -EINVAL;
	memcpy(c->id, word[0], strlen(word[0]) + 1);
	c->source = source_name(word[1]);
	c->any = strcmp(word[2], "any") == 0;
	c->group = data_subsystem_name(word[3]);
	return c->source && c->group && (c->any || strcmp(word[2], "all") == 0) ? 0 : -EINVAL;
}

static int read_arg(const char *text, uint64_t *ret)
{
	char *end;

	*ret = strtoull(text, &end, 0);
	return *ret && !*end ? 0 : -EINVAL;
}

/* "i386:call": of that ABI alone. */
static int add_of_abi(const char *word, const char *colon, struct sysset *calls)
{
	char name[DATA_WORD] = "";
	enum tamis_abi abi;
	int nr;

	memcpy(name, word, (size_t)(colon - word));
	if (abi_from_name(name, &abi) < 0)
		return -EINVAL;
	nr = calls_number(abi, colon + 1);
	if (nr < 0)
		return -EINVAL;
	sysset_add(&calls[abi], (unsigned)nr);
	return 0;
}

static int add_word(const char *word, struct score_cve *c)
{
	static const char arg[] = "arg0=";
	struct sysset left_out[TAMIS_ABI_MAX] = { 0 };
	const char *colon = strchr(word, ':');

	if (strncmp(word, arg, strlen(arg)) == 0)
		return read_arg(word + strlen(arg), &c->arg0);
	if (word[0] == '-')
		return data_add_call(word + 1, left_out);
	if (colon)
		return add_of_abi(word, colon, c->calls);
	return data_add_call(word + (word[0] == '+'), c->calls);
}

static bool has_call(const struct score_cve *c, const char *name)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, name);

		if (nr >= 0 && sysset_has(&c->calls[abi], (unsigned)nr))
			return true;
	}
	return false;
}

static int read_cve(struct data_text *line, struct score_cve *ret)
{
	struct score_cve c = { 0 };
	char word[DATA_WORD];
	int r = read_head(line, &c);

	if (r < 0)
		return r;
	while ((r = data_word(line, word)) > 0)
		if (add_word(word, &c) < 0)
			return -EINVAL;
	c.execve = has_call(&c, "execve") || has_call(&c, "execveat");
	*ret = c;
	return r;
}

static size_t count_lines(void)
{
	struct data_text text = data_text_cves(), line;
	size_t cnt = 0;

	while (data_line(&text, &line))
		cnt++;
	return cnt;
}

int data_risk(struct score_risk *ret)
{
	struct data_text text = data_text_cves(), line;
	_free_ struct score_cve *cve = calloc(count_lines() + 1, sizeof(*cve));
	size_t cnt = 0;
	int r;

	if (!cve)
		return -ENOMEM;
	while (data_line(&text, &line)) {
		r = read_cve(&line, &cve[cnt++]);
		if (r < 0)
			return r;
	}
	r = data_guard(ret->guard);
	if (r < 0)
		return r;
	ret->cve = TAKE_PTR(cve);
	ret->cnt = cnt;
	return 0;
}

void data_risk_done(struct score_risk *r)
{
	free(TAKE_PTR(r->cve));
	r->cnt = 0;
}
