/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by docker_base.c (the file as a whole), docker_group.c (a name under its terms) and
 * docker_narrow.c (its entries). */
#pragma once

#include "emit/emit.h"
#include "emit/oci_json.h"
#include "emit/oci_names.h"

struct docker_base {
	json_t *root; /* valid: oci_parse took it, and every entry has names */
	enum filter_action default_action;
	uint32_t default_errno;
};

/* Of "names" or "name". */
size_t docker_name_cnt(const json_t *entry);
json_t *docker_name(const json_t *entry, size_t i);

/* Whether its action lets calls through. */
bool docker_passes(const json_t *entry);

/* Adds the conditions and the action of syscalls[i] as rules of call 0 of ABI 0. */
int docker_base_rules(const struct docker_base *b, size_t i, struct filter *ret);

bool docker_has_name(const json_t *entry, const char *name);
/* Both apply when the other does. */
bool docker_same_terms(const json_t *a, const json_t *b);
/* All that the base says of the name under the terms of an entry, as rules of call 0 of ABI 0. */
int docker_group_read(const struct docker_base *b, const json_t *entry, const char *name,
		      struct filter **ret);
/* What that and the policy both let through, and the refusals of the base. */
int docker_group_meet(const struct filter *group, const struct oci_call *c, struct filter **ret);
/* Their rules that let something through are the same. */
bool docker_passes_same(const struct filter *a, const struct filter *b);

/* "syscalls" of the base as the policy narrows it. */
int docker_entries(const struct docker_base *b, const struct filter *filter, json_t **ret);
