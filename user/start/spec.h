/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime-spec config.json, of which one value is exchanged and every other byte stays: 64-bit
 * integers, unknown, duplicate and escaped keys, order, space. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define SPEC_MAX   (8u << 20) /* bytes */
#define SPEC_DEPTH 64

struct spec {
	const char *text; /* borrowed */
	size_t len;
	char *seccomp; /* linux.seccomp's text, NULL: absent or null. Of duplicates the last, which is
			  the one that Go and jansson take */
	size_t seccomp_len;
	bool has_linux; /* an object */
	bool no_new_privs;
	bool privileged; /* process.capabilities.bounding has CAP_SYS_ADMIN and CAP_SYS_MODULE */
	char *cgroups_path, *root_path; /* NULL: not there */
};

/* -EINVAL with a sentence (caller frees) for what isn't one JSON object, is too large or deep, has
 * bytes that aren't UTF-8, or a key that Go's decoder would take for "linux" or "seccomp" and others
 * wouldn't ("Linux"). */
int spec_read(const char *text, size_t len, struct spec *ret, char **ret_why);
void spec_done(struct spec *s);
static inline void spec_donep(struct spec *s)
{
	spec_done(s);
}
#define _spec_ __attribute__((cleanup(spec_donep)))

/* The text with every linux.seccomp (duplicates too) replaced by `seccomp`; a linux object that has
 * none gets one at its end, so that it doesn't matter which of two a reader takes. -ENOENT when there
 * is no linux object. Caller frees. */
int spec_splice(const struct spec *s, const char *seccomp, char **ret, size_t *ret_len);

/* A profile's JSON as it is to stand in a spec: `ours` with flags, listenerPath and listenerMetadata
 * of the engine's own (NULL: none) when it has them. Compact. Caller frees. */
int spec_profile(const char *ours, const char *engine, size_t engine_len, char **ret);

/* The same for a profile that asks: `listener` is its listenerPath. -EBUSY where the engine's own
 * profile has one. wait_killable: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is one of its flags. */
int spec_profile_asking(const char *ours, const char *engine, size_t engine_len,
			const char *listener, bool wait_killable, char **ret);
