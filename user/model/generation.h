/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A numbered, immutable policy of one workload: what was learned until it was made, and what a
 * person said. Nothing about a runtime or an engine's profile: these are met at each start.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/learned.h"

/* What a workload is under. */
enum policy_mode {
	MODE_OBSERVE,
	MODE_SHADOW, /* observe, and report what the generation would have refused */
	MODE_ENFORCE,
	MODE_PROBATION, /* enforce, but what nobody learned asks (tamis-keeper); after ENFORCE, since
			   stores keep the number */
	MODE_MAX,
};

const char *policy_mode_name(enum policy_mode m); /* "observe", "shadow", "enforce", "probation" */
int policy_mode_from_name(const char *name, enum policy_mode *ret);

/* What a workload in probation is answered when it makes a call that nobody learned. */
enum probation_rule {
	PROBATION_LEARN, /* goes on; learned */
	PROBATION_ASK,	 /* refused; pending until `tamis allow` */
	PROBATION_DENY,	 /* refused, and noted as a denial */
	PROBATION_MAX,
};

const char *probation_rule_name(enum probation_rule r); /* "learn", "ask", "deny" */
int probation_rule_from_name(const char *name, enum probation_rule *ret);

#define GENERATION_DIGEST_MAX 72 /* "sha256:", 64 hex digits, NUL */
#define GENERATION_IMAGES_MAX 64

enum generation_state {
	GENERATION_TRIAL,  /* no start has shown yet that it lets the workload live */
	GENERATION_GOOD,   /* a start lived through its trial, or a person said so */
	GENERATION_FAILED, /* a trial ended badly; never chosen again by itself */
	GENERATION_STATE_MAX,
};

const char *generation_state_name(enum generation_state s); /* "trial", "good", "failed" */
int generation_state_from_name(const char *name, enum generation_state *ret);

/* Owns its strings; {0} is an empty one. */
struct generation {
	uint32_t number; /* 1.. within its workload */
	int64_t created; /* seconds since the epoch */
	char *maker;	 /* who or what made it: "root", "uid 1000", "auto: podman/web*" */
	char digest[GENERATION_DIGEST_MAX];
	char **image; /* digests of the images it was learned from, sorted; none: not known */
	size_t image_cnt;
	/* Processes that leave the unit are bound too: all calls but the guarded ones pass. */
	bool descendants;
	struct learned learned;		     /* setup is empty; without what is pending or denied */
	struct sysset denied[TAMIS_ABI_MAX]; /* refused whoever else needs them */
	struct sysset denied_eperm[TAMIS_ABI_MAX]; /* of these: with EPERM (model/compose.h, 5) */
	struct evidence evidence;
	enum generation_state state;
	char *failed; /* why it failed, and on which call if that is known; NULL: it didn't */
};

void generation_done(struct generation *g);
static inline void generation_donep(struct generation *g)
{
	generation_done(g);
}
#define _generation_ __attribute__((cleanup(generation_donep)))

/* A deep copy. -ENOMEM. */
int generation_copy(const struct generation *g, struct generation *ret);
/* -E2BIG beyond GENERATION_IMAGES_MAX, where the newest are what counts. */
int generation_add_image(struct generation *g, const char *digest);
bool generation_has_image(const struct generation *g, const char *digest);

/* Fills g->digest: SHA-256 (FIPS 180-4) of the sets, denials and `descendants` in a canonical text.
 * Equal contents have equal digests on every machine. -ENOMEM. */
int generation_digest(struct generation *g);
