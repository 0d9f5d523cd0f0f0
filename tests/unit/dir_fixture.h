/* SPDX-License-Identifier: Apache-2.0 */
/* A directory that goes with its test. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static char dir[32];

static inline int setup(void **state)
{
	strcpy(dir, "/tmp/tamis-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline int teardown(void **state)
{
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *in_dir(const char *name)
{
	char *path = text_format("%s/%s", dir, name);

	assert_non_null(path);
	return path;
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
