/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside, bounded before it is parsed; typed access that says what is wrong. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define OCI_MAX_SIZE  (4u << 20)
#define OCI_MAX_DEPTH 32

/* Integers beyond INT64_MAX, which jansson refuses, come as strings of digits. */
int oci_json_load(const char *text, size_t len, json_t **ret, char **ret_why);

/* All set one sentence and return -EINVAL. `path` names the thing ("syscalls[3].action"). */
int oci_fail(char **ret_why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* These leave *ret alone when the value is missing or null, unless it is `must`. */
int oci_string(const json_t *o, const char *path, const char *key, bool must, const char **ret,
	       char **ret_why);
int oci_uint(const json_t *o, const char *path, const char *key, uint64_t max, bool must,
	     uint64_t *ret, char **ret_why);
int oci_array(const json_t *o, const char *path, const char *key, json_t **ret, char **ret_why);
int oci_object(const json_t *o, const char *path, const char *key, json_t **ret, char **ret_why);
/* An array's i-th item as a string. */
int oci_item(const json_t *array, size_t i, const char *path, const char *key, const char **ret,
	     char **ret_why);
