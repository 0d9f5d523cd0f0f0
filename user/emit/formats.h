/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder know of one another. */
#pragma once

#include "emit/emit.h"

int oci_write(const struct policy *p, const struct emit_options *o, FILE *f);
int docker_write(const struct policy *p, const struct emit_options *o, FILE *f);
int spo_write(const struct policy *p, const struct emit_options *o, FILE *f);
int systemd_write(const struct policy *p, const struct emit_options *o, FILE *f);
int label_write(const struct policy *p, const struct emit_options *o, FILE *f);
int annotation_write(const struct policy *p, const struct emit_options *o, FILE *f);
int text_write(const struct policy *p, const struct emit_options *o, FILE *f);
int names_write(const struct policy *p, const struct emit_options *o, FILE *f);
int bpf_write(const struct policy *p, const struct emit_options *o, FILE *f);
int pfc_write(const struct policy *p, const struct emit_options *o, FILE *f);

extern const struct emit_limit oci_limits[], docker_limits[], spo_limits[], systemd_limits[],
	label_limits[], annotation_limits[], text_limits[], names_limits[], bpf_limits[],
	pfc_limits[];

/* One line of emit_limits, if it applies. */
int limit_say(const char *format, const struct emit_limit *l, const struct policy *p,
	      void (*say)(void *ctx, const char *line), void *ctx);

/* The docker format with a base. */
int docker_narrow(const struct docker_base *b, const struct filter *filter, FILE *out);

/* The runs of f->rule that belong to one call: for (i = 0; i < cnt; i += n) { n = ... }. */
size_t rules_of_call(const struct filter *f, size_t from);
/* Whether some form of the call is let through. */
bool rules_allow(const struct filter_rule *rules, size_t cnt);
/* Whether none is, but somebody is asked about it. */
bool rules_ask(const struct filter_rule *rules, size_t cnt);
bool rules_have_conditions(const struct filter_rule *rules, size_t cnt);

/* ", " before every item but the first. */
struct list {
	FILE *f;
	bool begun;
};
void list_add(struct list *l, const char *item);
void list_add_call(struct list *l, enum tamis_abi abi, uint32_t nr);
/* Calls that ask in some form. */
void list_asking(const struct policy *p, FILE *f);

/* "file system", ..., from policies/groups/calls; "other" for a name it lacks. */
const char *group_of(const char *name);
/* All groups in the order they are shown, NULL-terminated. */
extern const char *const group_names[];

/* The condition as people read it: "arg0 & 0x7e020000 == 0". */
void cond_print(const struct filter_cond *c, FILE *f);
