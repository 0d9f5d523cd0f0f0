/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sanitizer's own calls are taken off from what a twin did, but not from a program that has none. What
 * certainly has none is found out while the twin runs, and kept in STATE/oracle until it is judged: its
 * executables without a word of a sanitizer's run time in them, provided that no process of the twin has
 * one in its maps or its environment. In doubt they are taken off.
 */
#pragma once

#include "model/sysset.h"
#include "policy/store.h"

#define ORACLE_PLAIN "plain"

/* What runs as workload `key`, into `path`: lines of executables, as policy_origin has them. */
int oracle_plain_note(struct store *s, const char *key, const char *path);
/* Calls of a workload that were made first by one of those in every stage: TAMIS_ABI_MAX sets. Empty where
 * there is no such file. */
int oracle_plain_calls(struct store *s, int64_t workload, const char *path,
		       struct sysset ret[TAMIS_ABI_MAX]);

/* An executable below a root that is hostile: 1 it has no sanitizer, 0 it has, negative errno. */
int oracle_plain_exe(int root, const char *path);
