/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of workloads: "ENGINE/PART/PART", for what a user other than root runs
 * "ENGINE/~UID/PART/PART", so that nobody can take another's key by a name. A key is safe as
 * a file's relative name and on a terminal: bytes outside [A-Za-z0-9._:@+=,~\-], a part that
 * is "." or "..", a '~' or "id:" at a part's start are written as %XX.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Longer keys are cut here and end in "%+" and a hash of the whole. */
#define KEY_MAX 1024

/* Each part is one component: a '/' in it is escaped. parts end with NULL. -ENOMEM. */
int key_parts(const char *engine, uid_t uid, const char *const parts[], char **ret);

/* For what has no name: "ENGINE/IMAGE#ENTRY", the '/' of the image kept. */
int key_image(const char *engine, uid_t uid, const char *image, const char *entry, char **ret);

/* For what has nothing: "ENGINE/id:" and the first 12 bytes of the container's id. */
int key_id(const char *engine, uid_t uid, const char *id, char **ret);

/* A cgroup's path, '/' kept: "ENGINE/a/b". */
int key_path(const char *engine, const char *path, size_t len, char **ret);
