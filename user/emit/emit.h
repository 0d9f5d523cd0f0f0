/* SPDX-License-Identifier: Apache-2.0 */
/* One output format per file, behind one table. */
#pragma once

#include <stdio.h>

#include "base/cleanup.h"
#include "model/policy.h"

struct emit_options {
	/* names: stages to print, 1 << enum tamis_stage; 0 = the workload stage */
	uint32_t stages;
};

struct emit_format {
	const char *name; /* "oci" */
	const char *what; /* one line for --help */
	/* What this format can't say, NULL-terminated sentences; the text format prints those of
	 * all formats that apply to the policy, export prints them as warnings. */
	const char *const *limits;
	/* Writes the whole policy. Same policy and options, same bytes. Negative errno:
	 * -EOPNOTSUPP where the policy can't be said at all. */
	int (*write)(const struct policy *p, const struct emit_options *o, FILE *f);
};

/* NULL-name terminated: oci, text, names, bpf, pfc. */
extern const struct emit_format emit_formats[];
const struct emit_format *emit_find(const char *name);

/* Reads an OCI/docker/podman seccomp profile, extended keys included (archMap, defaultErrno,
 * includes/excludes evaluated with `caps` and this build's architecture). At most 4 MiB, 32
 * levels deep. `caps`: names of capabilities held, NULL-terminated, may be NULL (none held).
 * Names no table knows are counted in *ret_unknown (may be NULL). On failure -EINVAL (or -EFBIG,
 * -ENOENT, ...) and one sentence naming the thing in *ret_why (caller frees; never NULL then). */
int oci_read(const char *path, const char *const *caps, struct filter **ret, unsigned *ret_unknown,
	     char **ret_why);
int oci_parse(const char *text, size_t len, const char *const *caps, struct filter **ret,
	      unsigned *ret_unknown, char **ret_why);

/* The filter through libseccomp: one context per ABI, merged; KILL_PROCESS for foreign ABIs,
 * CTL_OPTIMIZE=2. Raw numbers libseccomp has no name for are kept. `*ret` is scmp_filter_ctx. */
int scmp_build(const struct filter *f, void **ret);
