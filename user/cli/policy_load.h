/* SPDX-License-Identifier: Apache-2.0 */
/* From a workload's name to its policy: store, data, compose. For the commands; logs what
 * goes wrong. */
#pragma once

#include "model/guard.h"
#include "model/policy.h"
#include "policy/store.h"

#define POLICY_RUNTIMES_MAX 16

struct policy_shared;

struct policy_options {
	const char *state; /* NULL: DEFAULT_STATE_DIR */
	/* Whose gate goes in ("runc", "crun@1.8"); none: the runtimes installed here, else all. */
	const char *runtime[POLICY_RUNTIMES_MAX];
	unsigned runtime_cnt;
	bool without_sessions;
	/* The engine's own profile; NULL: podman's where it has one, for its containers. */
	const char *engine_profile;
	bool widen; /* model/widen.h */
	bool other_machine;
	enum tamis_abi machine; /* with other_machine: its native ABI */
	/* What is read of policies/ and of engines' profiles is kept there for the next one; NULL: isn't.
	 * For options that are the same but for `denied`. */
	struct policy_shared *shared;
	/* TAMIS_ABI_MAX sets: refused whoever asks for them, and those of them with EPERM; NULL: none */
	const struct sysset *denied, *denied_eperm;
};

/* Options' values (cli/options.h): ctx is a struct policy_options. Negative errno, having logged
 * why. */
int policy_take_runtime(const char *spec, void *ctx);
int policy_take_machine(const char *name, void *ctx);
/* The native ABI of the machine that the policy is for. */
enum tamis_abi policy_machine(const struct policy_options *o);

/* What was learned and said, and what of it a policy is made of. */
struct policy_calls {
	struct learned learned, seen;
	struct verdicts said;
	struct sysset pending[TAMIS_ABI_MAX]; /* seen, and waiting for a person's word */
	struct sysset gate_unknown[TAMIS_ABI_MAX];
	struct sysset lost[TAMIS_ABI_MAX]; /* the other machine has none like them */
};

/* Takes out of `learned` what nobody allowed, then widens it and brings it to another machine as the
 * options ask; `said` goes there too. Fills the rest, `seen` with
 * `learned` as it was. Negative errno, having logged why. */
int policy_sift(const struct policy_options *o, struct policy_calls *c);
/* What a policy says of them. */
void policy_borrow(const struct policy_calls *c, struct policy *p);
/* Sets of this machine to those of the options' (TAMIS_ABI_MAX sets; ret_lost may be NULL). */
int policy_translate(const struct policy_options *o, struct sysset *sets, struct sysset *ret_lost);

/* The filter for what was learned under `engine` (NULL: none), and the runtimes whose gate is in
 * it. Caller frees both. Negative errno, having logged why. */
int policy_compose(const struct policy_options *o, const char *engine,
		   const struct learned *learned, struct filter **ret, char **ret_runtimes);

int policy_shared_new(struct policy_shared **ret);
void policy_shared_free(struct policy_shared *s);
CLEANUP_DEFINE(struct policy_shared *, policy_shared_free);

/* What a container gets that asks for nothing: podman's profile where it is installed, else what the
 * engines' profiles have in common (policies/engine, policies/guard). *ret_name says which; static,
 * or o's. Caller frees the filter. Negative errno, having logged why. */
int policy_default(const struct policy_options *o, struct filter **ret, const char **ret_name);

/* What a policy borrows from. */
struct policy_loaded {
	struct policy policy;
	struct store_row row;
	struct policy_calls calls;
	struct policy_origin *origin;
	struct filter *filter;
	char *runtimes;
};

/* The policy of the one workload that `name` means. `ret` must stay where it is. Negative
 * errno, having logged why; *ret is to be given to policy_loaded_done in any case. */
int policy_load(const char *name, const struct policy_options *o, struct policy_loaded *ret);
/* That of a row of an open store. The row is taken. */
int policy_load_row(struct store *s, struct store_row *row, const struct policy_options *o,
		    struct policy_loaded *ret);
void policy_loaded_done(struct policy_loaded *p);
#define _policy_loaded_ __attribute__((cleanup(policy_loaded_done)))
