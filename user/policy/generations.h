/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the store that is about enforcing: generations, what is applied, what a person
 * allowed or denied, images seen. Errors and transactions as in policy/store.h: what changes
 * something is called inside one.
 */
#pragma once

#include "model/generation.h"
#include "model/guard.h"
#include "policy/store.h"

/* What is applied to a workload: in the store, and (apply/applied.h) in its file. */
struct store_applied {
	enum policy_mode mode;
	uint32_t generation;  /* 0 in observe */
	uint32_t good;	      /* the newest good one before it; 0: the engine's own profile */
	bool replace;	      /* the engine's own profile is ignored */
	bool unconfined;      /* also where the engine's container is unconfined or privileged */
	bool keep_new_image;  /* on-new-image = keep */
	bool probe_new_image; /* on-new-image = probation; not with keep_new_image */
	enum probation_rule rule; /* in probation */
	int64_t since;
};

/* Adds the next number, digest filled in; g->number is set. One with the same digest as the newest
 * and no image that it doesn't know is not made again: its number, and 1 is returned. */
int store_generation_add(struct store *s, int64_t workload, struct generation *g);
/* *ret is done first, and filled. -ENOENT. */
int store_generation_get(struct store *s, int64_t workload, uint32_t number,
			 struct generation *ret);
/* All, oldest first. Caller does each, frees the array. */
int store_generations(struct store *s, int64_t workload, struct generation **ret, size_t *ret_cnt);
/* The one thing of it that changes. `failed` with GENERATION_FAILED only. */
int store_generation_state(struct store *s, int64_t workload, uint32_t number,
			   enum generation_state state, const char *failed);

int store_applied_set(struct store *s, int64_t workload, const struct store_applied *a);
int store_applied_get(struct store *s, int64_t workload, struct store_applied *ret);
/* Every workload that isn't in observe. Caller frees. */
int store_applied_list(struct store *s, int64_t **ret_workloads, size_t *ret_cnt);

/* 0: no verdict any more. */
enum store_verdict { VERDICT_NONE, VERDICT_ALLOW, VERDICT_DENY };
int store_verdict_set(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr,
		      enum store_verdict v, int64_t now);
/* What mining found not to be needed: a denial with an errno (ENOSYS or EPERM), which a person's word
 * replaces, and which never replaces a person's word. 1: a person had spoken. */
int store_verdict_mined(struct store *s, int64_t workload, enum tamis_abi abi, uint32_t nr,
			uint32_t errno_ret, int64_t now);
/* Takes all of these back, before a workload is mined anew. */
int store_verdict_unmine(struct store *s, int64_t workload);
/* A call that mining denied, and that was made otherwise than in a mining run: what the tests show isn't
 * all that the workload does. (A filter that refuses it shows in denials instead.) */
struct store_made {
	enum tamis_abi abi;
	uint32_t nr;
	int64_t last; /* true to the unit */
};
/* Those of `mined` (TAMIS_ABI_MAX sets), sorted by (abi, nr). Caller frees. */
int store_made_after_all(struct store *s, int64_t workload, const struct sysset *mined,
			 struct store_made **ret, size_t *ret_cnt);
int store_verdicts(struct store *s, int64_t workload, struct verdicts *ret);

/* Digests of images that a workload was seen with, the newest GENERATION_IMAGES_MAX, sorted. */
int store_images(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt);

/* A workload by its key or alias, exactly. -ENOENT. */
int store_workload_id(struct store *s, const char *key, int64_t *ret);
