/* SPDX-License-Identifier: Apache-2.0 */
/* A report of a document, whoever made it: report <DOCUMENT >PAGE */
#include <stdio.h>
#include <string.h>

#include "mine/report.h"

int main(void)
{
	json_error_t why;
	json_t *doc = json_loadf(stdin, 0, &why);
	int r;

	if (!doc) {
		fprintf(stderr, "report: %d: %s\n", why.line, why.text);
		return 1;
	}
	r = report_write(doc, stdout);
	if (r < 0)
		fprintf(stderr, "report: %s\n", strerror(-r));
	json_decref(doc);
	return r < 0;
}
