/* SPDX-License-Identifier: Apache-2.0 */
/* Any line of the keeper's journal. */
#include "fuzz.h"

#include "keeper/journal.h"

/* What was taken can be written, and is the same when it is read again. */
static void check_again(const struct journal_entry *e)
{
	struct journal_entry again = { 0 };
	char *line = NULL, *twice = NULL;

	must(journal_print(e, &line) == 0);
	must(line[strlen(line) - 1] == '\n' && strchr(line, '\n') == line + strlen(line) - 1);
	must(journal_parse(line, strlen(line) - 1, &again) == 0);
	must(again.kind == e->kind && again.abi == e->abi && again.nr == e->nr);
	must(again.answer == e->answer && again.time == e->time);
	must(again.count == e->count && again.pid == e->pid && again.cgroup_id == e->cgroup_id);
	must(journal_print(&again, &twice) == 0);
	must(strcmp(line, twice) == 0);
	journal_entry_done(&again);
	free(line);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_entry e = { 0 };

	if (journal_parse((const char *)data, size, &e) < 0)
		return 0;
	must(e.key != NULL && e.nr <= TAMIS_CALLS && e.time >= 0);
	must((e.kind == JOURNAL_CALL) == (e.cgroup != NULL));
	check_again(&e);
	journal_entry_done(&e);
	return 0;
}
