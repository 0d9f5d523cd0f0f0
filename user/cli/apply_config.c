/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/apply_config.h"

#include <errno.h>
#include <ini.h>
#include <string.h>
#include <unistd.h>

#include "apply/reach.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/duration.h"

/* inih keeps this much of a section's name and says nothing about the rest. */
#define SECTION_MAX 48
#define AUTO	    "auto"
#define PROBATION   "probation"
#define STARTS_MAX  1000000
#define TRIAL_S_MIN 5
#define TRIAL_S_MAX 3600

void apply_config_done(struct apply_config *c)
{
	for (size_t i = 0; i < c->rules.cnt; i++)
		free(c->rules.rule[i].pattern);
	for (size_t i = 0; i < c->probation.cnt; i++)
		free(c->probation.list[i].pattern);
	free(c->rules.rule);
	free(c->probation.list);
	free(c->kubelet_dir);
	free(c->keeper);
	*c = (struct apply_config){ .trial_s = APPLIED_TRIAL_S };
}

const char *apply_config_why(int r)
{
	switch (r) {
	case -ENOENT:
		return "no such option";
	case -ENAMETOOLONG:
		return "the pattern is too long for a section's name (use *)";
	case -EILSEQ:
		return "a pattern is made of * and ? here; [ ] can't be in a section's name";
	case -E2BIG:
		return "too many sections of that kind";
	case -EDOM:
		return "nobody can know that it is all (1 to 99)";
	case -ENOMEM:
		return "out of memory";
	default:
		return "not a value for it";
	}
}

static int set_path(char **path, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*path);
	*path = copy;
	return 0;
}

static int set_new_image(struct apply_config *c, const char *value)
{
	bool keep = strcmp(value, "keep") == 0, probe = strcmp(value, "probation") == 0;

	if (!keep && !probe && strcmp(value, "observe") != 0)
		return -EINVAL;
	c->keep_new_image = keep;
	c->probe_new_image = probe;
	return 0;
}

static int set_trial(struct apply_config *c, const char *value)
{
	uint64_t seconds;

	if (text_u64(value, TRIAL_S_MAX, &seconds) < 0 || seconds < TRIAL_S_MIN)
		return -EINVAL;
	c->trial_s = (unsigned)seconds;
	return 0;
}

static int apply_line(struct apply_config *c, const char *key, const char *value)
{
	if (!strcmp(key, "kubelet-dir"))
		return *value == '/' ? set_path(&c->kubelet_dir, value) : -EINVAL;
	if (!strcmp(key, "keeper"))
		return reach_is_path(value) ? set_path(&c->keeper, value) : -EINVAL;
	if (!strcmp(key, "on-new-image"))
		return set_new_image(c, value);
	if (!strcmp(key, "trial"))
		return set_trial(c, value);
	return -ENOENT;
}

static int check_pattern(const char *pattern)
{
	if (!*pattern)
		return -EINVAL;
	return strchr(pattern, '[') ? -EILSEQ : 0;
}

/* Each line names its section: the rule is made at the first. */
static int rule_of(struct auto_rules *rules, const char *pattern, struct auto_rule **ret)
{
	struct auto_rule *grown;
	int r = check_pattern(pattern);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rules->cnt; i++) {
		if (strcmp(rules->rule[i].pattern, pattern) == 0) {
			*ret = &rules->rule[i];
			return 0;
		}
	}
	if (rules->cnt >= AUTO_RULES_MAX)
		return -E2BIG;
	grown = reallocarray(rules->rule, rules->cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rules->rule = grown;
	grown[rules->cnt] = (struct auto_rule){
		.pattern = strdup(pattern),
		.mode = MODE_OBSERVE,
		.observe_s = AUTO_OBSERVE_S,
		.starts = AUTO_STARTS,
		.quiet_s = AUTO_QUIET_S,
	};
	if (!grown[rules->cnt].pattern)
		return -ENOMEM;
	*ret = &grown[rules->cnt++];
	return 0;
}

static int set_starts(struct auto_rule *rule, const char *value)
{
	uint64_t starts;

	if (text_u64(value, STARTS_MAX, &starts) < 0 || !starts)
		return -EINVAL;
	rule->starts = starts;
	return 0;
}

