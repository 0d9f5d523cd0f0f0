/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter as the OCI format can say it: rules by name, shared by all ABIs listed. Where ABIs
 * differ on a name the result is the union of what they let through.
 */
#pragma once

#include <stdio.h>

#include "base/cleanup.h"
#include "model/filter.h"
#include "model/policy.h"

struct oci_call {
	const char *name;   /* NULL: a number without a name, alone in its entry */
	enum tamis_abi abi; /* of the first that has rules for it */
	uint32_t nr;
	uint32_t abis;		  /* 1 << enum tamis_abi: those that have rules for the name */
	uint32_t widened;	  /* and those where it gets wider than the filter is */
	bool differs;		  /* a refusal's errno, or a condition, is lost on some ABI */
	struct filter_rule *rule; /* what is said; abi and nr are those of the first */
	size_t rule_cnt;
};

struct oci_names {
	struct oci_call *call; /* sorted by name; those without one come first, by abi and nr */
	size_t cnt;
};

int oci_names_new(const struct filter *f, struct oci_names **ret);
void oci_names_free(struct oci_names *n);
CLEANUP_DEFINE(struct oci_names *, oci_names_free);

/* The names that it is true of, ", " between. */
void oci_list_calls(const struct policy *p, FILE *f,
		    bool (*applies)(const struct filter *f, const struct oci_call *c));
