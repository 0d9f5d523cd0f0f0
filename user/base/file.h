/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. Negative errno on failure; outputs untouched then. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Reads all of a file (relative to dirfd; AT_FDCWD allowed), at most `max` bytes: -EFBIG
 * beyond. *ret is NUL-terminated (the NUL not counted in *ret_len, which may be NULL).
 * file_read_at takes regular files only (/proc and /sys have them too): a FIFO that somebody
 * left there must not hang the reader. file_read also takes pipes and devices. */
int file_read_at(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len);
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);
/* From where an open file stands. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_len);

/* Replaces `path` at once: staged beside it (O_EXCL, random name), fsynced, renamed, its
 * directory fsynced. On any failure the old file is as it was and no stage is left. A symbolic
 * link is followed; a device or pipe (/dev/stdout) is written to as it stands. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode);
/* The same for one name in an open directory, following nothing: a link there is replaced. */
int file_replace_at(int dir, const char *base, const void *data, size_t len, mode_t mode);

/* The same for a place that others may write to: what is there is replaced, whatever it is; a symbolic
 * link goes instead of being followed. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode);

/* mkdir -p: makes missing directories with `mode`; an existing one is left as it is. */
int file_mkdirs(const char *path, mode_t mode);
