/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lookup.h"

#include <errno.h>

#include "base/log.h"

int lookup_open(const char *state_dir, struct store **ret)
{
	_cleanup_(store_close) struct store *s = NULL;
	int r = store_open(state_dir, STORE_READ, &s);

	if (r < 0) {
		log_err("%s", store_error(NULL));
		return r;
	}
	r = store_begin(s);
	if (r < 0) {
		log_err("%s", store_error(s));
		return r;
	}
	*ret = TAKE_PTR(s);
	return 0;
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
		log_err("%s", store_error(s));
	return r;
}
