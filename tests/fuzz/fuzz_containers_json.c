/* SPDX-License-Identifier: Apache-2.0 */
/* Any containers.json, images.json. */
#include "fuzz.h"

#include "identity/identity.h"
#include "identity/storage.h"

static void check_text(const char *text)
{
	must(!text || strlen(text) < IDENTITY_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *digest = NULL;
	struct slice json = { text, size };
	struct stored s = STORED_INIT;

	if (storage_parse_container(json, "aaaa0001", &s) < 0)
		must(!s.name && !s.image && !s.image_id && !s.digest);
	check_text(s.name);
	check_text(s.image);
	check_text(s.image_id);
	stored_done(&s);
	must((storage_parse_digest(json, "f00d", &digest) == 0) == (digest != NULL));
	check_text(digest);
	free(digest);
	free(text);
	return 0;
}
