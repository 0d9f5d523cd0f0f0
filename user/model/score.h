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
	const char *group;  /* kernel subsystem */
	const char *source; /* who says which calls */
};

struct score_risk {
	struct score_cve *cve;
	size_t cnt;
	struct sysset guard[TAMIS_ABI_MAX];
};

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

/* What one call decides: the CVEs that would be blocked (open) if it, passing now, were refused;
 * `ret` has room for r->cnt indices into r->cve. Returns how many. 0 where the filter refuses it. */
size_t score_alone(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret);
/* The CVEs that would be open if it, refused now, passed. */
size_t score_opens(const struct filter *f, const struct score_risk *r, enum tamis_abi abi,
		   uint32_t nr, size_t *ret);
bool score_blocks(const struct filter *f, const struct score_cve *c);
