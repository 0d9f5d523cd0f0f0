/* SPDX-License-Identifier: Apache-2.0 */
#include "model/generation.h"

#include <errno.h>
#include <sha2.h>
#include <string.h>

#include "base/stream.h"
#include "model/abi.h"

static const char *const modes[] = {
	[MODE_OBSERVE] = "observe",
	[MODE_SHADOW] = "shadow",
	[MODE_ENFORCE] = "enforce",
	[MODE_PROBATION] = "probation",
};
_Static_assert(ARRAY_SIZE(modes) == MODE_MAX, "a name for each mode");

static const char *const rules[] = {
	[PROBATION_LEARN] = "learn",
	[PROBATION_ASK] = "ask",
	[PROBATION_DENY] = "deny",
};
_Static_assert(ARRAY_SIZE(rules) == PROBATION_MAX, "a name for each rule");

static const char *const states[] = {
	[GENERATION_TRIAL] = "trial",
	[GENERATION_GOOD] = "good",
	[GENERATION_FAILED] = "failed",
};
_Static_assert(ARRAY_SIZE(states) == GENERATION_STATE_MAX, "a name for each state");

static int find_name(const char *const *names, unsigned cnt, const char *name)
{
	for (unsigned i = 0; i < cnt; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -ENOENT;
}

const char *policy_mode_name(enum policy_mode m)
{
	return (unsigned)m < MODE_MAX ? modes[m] : "?";
}

int policy_mode_from_name(const char *name, enum policy_mode *ret)
{
	int i = find_name(modes, MODE_MAX, name);

	if (i < 0)
		return i;
	*ret = (enum policy_mode)i;
	return 0;
}

const char *probation_rule_name(enum probation_rule r)
{
	return (unsigned)r < PROBATION_MAX ? rules[r] : "?";
}

int probation_rule_from_name(const char *name, enum probation_rule *ret)
{
	int i = find_name(rules, PROBATION_MAX, name);

	if (i < 0)
		return i;
	*ret = (enum probation_rule)i;
	return 0;
}

const char *generation_state_name(enum generation_state s)
{
	return (unsigned)s < GENERATION_STATE_MAX ? states[s] : "?";
}

int generation_state_from_name(const char *name, enum generation_state *ret)
{
	int i = find_name(states, GENERATION_STATE_MAX, name);

	if (i < 0)
		return i;
	*ret = (enum generation_state)i;
	return 0;
}

void generation_done(struct generation *g)
{
	for (size_t i = 0; i < g->image_cnt; i++)
		free(g->image[i]);
	free(g->image);
	free(g->maker);
	free(g->failed);
	*g = (struct generation){ 0 };
}

/* NULL stays NULL. */
static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

int generation_copy(const struct generation *g, struct generation *ret)
{
	_generation_ struct generation copy = *g;
	int r;

	/* What is the original's must not be freed with the copy. */
	copy.image = NULL;
	copy.image_cnt = 0;
	copy.failed = NULL;
	r = copy_text(g->maker, &copy.maker);
	if (r == 0)
		r = copy_text(g->failed, &copy.failed);
	for (size_t i = 0; r == 0 && i < g->image_cnt; i++)
		r = generation_add_image(&copy, g->image[i]);
	if (r < 0)
		return r;
	*ret = copy;
	copy = (struct generation){ 0 };
	return 0;
}

/* Where the digest is, or would be. */
static size_t image_at(const struct generation *g, const char *digest, bool *ret_there)
{
	size_t i = 0;

	while (i < g->image_cnt && strcmp(g->image[i], digest) < 0)
		i++;
	*ret_there = i < g->image_cnt && strcmp(g->image[i], digest) == 0;
	return i;
}

int generation_add_image(struct generation *g, const char *digest)
{
	_free_ char *copy = NULL;
	bool there;
	size_t at = image_at(g, digest, &there);
	char **grown;

	if (there)
		return 0;
	if (g->image_cnt >= GENERATION_IMAGES_MAX)
		return -E2BIG;
	copy = strdup(digest);
	grown = reallocarray(g->image, g->image_cnt + 1, sizeof(*grown));
	if (grown)
		g->image = grown;
	if (!grown || !copy)
		return -ENOMEM;
	memmove(&grown[at + 1], &grown[at], (g->image_cnt - at) * sizeof(*grown));
	grown[at] = TAKE_PTR(copy);
	g->image_cnt++;
	return 0;
}

bool generation_has_image(const struct generation *g, const char *digest)
{
	bool there;

	(void)image_at(g, digest, &there);
	return there;
}

/* "workload x86_64 0 1 2": by number, as names come and go with the tables. */
static void print_sets(const char *of, const struct sysset set[TAMIS_ABI_MAX], FILE *f)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (sysset_is_empty(&set[abi]))
			continue;
		fprintf(f, "%s %s", of, abi_name((enum tamis_abi)abi));
		for (int nr = sysset_next(&set[abi], 0); nr >= 0;
		     nr = sysset_next(&set[abi], (unsigned)nr + 1))
			fprintf(f, " %d", nr);
		fputc('\n', f);
	}
}

static int print_canonical(const struct generation *g, char **ret, size_t *ret_len)
{
	FILE *f = stream_open(ret, ret_len);

	if (!f)
		return -ENOMEM;
	fputs("tamis generation 1\n", f);
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		print_sets(stage_name((enum tamis_stage)stage), g->learned.set[stage], f);
	print_sets("denied", g->denied, f);
	print_sets("denied-eperm", g->denied_eperm, f); /* none before it could be said */
	if (g->descendants)
		fputs("descendants\n", f);
	return fclose(f) == 0 ? 0 : -ENOMEM;
}

int generation_digest(struct generation *g)
{
	static const char prefix[] = "sha256:";
	_free_ char *text = NULL;
	char hex[SHA256_DIGEST_STRING_LENGTH];
	size_t len = 0;
	int r = print_canonical(g, &text, &len);

	_Static_assert(sizeof(prefix) - 1 + sizeof(hex) <= GENERATION_DIGEST_MAX, "digest fits");
	if (r < 0)
		return r;
	SHA256Data((const uint8_t *)text, len, hex);
	snprintf(g->digest, sizeof(g->digest), "%s%s", prefix, hex);
	return 0;
}
