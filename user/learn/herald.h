/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring's reader: a thread of its own, so that whose a cgroup is gets asked while its files
 * are there, even when the store is waiting for the disk. A container of a few milliseconds
 * has no second chance.
 *
 * The thread touches the ring, the engines' files and its queue, nothing else.
 */
#pragma once

#include "base/cleanup.h"
#include "identity/identity.h"
#include "learn/ended.h"
#include "learn/origin.h"
#include "sensor/sensor.h"

enum notice_kind { NOTICE_MADE, NOTICE_GONE, NOTICE_CALL, NOTICE_ENDED, NOTICE_EXEC };

struct notice {
	struct notice *next;
	enum notice_kind kind;
	uint64_t cgroup;
	char *path;		  /* MADE, GONE: NULL where the event's was cut */
	int identity_r;		  /* MADE: what identity_of_path returned */
	struct identity identity; /* MADE */
	unsigned life;		  /* MADE: of this id, for who takes it */
	struct origin origin;	  /* CALL */
	struct ended ended;	  /* ENDED */
};
void notice_free(struct notice *n);
/* The whole list. */
void notices_free(struct notice *n);

struct herald;

struct herald_options {
	struct sensor *sensor; /* both borrowed */
	const struct identity_options *identity;
	/* Told by the thread, at once; may be NULL. A cgroup was made; an executable is new to one. */
	void (*made)(void *arg);
	void (*executed)(void *arg);
	void *arg;
};

/* Starts the thread. */
int herald_new(const struct herald_options *o, struct herald **ret);
/* Stops it; what waits is dropped. */
void herald_free(struct herald *h);
CLEANUP_DEFINE(struct herald *, herald_free);

/* All that waits, oldest first: a list to be freed one by one. */
struct notice *herald_take(struct herald *h);
