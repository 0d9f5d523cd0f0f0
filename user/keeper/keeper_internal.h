/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the keeper share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/decide.h"
#include "keeper/handover.h"
#include "keeper/journal.h"
#include "keeper/keeper.h"
#include "keeper/slot.h"
#include "keeper/tally.h"
#include "keeper/whose.h"

#define CONNS_MAX 256 /* connections that wait at a time */

/* What epoll tells of. */
enum source_kind { SOURCE_LISTENER, SOURCE_CONN, SOURCE_FILTER };
struct source {
	enum source_kind kind;
	int fd;
};

/* Numbers of filters and connections are never used twice, by none of the keepers that follow each other:
 * they are the names in the service manager's store ("notify-7", "conn-8"). */
struct kept {
	struct source source;
	uint64_t number;
	struct kept *next, **at;
};

struct conn {
	struct source source;
	uint64_t number;
	int64_t until; /* ms; it is cut off then */
	size_t left;   /* bytes that it may still send */
	bool kept;     /* the service manager has it */
	bool old;      /* from the keeper before this one */
	bool done;     /* its filter is ours */
	struct conn *next, **at;
};

struct keeper {
	struct keeper_options options;
	int epoll;
	struct source listener; /* fd -1: none */
	char *own_socket;	/* its path, where it was made here; goes at the end */
	bool paused;
	uint64_t next_number;
	struct kept *filters;
	struct conn *conns;
	size_t filter_cnt, filter_max, conn_cnt;
	int reserve; /* a descriptor to give up when there are no more */

	struct slot *slot;
	struct journal *journal; /* NULL: it can't be begun */
	struct whose *whose;
	struct tally *tally;
	struct decide decide;
	struct handover handover;

	unsigned said; /* lines in this minute */
	bool behind;   /* nobody reads the journal: counts are written rarely */
	bool watched;  /* the service manager wants to hear that it lives */
	int64_t said_since, journal_failed, told, ticked, alive;
};

int64_t keeper_now(void); /* ms, monotonic */

/* Whether one more line about what others did may be logged: they could have any number. */
bool keeper_may_say(struct keeper *k);

/* --- serve.c: answers ----------------------------------------------------------------------- */

/* The one notification that a filter has, if it still has one. */
void serve_filter(struct keeper *k, const struct kept *f);
/* What a keeper that was killed received and maybe hasn't answered. */
void serve_slot(struct keeper *k);
/* Counts and waiting lines to the journal. */
void serve_tell(struct keeper *k);
/* Lines wait for room, or counts to be told. */
bool serve_waits(const struct keeper *k);
/* tally's. */
bool serve_told(void *keeper, const struct journal_entry *e);

/* --- filters.c ------------------------------------------------------------------------------ */

/* Takes fd, whatever comes of it. number 0: a new one, which the service manager is given. -EMFILE, ... */
int filters_add(struct keeper *k, int fd, uint64_t number);
void filters_drop(struct keeper *k, struct kept *f);
struct kept *filters_find(const struct keeper *k, uint64_t number);
/* Is it one of ours already, by another number? */
bool filters_has(const struct keeper *k, int fd);
/* Without a word to the service manager. */
void filters_close(struct keeper *k);

/* --- conns.c -------------------------------------------------------------------------------- */

void conns_accept(struct keeper *k);
/* Takes fd. */
void conns_restore(struct keeper *k, int fd, uint64_t number);
void conns_read(struct keeper *k, struct conn *c);
/* Those that took too long. */
void conns_expire(struct keeper *k, int64_t now);
void conns_close(struct keeper *k);

/* --- listen.c ------------------------------------------------------------------------------- */

/* What the service manager hands on: the socket, filters, connections. */
void listen_inherit(struct keeper *k);
/* Makes the socket where there is none. */
int listen_make(struct keeper *k);
void listen_end(struct keeper *k);
