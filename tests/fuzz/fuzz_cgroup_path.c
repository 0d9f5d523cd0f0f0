/* SPDX-License-Identifier: Apache-2.0 */
/* Any path, with and without watches; no files there. */
#include "fuzz.h"

#include "identity/identity.h"
#include "key.h"

static void check(const struct identity_options *o, const char *path)
{
	struct identity i = IDENTITY_INIT;

	if (identity_of_path(o, path, &i) < 0) {
		must(!i.key && !i.engine);
		return;
	}
	must(i.engine && i.key && (i.enforceable || i.why_not));
	must(i.owner_len > 0 && i.owner_len <= strlen(path));
	must(path[i.owner_len] == '\0' || path[i.owner_len] == '/');
	check_key(i.key);
	check_key(i.owner);
	if (i.inner)
		check_key(i.inner);
	identity_done(&i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const watch[] = { "*", NULL };
	const struct identity_options blind = { .root = "/nonexistent" },
				      watching = { .root = "/nonexistent", .watch = watch };
	char *path = fuzz_text(data, size);

	check(&blind, path);
	check(&watching, path);
	free(path);
	return 0;
}
