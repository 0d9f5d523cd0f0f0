/* SPDX-License-Identifier: Apache-2.0 */
/* Any config.json of a pod's container, as containerd writes them. */
#include "fuzz.h"

#define engine_cri fuzzed_engine
#include "identity/cri.c"

#include "key.h"

#define POD "/kubepods/pod0123456789abcdef0123456789abcdef/x"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct identity_options nowhere = { .root = "/nonexistent" };
	struct identity i = { .enforceable = true };
	char *text = fuzz_text(data, size);
	struct bundle b = { .text = text, .config = { text, size } };
	struct place p;
	int r;

	i.engine = strdup("kubernetes");
	i.container = strdup("0123456789abcdef");
	must(i.engine && i.container && place_begin(&p, POD) == 0);
	while (place_next(&p) && p.end < strlen(POD))
		;
	(void)is_clients(&b, &p);
	r = take(&nowhere, &p, &b, &i);
	must(r >= 0);
	must(r == 1 ? !i.key : i.key != NULL);
	if (r == 0)
		check_key(i.key);
	identity_done(&i);
	bundle_done(&b);
	return 0;
}
