/* SPDX-License-Identifier: Apache-2.0 */
/* Any state.json of runc's, status of crun's: it proves the one place that it names, or none. */
#include "fuzz.h"

#define engine_bare fuzzed_engine
#include "identity/bare.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/c1", "/system.slice/crun-c1.scope" };
	char *text = fuzz_text(data, size);
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(runtimes); i++) {
		size_t agreed = 0;

		for (n = 0; n < ARRAY_SIZE(paths); n++) {
			struct place p;

			must(place_begin(&p, paths[n]) == 0);
			while (place_next(&p))
				;
			agreed += text_proof(&runtimes[i], (struct slice){ text, size }, &p) ==
				  PROOF_AGREES;
		}
		must(agreed <= 1);
	}
	free(text);
	return 0;
}
