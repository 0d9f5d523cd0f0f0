/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by oci_read.c (the file as a whole) and oci_entry.c (its rules). */
#pragma once

#include "emit/oci_json.h"
#include "model/filter.h"

#define PATH_ROOM 48 /* of "syscalls[N]." and the like */

struct oci_reader {
	const char *const *caps;
	enum tamis_abi machine; /* the native ABI of where the file is read */
	struct filter *f;
	unsigned unknown;
	char *why;
};

/* An action and the errno that goes with it: keys are those of the action, of the number and
 * of the name, which wins. EPERM where none is given. */
int oci_read_action(struct oci_reader *rd, const json_t *o, const char *path,
		    const char *const keys[3], enum filter_action *ret, uint32_t *ret_errno);

/* Adds the rules of syscalls[i] to the filter. */
int oci_read_entry(struct oci_reader *rd, const json_t *entry, size_t i);
/* Its conditions and action whatever its names are and whenever it applies, as rules of call 0 of
 * ABI 0. */
int oci_entry_rules(struct oci_reader *rd, const json_t *entry, size_t i);
