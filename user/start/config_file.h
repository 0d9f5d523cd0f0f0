/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's config.json, read and replaced by directory descriptor, following no link. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct config_file {
	int dir;	  /* what config.json is in; -1: not open */
	char *path;	  /* of the bundle, absolute */
	char *real;	  /* of another file; NULL: the bundle's own */
	const char *name; /* "config.json" */
	char *text;
	size_t len;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	char *label; /* SELinux's; NULL: none */
	size_t label_len;
};

void config_file_done(struct config_file *b);

/* `config`: another file than the bundle's, relative to the working directory; NULL, or "config.json":
 * the bundle's. Outputs on success only; -ELOOP for a link in the bundle. */
int config_file_open(const char *path, const char *config, size_t max, struct config_file *ret);

/* Staged beside it with the same owner, mode and label, fsynced, renamed over it. On failure it is as
 * it was. */
int config_file_replace(const struct config_file *b, const char *text, size_t len);
