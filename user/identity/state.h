/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that engines keep, read as something a stranger may have put there: only regular
 * files of the owner that the path implies, only below the engine's own directory, bounded.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define STATE_FILE_MAX	  (8U << 20)  /* config.json and the like */
#define STATE_STORAGE_MAX (32U << 20) /* containers.json, images.json: all containers of a host */

/* An engine's directory. */
struct state {
	int dir;
	uid_t uid; /* who must own it and every file in it */
};

#define STATE_INIT ((struct state){ .dir = -1 })

/* Opens the directory `path` (absolute, as the engine names it; an administrator's symlinks
 * are followed, never out of `root`). -EPERM when it isn't owned by uid. */
int state_open(const char *root, uid_t uid, const char *path, struct state *ret);
void state_done(struct state *s);
static inline void state_donep(struct state *s)
{
	state_done(s);
}
#define _state_ __attribute__((cleanup(state_donep)))

/* A uid of the host as it shows here: in a user namespace (rootless engines' hooks run in one) it is
 * another, or the overflow uid where it isn't mapped. And who we are on the host. */
uid_t state_uid_here(uid_t uid);
uid_t state_uid_of_host(void);

/* Reads a file below it: no symlink on the way, regular, of the right owner, at most max bytes; of
 * a user's a part of that, for whoever can make cgroups can have it read again and again. Never
 * waits for anybody (-EAGAIN when its owner holds a lease on it). Caller frees. */
#define STATE_USERS_SHARE 8
int state_read(const struct state *s, const char *path, size_t max, char **ret, size_t *ret_len);

/* Whether a directory of the right owner lies there. */
bool state_has_dir(const struct state *s, const char *path);

/* Its entries, by a stream of its own. NULL and errno. */
DIR *state_list(const struct state *s);

/* state_open, state_read, state_done. */
int state_read_at(const char *root, uid_t uid, const char *dir, const char *path, size_t max,
		  char **ret, size_t *ret_len);

/* Home directory of uid: by getpwuid_r, or with a root by its etc/passwd. Caller frees. */
int state_home(const char *root, uid_t uid, char **ret);
