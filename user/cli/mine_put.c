/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of a mining run: the policy, the report, what is printed. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stream.h"
#include "cli/mine_job.h"
#include "cli/print.h"
#include "mine/report.h"

static int write_policy(const struct mine_job *j, const struct policy *p)
{
	_free_ char *text = NULL;
	int r;

	if (!j->output)
		return 0;
	r = mine_policy_text(p, j->unit ? "systemd" : "oci", &text);
	if (r == 0)
		r = file_write_atomic(j->output, text, strlen(text), 0644);
	return r < 0 ? log_err_errno(r, "%s", j->output) : 0;
}

static int write_report(const struct mine_job *j, const json_t *doc)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f;
	int r;

	if (!j->report)
		return 0;
	f = stream_open(&text, &len);
	if (!f)
		return -ENOMEM;
	r = report_write(doc, f);
	if (fclose(f) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = file_write_atomic(j->report, text, len, 0644);
	return r < 0 ? log_err_errno(r, "%s", j->report) : 0;
}

static int show(const struct mine_job *j, json_t *doc, bool stopped)
{
	if (j->json)
		return print_json(json_incref(doc), stdout);
	if (stopped || !j->result.observed)
		return 0; /* the one line that says why says it all */
	mine_print(doc, stdout);
	return fflush(stdout) == 0 ? 0 : -errno;
}

/* Every test that passes without the policy passes under it, and nothing that it needs is refused. */
static bool is_fine(const struct mine_job *j, const json_t *doc)
{
	const struct mine_result *r = &j->result;
	bool fine = r->enforced != NULL;
	size_t passed = 0;

	for (size_t i = 0; fine && i < r->tests; i++) {
		if (r->observed[i].outcome != MATRIX_PASS)
			continue;
		passed++;
		fine = r->enforced[i].outcome == MATRIX_PASS;
	}
	return fine && (passed > 0 || r->tests == 0) &&
	       json_array_size(json_object_get(json_object_get(doc, "widened"), "calls")) == 0;
}

/* What can be written is, whatever else can't. */
static int put_all(const struct mine_job *j, const struct policy *p, json_t *doc, bool stopped)
{
	int policy = p ? write_policy(j, p) : 0;
	int report = write_report(j, doc);
	int shown = show(j, doc, stopped);

	return policy < 0 ? policy : report < 0 ? report : shown;
}

int mine_put(const struct mine_job *j, bool stopped, bool *ret_fine)
{
	_policy_loaded_ struct policy_loaded loaded = { 0 };
	int r = j->mined ? mine_policy_load(j, &loaded) : 0, put;
	const struct policy *p = j->mined && r == 0 ? &loaded.policy : NULL;
	json_t *doc = mine_json(j, p, stopped);

	if (!doc)
		return log_err_errno(-ENOMEM, "mine");
	*ret_fine = r == 0 && is_fine(j, doc);
	put = put_all(j, p, doc, stopped);
	json_decref(doc);
	return r < 0 ? r : put;
}
