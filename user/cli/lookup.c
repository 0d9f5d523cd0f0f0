/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lookup.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

int lookup_failed(const struct store *s, int r)
{
	log_err("%s", r == -ENOMEM ? strerror(ENOMEM) : store_error(s));
	return r;
}

int lookup_open(const char *state_dir, enum store_mode mode, struct store **ret)
{
	_cleanup_(store_close) struct store *s = NULL;
	int r = store_open(state_dir, mode, &s);

	if (r < 0)
		return lookup_failed(NULL, r);
	r = store_begin(s);
	if (r < 0)
		return lookup_failed(s, r);
	*ret = TAKE_PTR(s);
	return 0;
}

int lookup_commit(struct store *s)
{
	int r = store_commit(s);

	return r < 0 ? lookup_failed(s, r) : 0;
}

int lookup_workload(struct store *s, const char *name, struct store_row *ret)
{
	_free_ char *candidates = NULL;
	int r = store_find(s, name, ret, &candidates);

	if (r == -ENOENT)
		log_err("unknown workload \"%s\"; 'tamis list' shows them", name);
	else if (r == -ENOTUNIQ)
		log_err("\"%s\" is ambiguous: %s", name, candidates);
	else if (r < 0)
		lookup_failed(s, r);
	return r;
}
