/* SPDX-License-Identifier: Apache-2.0 */
/* Any config.v2.json, hostconfig.json, daemon.json of docker's. */
#include "fuzz.h"

#define engine_docker fuzzed_engine
#include "identity/docker.c"

#include "key.h"

static void check_config(char *text, size_t size)
{
	struct identity i = { .enforceable = true };
	struct config c = { .text = strdup(text), .json = { text, size } };
	char *runtime = NULL, *moved = NULL;

	i.engine = strdup("docker");
	i.container = strdup("0123456789abcdef");
	must(i.engine && i.container && c.text);
	take_config(&c, &i);
	must(make_key(&i, 1000, &c, "entry") == 0);
	check_key(i.key);
	must(i.enforceable || i.why_not);
	take_text(c.json, AT("Runtime"), &runtime);
	must(!runtime || !strstr(runtime, "kata") || shim_is_vm(runtime));
	take_text(c.json, AT("data-root"), &moved);
	must(!moved || strlen(moved) < IDENTITY_TEXT_MAX);
	free(runtime);
	free(moved);
	config_done(&c);
	identity_done(&i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_config(text, size);
	free(text);
	return 0;
}
