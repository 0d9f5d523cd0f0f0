/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STATE/applied/KEY.json: what a start needs to know of one workload, and all that tamis-start
 * reads of what was learned. World-readable, replaced at once, versioned. A file that is missing,
 * cut, of another version, not root's, or writable by others says nothing: the start is left as
 * the engine made it.
 */
#pragma once

#include "model/generation.h"

#define APPLIED_VERSION 1 /* probation's members may be missing */
#define KEEPER_SOCKET	"/run/tamis/keeper.sock"
#define APPLIED_MAX	(1u << 20) /* bytes of a file */

struct applied {
	char *key;
	enum policy_mode mode; /* never OBSERVE; SHADOW: nothing is put in place */
	struct generation now;
	bool has_good;
	struct generation
		good; /* the newest good one before `now`; with now.state GOOD not asked */
	bool replace, unconfined, keep_new_image; /* policy/generations.h */
	bool probe_new_image;			  /* on-new-image = probation */
	/* In probation, and for a new image that goes there; else as {0}. tamis-keeper reads these:
	 * they count from the next notification on. */
	enum probation_rule rule;
	struct sysset allowed[TAMIS_ABI_MAX]; /* continue whatever the rule says (`tamis allow`), */
	struct sysset refused[TAMIS_ABI_MAX]; /* and are refused (`tamis deny`, the oracle) */
	/* tamis-keeper's socket, as apply/reach.h has it; NULL: KEEPER_SOCKET */
	char *listener;
	unsigned trial_s; /* how long a trial takes; 60 by default */
};

#define APPLIED_TRIAL_S 60

void applied_done(struct applied *a);
static inline void applied_donep(struct applied *a)
{
	applied_done(a);
}
#define _applied_ __attribute__((cleanup(applied_donep)))

/* The file of a key, relative to STATE: "applied/podman/web.json". Keys are safe as relative names
 * (identity/key.h); checked again. Caller frees. -EINVAL, -ENAMETOOLONG. */
int applied_path(const char *key, char **ret);

/* JSON text, one object, sorted, calls by name ("#NR" where there is none). The same value gives the
 * same bytes. Caller frees. -EINVAL for a listener that can't be one. */
int applied_print(const struct applied *a, char **ret, size_t *ret_len);
/* -EINVAL, -EPROTO (newer version), -EUCLEAN (digest doesn't fit), and a sentence (caller frees). */
int applied_parse(const char *text, size_t len, struct applied *ret, char **ret_why);

/* Writes it below `state`, making directories 0755 and `state` passable (0711) for those that read
 * on behalf of users. -EPERM when `state` or a directory on the way is a symlink, not root's, or
 * writable by others. */
int applied_write(const char *state, const struct applied *a);
/* 0 when there was none. */
int applied_remove(const char *state, const char *key);
/* What is in the file is kept beside it under a hidden name: on a full disk nothing else can be put
 * back. 0 also when there is no file. */
int applied_keep(const char *state, const char *key);
/* What was kept takes its place again; -ENOENT. */
int applied_back(const char *state, const char *key);
/* It is kept no longer. */
void applied_drop(const char *state, const char *key);
/* -ENOENT: nothing is applied. -ENODATA: something is, but its file was taken away. -EPERM as above,
 * whatever the file says; else as applied_parse. Takes no lock, follows no symlink. Inside
 * a user namespace root's files may show as the overflow uid's. */
int applied_read(const char *state, const char *key, struct applied *ret, char **ret_why);
