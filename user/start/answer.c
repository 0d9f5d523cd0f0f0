/* SPDX-License-Identifier: Apache-2.0 */
#include "start/answer.h"

#include <errno.h>
#include <string.h>

#include "emit/emit.h"
#include "start/spec.h"

/* A runtime refuses a profile that it can't read, and with it the start. */
static int check_profile(const struct spec *s)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	_free_ char *why = NULL;
	unsigned unknown = 0;

	if (!s->seccomp || oci_parse(s->seccomp, s->seccomp_len, NULL, &f, &unknown, &why) < 0)
		return -EBADMSG;
	return unknown == 0 ? 0 : -EBADMSG;
}

int answer_check(const char *spec, size_t spec_len, const char *answer, size_t answer_len)
{
	_spec_ struct spec before = { 0 }, after = { 0 };
	_free_ char *why = NULL, *why_after = NULL, *profile = NULL, *want = NULL;
	size_t want_len = 0;

	if (spec_read(spec, spec_len, &before, &why) < 0 ||
	    spec_read(answer, answer_len, &after, &why_after) < 0 || check_profile(&after) < 0)
		return -EBADMSG;
	profile = strndup(after.seccomp, after.seccomp_len);
	if (!profile || spec_splice(&before, profile, &want, &want_len) < 0)
		return -EBADMSG;
	return want_len == answer_len && memcmp(want, answer, want_len) == 0 ? 0 : -EBADMSG;
}
