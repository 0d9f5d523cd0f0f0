/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules by which the daemon applies by itself: sections [auto PATTERN] of the configuration, the
 * first that matches a workload's key speaks for it. Without one nothing is applied.
 */
#pragma once

#include "apply/ways.h"
#include "learn/auto_wait.h"
#include "learn/probation.h"
#include "policy/mines.h"

struct auto_rule {
	char *pattern; /* fnmatch(3) on the key, without FNM_PATHNAME */
	/* MODE_OBSERVE: opted out, `tamis apply` asks for --force too. MODE_PROBATION asks for
	 * neither a start nor a call that was seen: what is missing asks. */
	enum policy_mode mode;
	int64_t observe_s; /* observed at least so long, */
	uint64_t starts;   /* with at least so many starts, */
	int64_t quiet_s;   /* and no new call for so long, */
	unsigned coverage; /* and so many per cent known, at the least that may be true; 0: any */
};
#define AUTO_MAKER	  "auto: " /* how the maker of a rule's generation begins */
#define AUTO_OBSERVE_S	  86400
#define AUTO_STARTS	  2
#define AUTO_QUIET_S	  43200
#define AUTO_RULES_MAX	  256
#define AUTO_COVERAGE_MAX 99 /* nobody knows all of it */

struct auto_rules {
	struct auto_rule *rule;
	size_t cnt;
};
const struct auto_rule *auto_find(const struct auto_rules *r, const char *key);

struct auto_when {
	int64_t now, last_new;	 /* of a call, for the first time */
	const struct naps *naps; /* no time that is counted; NULL: there were none */
};
/* Pure: whether the rule is satisfied; else what it waits for, in *ret_why (at least 128 bytes). */
bool auto_is_due(const struct auto_rule *r, const struct store_row *row,
		 const struct auto_when *when, char *ret_why, size_t room);
/* The part of it that is about time: watched for so long, without news for so long. */
bool auto_is_quiet(const struct auto_rule *r, const struct store_row *row,
		   const struct auto_when *when, char *ret_why, size_t room);
/* The same of the coverage that it asks for; `c` NULL: nothing was estimated yet. */
bool auto_is_covered(const struct auto_rule *r, const struct store_coverage *c, char *ret_why,
		     size_t room);

/* When a workload made a call of its policy for the first time, last; 0: it made none. */
int auto_last_new(struct store *s, int64_t workload, int64_t *ret);

struct auto_options {
	struct store *store;
	const struct ways *ways;
	const struct auto_rules *rules;
	bool keep_new_image, probe_new_image;
	/* In probation. */
	const struct probation_rules *probation; /* NULL: learn */
	/* An image that no generation knows is observed for the rule's `observe` before one knows it,
	 * counted here; never NULL. */
	struct auto_wait *wait;
	void (*say)(void *arg, const char *key, const char *line);
	void *arg;
};
/* Makes and applies generations for the workloads that are due and whose newest generation isn't what
 * was learned; one transaction each. A generation that failed isn't made again until more was
 * learned. Nor does a rule go on where a person has made the newest one, or take back what is
 * enforced or in probation: observe, shadow, probation, enforce is the only way. Negative errno: of the first workload that has to wait for the next time. */
int auto_apply(const struct auto_options *o, int64_t now);
