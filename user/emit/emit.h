/* SPDX-License-Identifier: Apache-2.0 */
/* One output format per file, behind one table. */
#pragma once

#include <stdio.h>

#include "base/cleanup.h"
#include "model/policy.h"

struct docker_base;

struct emit_options {
	/* names: what was seen in these stages (1 << enum tamis_stage), in the policy or not;
	 * 0: what the workload stage adds to the policy */
	uint32_t stages;
	/* docker: the profile that the policy narrows; NULL: the policy alone */
	const struct docker_base *base;
};

/* Something a format can't say. */
struct emit_limit {
	const char *what; /* a sentence without a period; the format's name goes before it */
	/* Writes the calls it is about, ", " between; nothing when this policy isn't touched.
	 * NULL: touches every policy. */
	void (*calls)(const struct policy *p, FILE *f);
};

struct emit_format {
	const char *name; /* "oci" */
	const char *what; /* one line for --help */
	/* What this format can't say, ends with a NULL `what`. */
	const struct emit_limit *limits;
	/* Writes the whole policy. Same policy and options, same bytes. Negative errno:
	 * -EOPNOTSUPP where the policy can't be said at all. */
	int (*write)(const struct policy *p, const struct emit_options *o, FILE *f);
	/* Limits of another format, which this one has too; NULL: none. */
	const struct emit_limit *also;
};

/* NULL-name terminated. */
extern const struct emit_format emit_formats[];
const struct emit_format *emit_find(const char *name);

/* What a format of the table above writes, in memory, a NUL after it. `o` and `ret_len` may be NULL.
 * Caller frees. -ENOMEM, or what the format says. */
int emit_text(int (*write)(const struct policy *p, const struct emit_options *o, FILE *f),
	      const struct policy *p, const struct emit_options *o, char **ret, size_t *ret_len);

/* Calls `say` with one line ("format: sentence: calls") for each limit of the format that applies
 * to the policy; the text format prints those of all formats, export prints its own as warnings. */
int emit_limits(const struct emit_format *e, const struct policy *p,
		void (*say)(void *ctx, const char *line), void *ctx);

/* The same for what was learned itself, whatever the format: why it can't be enforced, guarded calls
 * that nobody allowed, processes that a filter would follow and learning doesn't, gate calls that no
 * runtime is known to make. */
int emit_caveats(const struct policy *p, void (*say)(void *ctx, const char *line), void *ctx);

/* Reads an OCI/docker/podman seccomp profile, extended keys included (archMap, defaultErrno,
 * includes/excludes evaluated with `caps` and this build's architecture). At most 4 MiB, 32
 * levels deep. `caps`: names of capabilities held, NULL-terminated, may be NULL (none held).
 * Names no table knows are counted in *ret_unknown (may be NULL). On failure -EINVAL (or -EFBIG,
 * -ENOENT, ...) and one sentence naming the thing in *ret_why (caller frees; never NULL then). */
int oci_read(const char *path, const char *const *caps, struct filter **ret, unsigned *ret_unknown,
	     char **ret_why);
int oci_parse(const char *text, size_t len, const char *const *caps, struct filter **ret,
	      unsigned *ret_unknown, char **ret_why);
/* As it is read on another machine (its native ABI). */
int oci_read_on(const char *path, enum tamis_abi machine, const char *const *caps,
		struct filter **ret, char **ret_why);

/* The profile `base` with what the policy allows added, as oci-seccomp-bpf-hook's "if:" does: its
 * entries and keys stay, docker's too; a call that it names anywhere isn't added, so its refusals
 * stay; the default is ERRNO. Caller frees. As oci_parse. */
int oci_extend(const char *base, size_t len, const struct policy *p, char **ret, char **ret_why);

/*
 * A profile in docker's format (an allow list: one whose default refuses) that a policy narrows.
 * Entries stay as they are, with their comment, includes and excludes, and lose what the policy
 * doesn't allow: for every set of capabilities, what docker loads of the result allows no more than
 * the policy does, nor than what it loads of the base. What is taken away is refused with the
 * policy's errno, what the base refuses with the base's.
 */
int docker_base_parse(const char *text, size_t len, struct docker_base **ret, char **ret_why);
void docker_base_free(struct docker_base *b);
CLEANUP_DEFINE(struct docker_base *, docker_base_free);
/* As emit_limits: what the policy allows and no entry of the base does. */
int docker_base_limits(const struct docker_base *b, const struct policy *p,
		       void (*say)(void *ctx, const char *line), void *ctx);

/*
 * The lines of a unit's [Service] section (systemd.exec(5)) that stand for the filter, so far as
 * they can: SystemCallFilter= (its own is reset first), SystemCallErrorNumber=,
 * SystemCallArchitectures=. -EOPNOTSUPP for a filter that allows no call, of which systemd would
 * make none at all, for one whose default lets calls through, and for one of two machines.
 */
int systemd_filter_print(const struct filter *f, FILE *out);

/* Whether libseccomp takes these rules (all of one call) as they are. Not where the call is
 * multiplexed (i386 socket, semget, ...), where libseccomp has no name for it and the ABI is
 * not this build's own, where rules of one call differ in their action, and where it is known
 * to get conditions wrong. */
bool scmp_is_exact(const struct filter_rule *rules, size_t cnt);

/* Those rules of the filter that libseccomp takes exactly: one context per ABI, merged;
 * KILL_PROCESS for foreign ABIs, CTL_OPTIMIZE=2. `*ret` is scmp_filter_ctx. */
int scmp_build(const struct filter *f, void **ret);

/* The whole filter as a program for seccomp(2): what scmp_build left out is answered before
 * libseccomp's part. Caller frees. -E2BIG beyond the kernel's 4096 instructions. */
struct sock_filter;
int bpf_program(const struct filter *f, struct sock_filter **ret, size_t *ret_cnt);
