/* SPDX-License-Identifier: Apache-2.0 */
/* All that show knows of a workload. */
#pragma once

#include "cli/completeness.h"
#include "cli/mined.h"
#include "cli/pending.h"
#include "cli/refused.h"
#include "cli/slept_text.h"
#include "policy/denials.h"

struct text_list {
	char **text;
	size_t cnt;
};

struct shown {
	struct store_row row;
	struct store_applied is;
	struct policy_origin *origin; /* sorted by (abi, stage as it is shown, name) */
	size_t cnt;
	struct text_list inner, alias, image;
	struct sysset gate_unknown[TAMIS_ABI_MAX];
	struct sysset pending[TAMIS_ABI_MAX];
	struct store_denial *denial; /* all of it */
	size_t denial_cnt;
	struct verdicts said;
	struct mined mined;
	struct refused refused;		/* of what is in shadow; generation 0: nothing is */
	struct store_coverage coverage; /* as list has it */
	struct completeness complete;	/* now */
	struct slept slept;
};

/* Who made a call first, the runtime's setup apart; NULL: nobody knows. */
const struct policy_origin *show_origin(const struct shown *s, enum tamis_abi abi, unsigned nr);

/* Who asked for a pending call last, in probation; NULL: nobody, it was made. */
const struct store_denial *show_asked(const struct shown *s, enum tamis_abi abi, unsigned nr);

/* One JSON object on standard output. -ENOMEM, -EIO. */
int show_json(const struct shown *s);
