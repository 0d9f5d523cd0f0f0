/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper answered, from it to the daemon: STATE/keeper/journal.N (directory 0700, root's;
 * N a decimal number that grows). Append-only text, a line with one write:
 *
 *	tamis-journal 1
 *	call KEY CGROUP ABI NR ANSWER TIME PID COMM EXE .
 *	count KEY ABI NR ANSWER COUNT TIME .
 *	hot KEY ABI NR COUNT TIME .
 *
 * `call` comes before the first answer to (KEY, CGROUP, ABI, NR, ANSWER) of a filter goes out, so that
 * none is lost with the keeper; `count`, every 10 s and at the end, is of those that came since.
 * CGROUP: "INODE:PATH". TIME: seconds since the epoch. Fields as in apply/trial.h ("-", %XX). A line
 * without its end is torn and counts as not there; a keeper that starts begins the next file, and so
 * does one whose file is over JOURNAL_MAX. The reader takes files in order and unlinks one that it
 * has read to the end when there is a later one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define JOURNAL_VERSION 1
#define JOURNAL_MAX	(4u << 20)
#define JOURNAL_BEHIND	8
#define JOURNAL_DIR	"keeper"

enum journal_kind { JOURNAL_CALL, JOURNAL_COUNT, JOURNAL_HOT, JOURNAL_KIND_MAX };

enum journal_answer {
	ANSWER_CONTINUED, /* rule learn: learned */
	ANSWER_ALLOWED,	  /* a person had allowed it */
	ANSWER_ASKED,	  /* refused, pending */
	ANSWER_DENIED,	  /* refused */
	ANSWER_NOBODYS,	  /* continued: nothing is applied to whoever it is */
	ANSWER_MAX,
};
const char *journal_answer_name(enum journal_answer a); /* "continued", ... */

struct journal_entry {
	enum journal_kind kind;
	char *key;    /* "" where it isn't known */
	char *cgroup; /* path below the root; JOURNAL_CALL alone, as the next */
	uint64_t cgroup_id;
	enum tamis_abi abi;
	uint32_t nr; /* as in the sets; TAMIS_CALLS: out of range */
	enum journal_answer answer;
	uint64_t count;
	int64_t time;
	uint32_t pid;
	char *comm, *exe; /* hostile; NULL: not known */
};
void journal_entry_done(struct journal_entry *e);

/* Pure. print: caller frees, ends in a newline. parse: of one line without it; -EINVAL. */
int journal_print(const struct journal_entry *e, char **ret);
int journal_parse(const char *line, size_t len, struct journal_entry *ret);

/* --- the keeper's half ------------------------------------------------------------------ */

struct journal;
/* Begins the next file; on a full disk with the first line that there is room for. -ENOENT: no STATE;
 * -EPERM: it, or the directory in it, isn't root's alone. */
int journal_open(const char *state, struct journal **ret);
void journal_close(struct journal *j);
/* One write. A failure (full disk) is told; the line is kept, and written before the next one. -ENOBUFS:
 * too many are kept already, or there is no memory: this one is lost. */
int journal_add(struct journal *j, const struct journal_entry *e);
/* Writes what is kept. 0 also when nothing is. */
int journal_flush(struct journal *j);
bool journal_waits(const struct journal *j);
/* Nobody has read for long: there are more than JOURNAL_BEHIND files. */
bool journal_is_behind(const struct journal *j);

/* --- the daemon's half ------------------------------------------------------------------ */

/* Where the reader is. {0}: at the beginning of what is there. */
struct journal_mark {
	uint64_t file;
	uint64_t offset; /* of the first byte not read */
};
/* Calls fn for each whole line after the mark and moves it; lines that make no sense are counted in
 * *ret_bad (may be NULL). Unlinks nothing. fn's first non-zero value ends it and is returned, and that
 * line counts as not read. No journal at all: 0. */
int journal_read(const char *state, struct journal_mark *mark,
		 int (*fn)(void *ctx, const struct journal_entry *e), void *ctx, uint64_t *ret_bad);
/* After the mark is in the store: files before it go. */
int journal_trim(const char *state, const struct journal_mark *mark);
