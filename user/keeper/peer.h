/* SPDX-License-Identifier: Apache-2.0 */
/* Who connects, and what it sends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * May whoever is at the other end have filters kept? uid 0 of the initial user namespace, and not inside
 * of a container. One that is gone already may: a runtime ends when its container runs, and may have
 * connected before this keeper was there; a container gains nothing by it, since its calls are asked
 * of its own cgroup. -EPERM and a sentence (caller frees).
 */
int peer_check(int conn, char **ret_why);

/*
 * The filter's descriptor that came with the first message, which stays unread: a keeper that is killed
 * leaves it to the next. -EAGAIN: nothing came yet. -ENODATA: it is closed, and nothing came. -EPROTO
 * and a sentence: something else than one such descriptor; none is left open.
 */
int peer_filter(int conn, int *ret, char **ret_why);

/* Reads what is there and throws it away, up to *left bytes, which goes down. 0: the end, or nothing is
 * left; -EAGAIN: there will be more. */
int peer_drain(int conn, size_t *left);

/* Is it the descriptor of a seccomp filter? */
bool peer_is_filter(int fd);
