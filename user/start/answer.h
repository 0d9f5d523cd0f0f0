/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker says a spec should be, judged by who trusts nobody. Pure. */
#pragma once

#include <stddef.h>

/* 0: `answer` is the spec with nothing but linux.seccomp exchanged, for a profile that runtimes take:
 * if calls of it ask, there is a listener (an absolute path; `listener` not NULL: that one), `write` and
 * what nobody named aren't among them (runc refuses both), and no flag is new but
 * SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. -EBADMSG otherwise. */
int answer_check(const char *spec, size_t spec_len, const char *answer, size_t answer_len,
		 const char *listener);
