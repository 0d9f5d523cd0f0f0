/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a directory that appear together: all of them are on the disk before the first has its name. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct export_all;

/* `dir` is made if it is missing. */
int export_all_new(const char *dir, struct export_all **ret);
/* What wasn't committed is gone. */
void export_all_free(struct export_all *e);
CLEANUP_DEFINE(struct export_all *, export_all_free);

/* One more file, DIR/KEY and the suffix; directories in the key are made. -EINVAL for a key that isn't
 * safe as a relative name. */
int export_all_add(struct export_all *e, const char *key, const char *suffix, const void *data,
		   size_t len);
int export_all_commit(struct export_all *e);
