/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container really was started under: what is applied may have come too late, or was left
 * alone. STATE/started (0600, root's) has a line for each start that tamis-start put something in
 * place for, appended with one write; nobody locks. A torn line is ignored, a file over STARTED_MAX is
 * cut to its newest half by who appends.
 *
 *	started KEY ID GENERATION MODE TIME .		fields and TIME as in apply/trial.h
 *
 * A container that starts again and is left alone then has a line too, of MODE observe. It is missing
 * where a start crashed: who asks about a start that began later than the line did knows better.
 */
#pragma once

#include "model/generation.h"

#define STARTED_MAX (256u << 10)

struct started {
	uint32_t generation;
	enum policy_mode mode; /* MODE_ENFORCE, MODE_PROBATION */
	int64_t began_ms;      /* before now; -1: in another boot */
};

/* `id`: the container's, "" where it isn't known. -ENOSPC, -EACCES, ... */
int started_add(const char *state, const char *key, const char *id, uint32_t generation,
		enum policy_mode mode);
/* This start of it is left alone: what was said of an earlier one is over. 0 also where nothing was. */
int started_leave(const char *state, const char *key, const char *id);
/* The last start of that container. -ENOENT: nothing was put in place for it. */
int started_find(const char *state, const char *key, const char *id, struct started *ret);
