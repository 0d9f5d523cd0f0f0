/* SPDX-License-Identifier: Apache-2.0 */
/* What writes the journal and what reads it have in common. */
#pragma once

#include "keeper/journal.h"

#define JOURNAL_PREFIX	 "journal."
#define JOURNAL_HEADER	 "tamis-journal 1\n"
#define JOURNAL_KEY_MAX	 4096
#define JOURNAL_LINE_MAX (32u << 10)

/* STATE/keeper, root's alone. -EPERM, -ENOENT. */
int journal_dir(const char *state, bool make);

struct journal_files {
	uint64_t *number; /* in order */
	size_t cnt;
};
int journal_list(int dir, struct journal_files *ret);
static inline void journal_files_donep(struct journal_files *f)
{
	free(f->number);
}
#define _journal_files_ __attribute__((cleanup(journal_files_donep)))

#define JOURNAL_NAME_MAX 32
void journal_name(uint64_t number, char ret[JOURNAL_NAME_MAX]);
