/* SPDX-License-Identifier: Apache-2.0 */
/* Any config.json of a pod's container, as CRI-O writes them. */
#include "fuzz.h"

#define engine_crio fuzzed_engine
#include "identity/crio.c"

#include "key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity i = { .enforceable = true };
	char *text = fuzz_text(data, size);
	struct bundle b = { .text = text, .config = { text, size } };
	int r;

	i.engine = strdup("crio");
	i.container = strdup("0123456789abcdef");
	must(i.engine && i.container);
	(void)is_crio(&b);
	r = take("/nonexistent", &b, &i);
	must(r >= 0);
	must(r == 1 ? !i.key : i.key != NULL);
	if (r == 0)
		check_key(i.key);
	must(i.enforceable || i.why_not);
	identity_done(&i);
	bundle_done(&b);
	return 0;
}
