/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by docker_base.c (the file as a whole) and docker_narrow.c (its entries). */
#pragma once

#include "emit/emit.h"
#include "emit/oci_json.h"

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

/* "syscalls" of the base as the policy narrows it. */
int docker_entries(const struct docker_base *b, const struct filter *filter, json_t **ret);
