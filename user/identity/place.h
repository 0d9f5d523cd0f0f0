/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk down a cgroup path, component by component, knowing at each one who could have
 * made it: an engine's pattern counts only where that engine can create it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum place_kind {
	PLACE_SYSTEM, /* only slices above: made by systemd or root */
	PLACE_PLAIN,  /* below a plain directory, which root may have given away */
	PLACE_UNIT,   /* inside a service or scope, which may be delegated */
	PLACE_USER,   /* below user@U.service: made by the user U */
	PLACE_LOGIN,  /* elsewhere below user.slice: no engine's cgroup comes to lie here */
};

struct place {
	const char *path;
	size_t start, end; /* the component: path[start, end) */
	size_t depth;	   /* components above it */
	enum place_kind kind;
	uid_t uid;    /* the user whose place it is; 0 but for PLACE_USER and PLACE_LOGIN */
	size_t above; /* end of the component above it, 0 at the top */
	size_t top;   /* end of the path's first component */
	size_t base; /* PLACE_USER: end of user@U.service; else 0. Slices' names start anew there */
	size_t unit_start, unit_end; /* the innermost unit above it; equal when there is none */
};

/* Before the first component. -EINVAL for what can't be the path of a cgroup: not absolute,
 * an empty component, "." or "..", longer than PATH_MAX. */
int place_begin(struct place *p, const char *path);

/* To the next component; false at the end. */
bool place_next(struct place *p);

/* The component is, starts, ends with that text. */
bool place_is(const struct place *p, const char *text);
bool place_starts(const struct place *p, const char *text);
bool place_ends(const struct place *p, const char *text);

/* The component is `prefix`, 64 lower-case hex digits, `suffix`; where the digits start. NULL
 * otherwise. */
const char *place_id64(const struct place *p, const char *prefix, const char *suffix);

/* The component above it; false at the top. */
bool place_parent(const struct place *p, struct place *ret);

/* Where that text stands in the component, NULL when it doesn't. */
const char *place_find(const struct place *p, const char *text);

/* The component is a unit that has processes of its own: ".service", ".scope", ".socket", ... */
bool place_is_unit(const struct place *p);

/* The component is a user's manager, user@U.service. */
bool place_is_manager(const struct place *p);

/* The path's first component is that text. */
bool place_top_is(const struct place *p, const char *text);

/* It lies in a unit of the user's own, not just below the user's manager. */
bool place_in_users_unit(const struct place *p);

/* The component, or the innermost unit above it, into fresh memory. */
char *place_text(const struct place *p);
char *place_unit(const struct place *p);

#define PLACE_ID_LEN 64

/* No engine goes as deep: what is below isn't asked for, for a cgroup's owner can go as deep as a
 * path is long. */
#define PLACE_DEPTH_MAX 32
