/* SPDX-License-Identifier: Apache-2.0 */
/* A generation of what is known now. */
#pragma once

#include "policy/generations.h"

struct make_options {
	const char *maker;
	bool descendants;
	bool widen; /* said behind the maker's name: what follows it is to be as wide */
	bool good;  /* without a trial: a person's word */
};
/* Sets sifted by the guard list and verdicts, images seen, evidence; not yet in the store. */
int make_generation(struct store *s, const struct store_row *row, const struct make_options *o,
		    int64_t now, struct generation *ret);
/* Whether that is said of it. */
bool make_was_widened(const struct generation *g);
