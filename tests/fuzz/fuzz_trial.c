/* SPDX-License-Identifier: Apache-2.0 */
/* Any file of a trial. */
#include "fuzz.h"

#include "apply/trial_book.h"

static void check_start(const struct trial_start *s)
{
	must(s->generation == 1);
	must(s->began_ms >= 0 && s->ended_ms >= -1 && s->ended_ms <= s->began_ms);
	must(strlen(s->id) < sizeof(s->id));
	must(s->end != TRIAL_RUNS || s->ended_ms == -1);
	must(s->end == TRIAL_RUNS || s->end == TRIAL_UNKNOWN || s->ended_ms >= 0);
}

/* More starts never make it pass; what isn't there says nothing. */
static void check_verdicts(const struct trial *t)
{
	struct trial_said said = trial_judge(t->start, t->cnt, 60);
	struct trial_said next = trial_judge_next(t->start, t->cnt, 60, "a");

	must(t->cnt || said.verdict == TRIAL_OPEN);
	must((said.verdict == TRIAL_OPEN) == (said.why[0] == '\0'));
	must(next.verdict == said.verdict || said.verdict == TRIAL_OPEN ||
	     next.verdict == TRIAL_FAILED);
	must(next.verdict != TRIAL_PASSED || said.verdict != TRIAL_OPEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *key = trial_text_key(text);
	struct trial t = { 0 };

	(void)trial_text_awaits(text, "a", true, "100000@b");
	(void)trial_text_awaits(text, "a", false, "50000@b");
	must(trial_text_read(text, 1, "100000@b", "/nowhere", &t) == 0);
	must(t.cnt <= TRIAL_STARTS_MAX && (t.cnt > 0) == (t.start != NULL));
	for (size_t i = 0; i < t.cnt; i++)
		check_start(&t.start[i]);
	check_verdicts(&t);
	trial_done(&t);
	free(key);
	free(text);
	return 0;
}
