/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. Negative errno on failure; outputs untouched then. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Reads all of a file (relative to dirfd; AT_FDCWD allowed), at most `max` bytes: -EFBIG
 * beyond. *ret is NUL-terminated (the NUL not counted in *ret_len, which may be NULL). */
int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len);
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Replaces `path` at once: staged beside it (O_EXCL, random name), fsynced, renamed, its
 * directory fsynced. On any failure the old file is as it was and no stage is left. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode);

/* mkdir -p: makes missing directories with `mode`; an existing one is left as it is. */
int file_mkdirs(const char *path, mode_t mode);
