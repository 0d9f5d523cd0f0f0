/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON: where jansson reads it too, both find the same. */
#include "fuzz.h"

#include <jansson.h>

#include "identity/slice.h"

/* "\0" in names and strings is refused by both; names with escapes are found by jansson alone. */
static void check_member(struct slice s, const json_t *want, const char *name)
{
	struct slice got = { 0 };
	char *text = NULL;
	const json_t *value = json_object_get(want, name);

	if (slice_member(s, name, &got) < 0)
		return;
	must(got.text >= s.text && got.text + got.len <= s.text + s.len);
	if (slice_text(got, 64, &text) < 0)
		return;
	must(strlen(text) < 64);
	must(!value || !json_is_string(value) || strcmp(json_string_value(value), text) == 0 ||
	     memchr(s.text, '\\', s.len));
	free(text);
}

static size_t count(struct slice s, int *ret_end)
{
	struct slice element;
	size_t at = 0, n = 0;

	while ((*ret_end = slice_next(s, &at, &element)) > 0) {
		must(element.text >= s.text && element.text + element.len <= s.text + s.len);
		n++;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct slice s = { text, size };
	json_t *want = json_loadb(text, size, 0, NULL);
	int end = 0;
	size_t n;

	check_member(s, json_is_object(want) ? want : NULL, "a");
	check_member(s, json_is_object(want) ? want : NULL, "name");
	n = count(s, &end);
	must(!json_is_array(want) || end < 0 || n == json_array_size(want));
	json_decref(want);
	free(text);
	return 0;
}
