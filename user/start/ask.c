/* SPDX-License-Identifier: Apache-2.0 */
#include "start/ask.h"

#include <string.h>
#include <unistd.h>

#include "apply/started.h"
#include "start/answer.h"
#include "start/faults.h"
#include "start/report.h"
#include "start/worker.h"

#define _identity_ __attribute__((cleanup(identity_donep)))

#define KEY_WAIT_MS    100
/* A busy machine; what it writes to may hang, and the container waits for it. */
#define REPORT_WAIT_MS 1000

struct question {
	const struct start_options *options;
	const struct identity_start *start;
	const char *text, *key; /* to report */
};

static int work(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;

	fault_at_work();
	return start_spec(q->options, q->start, ret, ret_len);
}

int ask_spec(const struct start_options *o, const struct identity_start *s, char **ret,
	     size_t *ret_len, const char **ret_fault)
{
	struct question q = { o, s, NULL, NULL };
	_free_ char *answer = NULL;
	size_t len = 0;
	int r;

	*ret_fault = NULL;
	fault_at_home();
	r = worker_ask(work, &q, START_WAIT_MS, &answer, &len, ret_fault);
	if (r <= 0)
		return 0;
	if (answer_check(s->text, s->len, answer, len, NULL) < 0) {
		*ret_fault = "gave a spec that differs in other things than its profile";
		return 0;
	}
	*ret = TAKE_PTR(answer);
	*ret_len = len;
	return 1;
}

/* --- a line about it --------------------------------------------------------------------- */

/* For the line; and that nothing is put in place for this start is noted. */
static int find_key(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;
	_identity_ struct identity id = { 0 };
	int r = identity_of_start(&q->options->identity, q->start, &id);

	if (r < 0)
		return r;
	/* Who was late may have noted what it meant to put in place. */
	if (id.container && geteuid() == 0)
		(void)started_leave(q->options->state, id.key, id.container);
	*ret_len = strlen(id.key);
	*ret = TAKE_PTR(id.key);
	return 1;
}

static int report(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;

	report_fault(q->key, "%s", q->text);
	return 0;
}

void ask_report(const struct start_options *o, const struct identity_start *s, const char *text)
{
	struct question q = { o, s, text, NULL };
	_free_ char *key = NULL;
	const char *why;
	size_t len;

	/* Who can't be named because naming crashes has a line all the same, and one. */
	if (s && worker_ask(find_key, &q, KEY_WAIT_MS, &key, &len, &why) > 0)
		q.key = key;
	(void)worker_ask(report, &q, REPORT_WAIT_MS, NULL, NULL, &why);
}
