/* SPDX-License-Identifier: Apache-2.0 */
/* How often each call was answered, since the journal was told last. Memory is bounded: what is full is
 * told, and begun anew. */
#pragma once

#include "keeper/journal.h"

struct tally;
/* Gets what is to be journalled: JOURNAL_COUNT and JOURNAL_HOT entries, without a time. False: it can't be
 * now, and a count is told the next time. */
int tally_new(bool (*tell)(void *arg, const struct journal_entry *e), void *arg,
	      struct tally **ret);
void tally_free(struct tally *t); /* counts that weren't told are lost */

/* Counts one. True when (cgroup, abi, nr, answer) came for the first time: it is the caller's to
 * journal, and isn't counted. Of `e` kind, count and time are ignored. -ENOMEM is true. `now`: some
 * clock's ms. */
bool tally_add(struct tally *t, const struct journal_entry *e, int64_t now);
/* The first one could not be journalled: it counts, too. */
void tally_lost(struct tally *t, const struct journal_entry *e);
/* Tells what was counted. */
void tally_tell(struct tally *t);
/* Something is to be told. */
bool tally_waits(const struct tally *t);
