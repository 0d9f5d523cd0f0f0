/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/oracle_internal.h"

/* --- the twin ----------------------------------------------------------------------------- */

/* What a sanitizer's report has in one of its lines. That the sanitizer itself couldn't work ("failed to
 * allocate", LeakSanitizer's "fatal error") is none. */
static const char *const marks[] = {
	"AddressSanitizer: ",
	"AddressSanitizer:DEADLYSIGNAL",
	"LeakSanitizer: ",
	"LeakSanitizer:DEADLYSIGNAL",
	"MemorySanitizer: ",
	"MemorySanitizer:DEADLYSIGNAL",
	"ThreadSanitizer: ",
	"ThreadSanitizer:DEADLYSIGNAL",
	"UndefinedBehaviorSanitizer",
	"Sanitizer CHECK failed",
	"GWP-ASan detected",
};

static const char *find(const char *line, size_t len, const char *what)
{
	return memmem(line, len, what, strlen(what));
}

/* "file.c:12:3: runtime error: ..."; a Go program's panic has no line there. */
static bool is_ubsan(const char *line, size_t len)
{
	const char *at = find(line, len, ": runtime error: ");

	return at && at > line && isdigit((unsigned char)at[-1]);
}

static bool is_report(const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (find(line, len, marks[i]))
			return true;
	return is_ubsan(line, len) || (len > 7 && strncmp(line, "ubsan: ", 7) == 0);
}

/* The first such line; what has a NUL in it is text of the twin's all the same. */
static bool read_log(const char *log, size_t len, struct oracle_said *said)
{
	const char *end = log + len, *nl;

	for (const char *line = log; line < end; line = nl + 1) {
		nl = memchr(line, '\n', (size_t)(end - line)) ?: end;
		if (!is_report(line, (size_t)(nl - line)))
			continue;
		snprintf(said->report, sizeof(said->report), "%.*s", (int)(nl - line), line);
		return true;
	}
	return false;
}

/* Whoever stops a service sends one of these. */
bool oracle_is_stop(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGKILL || sig == SIGHUP;
}

struct oracle_said oracle_judge_twin(const struct oracle_twin *t)
{
	struct oracle_said said = { .up = t->was_up };

	if (t->log)
		said.reported = read_log(t->log, t->log_len, &said);
	if (!said.reported && t->killed && !oracle_is_stop(t->code)) {
		said.reported = true;
		snprintf(said.report, sizeof(said.report), "died by signal %d (%s)", t->code,
			 strsignal(t->code));
	}
	/* It gave up without a word of a sanitizer: nothing to believe, nothing to accuse. */
	if (t->ended && (t->killed || t->code != 0))
		said.up = false;
	return said;
}

/* --- its calls ----------------------------------------------------------------------------- */

static void meet(struct sysset *set, const struct sysset *with)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] &= with->bits[i];
}

/* What counts of what the twin did. */
static struct sysset own(const struct sysset *made, const struct sysset *asked,
			 const struct sysset *sanitizer)
{
	struct sysset set = *made, not_its = *sanitizer;

	sysset_remove(&not_its, asked);
	sysset_remove(&set, &not_its);
	return set;
}

void oracle_judge_calls(const struct sysset *made_by_twin, const struct sysset *asked,
			const struct sysset *guard, const struct sysset *sanitizer,
			const struct sysset *known, bool reported, struct sysset *ret_learned,
			struct sysset *ret_rejected)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset learned = own(&made_by_twin[abi], &asked[abi], &sanitizer[abi]);
		struct sysset rejected = learned;

		sysset_merge(&rejected, &asked[abi]);
		meet(&rejected, &guard[abi]);
		if (reported) {
			rejected = asked[abi];
			learned = (struct sysset){ 0 };
		}
		sysset_remove(&learned, &guard[abi]);
		sysset_remove(&learned, &known[abi]);
		sysset_remove(&rejected, &known[abi]);
		ret_learned[abi] = learned;
		ret_rejected[abi] = rejected;
	}
}

/* --- what was saved -------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

uint32_t oracle_saved(int64_t *first_ms, size_t cnt, uint32_t window_s)
{
	uint32_t loops = 0;

	if (cnt)
		qsort(first_ms, cnt, sizeof(*first_ms), compare);
	for (size_t i = 0; i < cnt; i++)
		if (i == 0 || first_ms[i] - first_ms[i - 1] > (int64_t)window_s * 1000)
			loops++;
	return loops;
}