static int set_coverage(struct auto_rule *rule, const char *value)
{
	uint64_t percent;

	if (text_u64(value, 100, &percent) < 0 || !percent)
		return -EINVAL;
	if (percent > AUTO_COVERAGE_MAX)
		return -EDOM;
	rule->coverage = (unsigned)percent;
	return 0;
}

static int auto_line(struct apply_config *c, const char *pattern, const char *key,
		     const char *value)
{
	struct auto_rule *rule;
	int r = rule_of(&c->rules, pattern, &rule);

	if (r < 0)
		return r;
	if (!strcmp(key, "mode"))
		return policy_mode_from_name(value, &rule->mode) < 0 ? -EINVAL : 0;
	if (!strcmp(key, "observe"))
		return duration_parse(value, &rule->observe_s) < 0 ? -EINVAL : 0;
	if (!strcmp(key, "quiet"))
		return duration_parse(value, &rule->quiet_s) < 0 ? -EINVAL : 0;
	if (!strcmp(key, "starts"))
		return set_starts(rule, value);
	if (!strcmp(key, "coverage"))
		return set_coverage(rule, value);
	return -ENOENT;
}

/* Each line names its section: the rule is made at the first. */
static int pattern_of(struct probation_rules *rules, const char *pattern,
		      struct probation_pattern **ret)
{
	struct probation_pattern *grown;
	int r = check_pattern(pattern);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rules->cnt; i++) {
		if (strcmp(rules->list[i].pattern, pattern) == 0) {
			*ret = &rules->list[i];
			return 0;
		}
	}
	if (rules->cnt >= AUTO_RULES_MAX)
		return -E2BIG;
	grown = reallocarray(rules->list, rules->cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rules->list = grown;
	grown[rules->cnt] = (struct probation_pattern){ .pattern = strdup(pattern) };
	if (!grown[rules->cnt].pattern)
		return -ENOMEM;
	*ret = &grown[rules->cnt++];
	return 0;
}

static int probation_line(struct apply_config *c, const char *pattern, const char *key,
			  const char *value)
{
	struct probation_pattern *p;
	int r = pattern_of(&c->probation, pattern, &p);

	if (r < 0)
		return r;
	if (strcmp(key, "rule") != 0)
		return -ENOENT;
	return probation_rule_from_name(value, &p->rule) < 0 ? -EINVAL : 0;
}

/* What follows the kind of a section, "" for nothing; NULL: it is of another kind. */
static const char *pattern_in(const char *section, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(section, kind, len) != 0 || (section[len] && section[len] != ' '))
		return NULL;
	return section + len + strspn(section + len, " ");
}

int apply_config_line(struct apply_config *c, const char *section, const char *key,
		      const char *value)
{
	const char *rule = pattern_in(section, AUTO), *probation = pattern_in(section, PROBATION);

	if (!strcmp(section, "apply"))
		return apply_line(c, key, value);
	if (!rule && !probation)
		return 1;
	if (strlen(section) > SECTION_MAX)
		return -ENAMETOOLONG;
	return rule ? auto_line(c, rule, key, value) : probation_line(c, probation, key, value);
}

struct reading {
	struct apply_config *config;
	const char *path;
	bool failed;
};

/* inih's callback: 0 is "this line is wrong". Other sections are the daemon's. */
static int on_line(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *reading = arg;
	int r = apply_config_line(reading->config, section, key, value);

	if (r >= 0)
		return 1;
	if (!reading->failed)
		log_err("%s: [%s] %s = %s: %s", reading->path, section, key, value,
			apply_config_why(r));
	reading->failed = true;
	return 0;
}

int apply_config_read(const char *path, struct apply_config *ret)
{
	struct apply_config config = { .trial_s = APPLIED_TRIAL_S };
	struct reading reading = { &config, path, false };
	int r = access(path, F_OK) < 0 ? 0 : ini_parse(path, on_line, &reading);

	if (r == 0) {
		*ret = config;
		return 0;
	}
	if (r > 0 && !reading.failed)
		log_err("%s: line %d is not ini syntax", path, r);
	if (r < 0)
		log_err("%s: can't be read", path);
	apply_config_done(&config);
	return -EINVAL;
}
