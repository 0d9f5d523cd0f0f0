/* SPDX-License-Identifier: Apache-2.0 */
/* Any config.json, and any linux.cgroupsPath. */
#include "fuzz.h"

#include "identity/bundle.h"

static void check_text(int r, char *text, size_t max)
{
	must(r == 0 ? text && strlen(text) < max : !text);
	free(text);
}

static void check_places(const struct bundle *b, const char *text)
{
	struct place p;

	must(place_begin(&p, "/machine.slice/machine-a.slice/libpod-x.scope") == 0);
	while (place_next(&p)) {
		(void)bundle_proof(b, &p);
		(void)bundle_path_proof(text, &p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *got = NULL;
	struct bundle b = { .text = text, .config = { text, size } };
	int r = bundle_entry(&b, &got);

	check_text(r, got, 4096);
	got = NULL;
	r = bundle_annotation(&b, "io.kubernetes.cri.container-name", &got);
	check_text(r, got, 4096);
	got = NULL;
	r = bundle_long_annotation(&b, "io.kubernetes.cri-o.Labels", 16, &got);
	check_text(r, got, 16);
	check_places(&b, text);
	bundle_done(&b);
	return 0;
}
