/* SPDX-License-Identifier: Apache-2.0 */
#include "start/ask.h"

#include "start/answer.h"
#include "start/faults.h"
#include "start/report.h"
#include "start/worker.h"

#define _identity_ __attribute__((cleanup(identity_donep)))

#define REPORT_WAIT_MS 100

struct question {
	const struct start_options *options;
	const struct identity_start *start;
	const char *text; /* to report */
};

static int work(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;

	return start_spec(q->options, q->start, ret, ret_len);
}

int ask_spec(const struct start_options *o, const struct identity_start *s, char **ret,
	     size_t *ret_len, const char **ret_fault)
{
	struct question q = { o, s, NULL };
	_free_ char *answer = NULL;
	size_t len = 0;
	int r;

	*ret_fault = NULL;
	fault_at_home();
	r = worker_ask(work, &q, START_WAIT_MS, &answer, &len, ret_fault);
	if (r <= 0)
		return 0;
	if (answer_check(s->text, s->len, answer, len) < 0) {
		*ret_fault = "gave a spec that differs in other things than its profile";
		return 0;
	}
	*ret = TAKE_PTR(answer);
	*ret_len = len;
	return 1;
}

static int report_with_key(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;
	_identity_ struct identity id = { 0 };

	report_fault(identity_of_start(&q->options->identity, q->start, &id) < 0 ? NULL : id.key,
		     "%s", q->text);
	return 0;
}

static int report_alone(void *ctx, char **ret, size_t *ret_len)
{
	const struct question *q = ctx;

	report_fault(NULL, "%s", q->text);
	return 0;
}

void ask_report(const struct start_options *o, const struct identity_start *s, const char *text)
{
	struct question q = { o, s, text };
	const char *why;

	/* Who can't be named because naming crashes has still a line. */
	if (!s || worker_ask(report_with_key, &q, REPORT_WAIT_MS, NULL, NULL, &why) < 0)
		(void)worker_ask(report_alone, &q, REPORT_WAIT_MS, NULL, NULL, &why);
}
