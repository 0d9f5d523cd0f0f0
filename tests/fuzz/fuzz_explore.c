/* SPDX-License-Identifier: Apache-2.0 */
/* Any exploration of a user's; any page of a service. */
#include "fuzz.h"

#include "mine/explore_internal.h"

static void check_steps(const struct exploration *e)
{
	must(e->steps && e->steps <= EXPLORE_STEPS_MAX);
	must(e->items && e->items <= EXPLORE_ITEMS_MAX);
	for (size_t i = 0; i < e->steps; i++) {
		const struct explore_step *s = &e->step[i];

		must(s->verb < EXPLORE_VERB_MAX && s->line > 0);
		must(s->text.len * s->times <= EXPLORE_BYTES_MAX);
		must(s->wanted_cnt <= EXPLORE_WANT_MAX && s->word_cnt <= EXPLORE_WORDS_MAX);
		must(!s->word || !s->word[s->word_cnt]);
		must(s->low <= s->high);
	}
}

static void check_links(const char *text, size_t size)
{
	const char *p = text;
	struct explore_word w;

	while (explore_link_next(&p, text + size, &w)) {
		must(w.len > 0 && w.p >= text && w.p + w.len <= p);
		must(!memchr(w.p, '\0', w.len));
	}
	must(p == text + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *why = NULL;
	struct exploration *e = NULL;
	int r = exploration_parse("x", "x", text, size, &e, &why);

	must((r == 0) == (e != NULL));
	must((r < 0) == (why != NULL));
	must(!why || !strncmp(why, "x:", 2));
	if (e)
		check_steps(e);
	exploration_free(e);
	free(why);
	check_links(text, size);
	free(text);
	return 0;
}
