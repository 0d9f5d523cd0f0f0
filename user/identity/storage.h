/* SPDX-License-Identifier: Apache-2.0 */
/* containers/storage, where podman and CRI-O keep names and images. */
#pragma once

#include "identity/slice.h"
#include "identity/state.h"

/* All strings owned; NULL = unknown. */
struct stored {
	char *name;
	char *image;	/* the reference that the user gave */
	char *image_id; /* of the storage */
	char *digest;
};

#define STORED_INIT ((struct stored){ 0 })

void stored_done(struct stored *s);
static inline void stored_donep(struct stored *s)
{
	stored_done(s);
}
#define _stored_ __attribute__((cleanup(stored_donep)))

/* The storage driver of a graph root: the configured one, or that whose directory is there; "" when
 * none is. */
const char *storage_driver(const struct state *s, const char *configured);

/* Looks container `id` up in containers.json and volatile-containers.json of a graph root, then its
 * image's digest in images.json. -ENOENT when none has it. */
int storage_find(const struct state *s, const char *driver, const char *id, struct stored *ret);

/* The same for one text: containers.json (all but the digest), images.json (its digest). */
int storage_parse_container(struct slice text, const char *id, struct stored *ret);
int storage_parse_digest(struct slice text, const char *image_id, char **ret);
