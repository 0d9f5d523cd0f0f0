/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/slept_text.h"

#include <time.h>

#include "cli/print.h"

int slept_load(struct store *s, int64_t workload, const struct naps *naps, struct slept *ret)
{
	_naps_ struct naps own = { 0 };
	int r = naps ? 0 : store_naps(s, &own);

	return r < 0 ? r : slept_of(s, workload, naps ?: &own, time(NULL), ret);
}

void slept_print(const struct slept *s, FILE *f)
{
	char since[PRINT_TIME_MAX], percent[UNSEEN_PERCENT_MAX];

	if (!s->since)
		return;
	fprintf(f,
		"watched:   %s %% of the time since %s: calls made only in the rest of it are "
		"unseen\n",
		unseen_percent(slept_watched(s), percent), print_time(s->since, since));
}

const char *slept_cell(const struct slept *s, char buf[SLEPT_CELL_MAX])
{
	char percent[UNSEEN_PERCENT_MAX];

	buf[0] = '\0';
	if (s->since)
		snprintf(buf, SLEPT_CELL_MAX, ", watched %s %%",
			 unseen_percent(slept_watched(s), percent));
	return buf;
}

json_t *slept_json(const struct slept *s)
{
	if (!s->since)
		return json_null();
	return json_pack("{s:I, s:f, s:f}", "since", (json_int_t)s->since, "share",
			 slept_watched(s), "slept", (double)s->ms / 1000);
}
