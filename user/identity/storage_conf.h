/* SPDX-License-Identifier: Apache-2.0 */
/* storage.conf (containers-storage.conf(5)): where podman and CRI-O keep what they know. */
#pragma once

#include <sys/types.h>

/* NULL = not said. */
struct storage_conf {
	char *graphroot; /* containers and images */
	char *runroot;	 /* those of a transient store; CRI-O's running bundles */
	char *rootless;	 /* users' graphroot, with $HOME, $UID, $USER to be filled in */
	char *driver;
};

#define STORAGE_CONF_INIT ((struct storage_conf){ 0 })

void storage_conf_done(struct storage_conf *c);
static inline void storage_conf_donep(struct storage_conf *c)
{
	storage_conf_done(c);
}
#define _storage_conf_ __attribute__((cleanup(storage_conf_donep)))

/* Takes the fields that are still NULL out of the file's text. */
void storage_conf_parse(const char *text, struct storage_conf *c);

/* What holds for uid by the files below root and by default: all but rootless, and driver where
 * nothing is said of it, are set. -ENOENT for a user without a home, -ENOMEM. */
int storage_conf_find(const char *root, uid_t uid, struct storage_conf *ret);

/* "$HOME/x/$UID" for a user; NULL unless it comes to an absolute path. Caller frees. */
char *storage_conf_expand(const char *text, const char *home, uid_t uid);
