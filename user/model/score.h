/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter is worth against known attacks (policies/risk/). Pure. */
#pragma once

#include "base/cleanup.h"
#include "model/filter.h"
#include "model/sysset.h"

#define SCORE_CVE_MAX 32

/* A hole in the kernel, and the calls that every known way through it needs: it is blocked when one of
 * them is (`any` false), or when all are (`any` true: each alone suffices). */
struct score_cve {
	char id[SCORE_CVE_MAX];
	struct sysset calls[TAMIS_ABI_MAX];
	bool any;
	bool execve; /* execve or execveat is among them: no filter that a runtime loads can refuse it */
	uint64_t
		arg0; /* what their first argument has to be (flags, a family); 0: it doesn't matter */
	const char *group;  /* kernel subsystem */
	const char *source; /* who says which calls */
};

struct score_risk {
	struct score_cve *cve;
	size_t cnt;
	struct sysset guard[TAMIS_ABI_MAX];
};

/*
 * In all of these:
 *  1. Judged is the machine that the filter is for: this one where it speaks for its native ABI, else the
 *     other one. A hole is open when it is so in one of the ABIs that the filter speaks for.
 *  2. A call passes where some arguments of it do. Of a hole with arg0, where some others beside that
 *     one do, or beside it with the upper half set: the kernel takes the lower half of each.
 *  3. On 32-bit ABIs socketcall and ipc are ways to what they stand for.
 */
struct score {
	unsigned
		calls; /* named calls that pass, of the native ABI; conditionally counts as passing */
	unsigned of;   /* that there are */
	unsigned abis;			      /* it speaks for */
	unsigned blocked, cves;		      /* without those that need execve */
	unsigned blocked_execve, cves_execve; /* those that need it */
	unsigned guarded;		      /* guarded calls that pass */
};
/* `f` NULL: no filter at all. */
void score_filter(const struct filter *f, const struct score_risk *r, struct score *ret);

/* What one call decides: the CVEs that would be blocked if it, passing now, were refused, with it the
 * calls of that name in the other ABIs, which a person means by it; `ret` has room for r->cnt indices into r->cve. Returns how many. 0 where the filter refuses it. */
size_t score_alone(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret);
/* The CVEs that would be open if it, refused now, passed. */
size_t score_opens(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret);
bool score_blocks(const struct filter *f, const struct score_cve *c);
bool score_passes(const struct filter *f, enum tamis_abi abi, uint32_t nr);
/* Whose native ABI the `calls` of a score are of. */
enum tamis_abi score_machine(const struct filter *f);

/* For lists, where a filter for each would take too long: sets instead. First the calls that `f`'s own
 * rules (conditions that hold whatever else) refuse with a CVE's arg0 are taken out of it; then it is
 * counted which are blocked where `pass` passes and nothing else, in the ABIs of the mask. */
void score_narrow(struct score_risk *r, const struct filter *f);
void score_sets(const struct sysset pass[TAMIS_ABI_MAX], uint32_t abis, const struct score_risk *r,
		unsigned *ret_blocked, unsigned *ret_cves);
