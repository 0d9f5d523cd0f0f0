/* SPDX-License-Identifier: Apache-2.0 */
/* Any applied file: refused with a sentence, or what is printed as a file that reads back as the
 * same. */
#include "fuzz.h"

#include "apply/applied.h"

static char *printed(const struct applied *a)
{
	char *text = NULL;
	size_t len = 0;

	must(applied_print(a, &text, &len) == 0);
	must(strlen(text) == len);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_applied_ struct applied a = { 0 }, back = { 0 };
	_free_ char *text = fuzz_text(data, size), *why = NULL, *first = NULL, *second = NULL;
	int r = applied_parse(text, size, &a, &why);

	must(r == 0 ? a.key && !why : !a.key && why);
	if (r < 0)
		return 0;
	first = printed(&a);
	must(applied_parse(first, strlen(first), &back, &why) == 0);
	second = printed(&back);
	must(strcmp(first, second) == 0);
	return 0;
}
