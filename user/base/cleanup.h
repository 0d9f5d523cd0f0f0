/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup attributes: what a function owns is released where its scope ends. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Define a cleanup function for a pointer type: CLEANUP_DEFINE(struct x *, x_free)
 * makes x_freep, for use as _cleanup_(x_free). `fn` must accept NULL. */
#define CLEANUP_DEFINE(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}                                 \
	struct cleanup_needs_a_semicolon

#define _cleanup_(fn) __attribute__((cleanup(fn##p)))

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

CLEANUP_DEFINE(FILE *, fclose);

#define _free_	 __attribute__((cleanup(cleanup_freep)))
#define _close_	 __attribute__((cleanup(cleanup_closep)))
#define _fclose_ _cleanup_(fclose)

/* Give ownership away: the variable is emptied, its value returned. */
#define TAKE_PTR(p)                      \
	({                               \
		typeof(p) *pp_ = &(p);   \
		typeof(p) taken_ = *pp_; \
		*pp_ = NULL;             \
		taken_;                  \
	})

#define TAKE_FD(fd)                \
	({                         \
		int *fdp_ = &(fd); \
		int fd_ = *fdp_;   \
		*fdp_ = -1;        \
		fd_;               \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
