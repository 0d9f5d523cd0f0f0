/* SPDX-License-Identifier: Apache-2.0 */
/* Any mountinfo: a user's mounts have names of the user's. */
#include "fuzz.h"

#include "identity/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *mount = NULL;
	FILE *f = size ? fmemopen(text, size, "r") : NULL;
	int r;

	if (f) {
		r = mounts_cgroup2(f, &mount);
		must(r < 0 || (r == CGROUPS_V1) == !mount);
		must(!mount || strlen(mount) < size);
		fclose(f);
	}
	free(mount);
	free(text);
	return 0;
}
