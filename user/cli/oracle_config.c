/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/oracle_config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/duration.h"

#define SECTION	    "oracle"
#define SECTION_MAX 48 /* inih keeps this much of a section's name */

void oracle_config_done(struct oracle_config *c)
{
	for (size_t i = 0; i < c->cnt; i++) {
		free(c->rule[i].pattern);
		free(c->rule[i].hardened);
		free(c->rule[i].production);
		free(c->rule[i].replay);
	}
	free(c->rule);
	free(c->trace);
	*c = (struct oracle_config){ 0 };
}

const struct oracle_rule *oracle_config_find(const struct oracle_config *c, const char *key)
{
	if (oracle_is_twin(key))
		return NULL;
	for (size_t i = 0; i < c->cnt; i++)
		if (fnmatch(c->rule[i].pattern, key, 0) == 0)
			return c->rule[i].hardened ? &c->rule[i] : NULL;
	return NULL;
}

int oracle_config_window(const char *value, uint32_t *ret)
{
	int64_t seconds;

	if (duration_parse(value, &seconds) < 0 || seconds < 1 || seconds > ORACLE_WINDOW_MAX_S)
		return -EINVAL;
	*ret = (uint32_t)seconds;
	return 0;
}

int oracle_config_per_hour(const char *value, uint32_t *ret)
{
	uint64_t n;

	if (text_u64(value, ORACLE_PER_HOUR_MAX, &n) < 0 || n == 0)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int set_text(char **field, const char *value)
{
	char *copy = *value ? strdup(value) : NULL;

	if (!copy)
		return *value ? -ENOMEM : -EINVAL;
	free(*field);
	*field = copy;
	return 0;
}

static int set_production(struct oracle_rule *rule, const char *value)
{
	const char *name = "";

	return oracle_engine_of(value, &name) && *name ? set_text(&rule->production, value)
						       : -EINVAL;
}

static int set_bootstrap(struct oracle_rule *rule, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EINVAL;
	rule->bootstrap = !strcmp(value, "yes");
	return 0;
}

/* Each line names its section: the rule is made at the first. */
static int rule_of(struct oracle_config *c, const char *pattern, struct oracle_rule **ret)
{
	struct oracle_rule *grown;

	if (strchr(pattern, '['))
		return -EILSEQ;
	for (size_t i = 0; i < c->cnt; i++) {
		if (strcmp(c->rule[i].pattern, pattern) == 0) {
			*ret = &c->rule[i];
			return 0;
		}
	}
	if (c->cnt >= ORACLE_RULES_MAX)
		return -E2BIG;
	grown = reallocarray(c->rule, c->cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->rule = grown;
	grown[c->cnt] = (struct oracle_rule){
		.pattern = strdup(pattern),
		.window_s = ORACLE_WINDOW_S,
		.per_hour = ORACLE_PER_HOUR,
	};
	if (!grown[c->cnt].pattern)
		return -ENOMEM;
	*ret = &grown[c->cnt++];
	return 0;
}

static int rule_line(struct oracle_config *c, const char *pattern, const char *key,
		     const char *value)
{
	struct oracle_rule *rule;
	int r = rule_of(c, pattern, &rule);

	if (r < 0)
		return r;
	if (!strcmp(key, "hardened"))
		return set_text(&rule->hardened, value);
	if (!strcmp(key, "production"))
		return set_production(rule, value);
	if (!strcmp(key, "replay"))
		return set_text(&rule->replay, value);
	if (!strcmp(key, "window"))
		return oracle_config_window(value, &rule->window_s);
	if (!strcmp(key, "bootstrap"))
		return set_bootstrap(rule, value);
	if (!strcmp(key, "per-hour"))
		return oracle_config_per_hour(value, &rule->per_hour);
	return -ENOENT;
}

int oracle_config_line(struct oracle_config *c, const char *section, const char *key,
		       const char *value)
{
	size_t len = strlen(SECTION);

	if (strncmp(section, SECTION, len) != 0 || (section[len] && section[len] != ' '))
		return 1;
	if (strlen(section) > SECTION_MAX)
		return -ENAMETOOLONG;
	section += len;
	section += strspn(section, " ");
	if (*section)
		return rule_line(c, section, key, value);
	return !strcmp(key, "trace") ? set_text(&c->trace, value) : -ENOENT;
}
