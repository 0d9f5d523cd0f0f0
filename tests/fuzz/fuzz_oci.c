/* SPDX-License-Identifier: Apache-2.0 */
/* Any seccomp profile: refused with a sentence, or a filter that can be written, read again as
 * the same, and made into a program or refused. */
#include "fuzz.h"

#include "emit/emit.h"

static char *written(const struct filter *f, size_t *ret_len)
{
	struct policy p = { .filter = f };
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	must(out != NULL);
	must(emit_find("oci")->write(&p, NULL, out) == 0);
	must(fclose(out) == 0);
	return text;
}

/* Where one ABI speaks for itself nothing is lost on the way. */
static void check_again(const struct filter *f)
{
	_free_ char *text = NULL, *again = NULL, *why = NULL;
	_cleanup_(filter_free) struct filter *back = NULL;
	size_t len = 0, len_again = 0;

	text = written(f, &len);
	must(oci_parse(text, len, NULL, &back, NULL, &why) == 0);
	again = written(back, &len_again);
	must(len == len_again && memcmp(text, again, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const caps[] = { "CAP_KILL", NULL };
	_cleanup_(filter_free) struct filter *f = NULL;
	_free_ char *text = fuzz_text(data, size), *why = NULL;
	unsigned unknown = 0;
	int r = oci_parse(text, size, caps, &f, &unknown, &why);

	must(r == 0 ? f && !why : !f && why);
	if (r == 0)
		check_again(f);
	return 0;
}
