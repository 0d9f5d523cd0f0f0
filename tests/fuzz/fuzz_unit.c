/* SPDX-License-Identifier: Apache-2.0 */
/* Any unit file. What carries names an engine; what accepts says so. */
#include "fuzz.h"

#include "identity/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *copy = fuzz_text(data, size);
	bool start = strstr(text, "ExecStart"), accept = strstr(text, "Accept");
	bool shares = unit_text_shares(text), carries = unit_text_carries(text);

	must(!carries || start);
	must(!shares || carries);
	must(!unit_text_accepts(copy) || accept);
	free(text);
	free(copy);
	return 0;
}
