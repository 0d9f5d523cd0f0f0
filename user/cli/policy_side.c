/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_side.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "emit/emit.h"

void policy_side_done(struct policy_side *s)
{
	policy_loaded_done(&s->loaded);
	filter_free(s->file);
	s->file = NULL;
}

const struct filter *policy_side_filter(const struct policy_side *s)
{
	return s->file ?: s->loaded.filter;
}

int policy_side_load(const char *what, const struct policy_options *o, struct policy_side *ret)
{
	_free_ char *why = NULL;
	unsigned unknown = 0;
	struct stat st;
	int r;

	if (stat(what, &st) < 0)
		return policy_load(what, o, &ret->loaded);
	r = oci_read(what, NULL, &ret->file, &unknown, &why);
	if (r < 0)
		log_err("%s: %s", what, why ?: strerror(-r));
	else if (unknown > 0)
		log_warn("%s: %u name%s that no table has %s ignored", what, unknown,
			 unknown == 1 ? "" : "s", unknown == 1 ? "is" : "are");
	return r;
}
