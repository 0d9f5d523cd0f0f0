/* SPDX-License-Identifier: Apache-2.0 */
/* Any storage.conf, config.toml, crio.conf; any path of a user in one. */
#include "fuzz.h"

#include "identity/storage_conf.h"
#include "identity/toml.h"

static void check_value(const char *text, const char *section, const char *name)
{
	char *value = toml_text(text, section, name);

	must(!value || strstr(text, value));
	must(!value || !strchr(value, '\n'));
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *path;
	struct storage_conf conf = STORAGE_CONF_INIT;

	check_value(text, "", "state");
	check_value(text, "crio", "root");
	storage_conf_parse(text, &conf);
	must(!conf.graphroot || conf.graphroot[0] == '/');
	must(!conf.runroot || conf.runroot[0] == '/');
	must(!conf.driver || (*conf.driver && !strchr(conf.driver, '/')));
	storage_conf_done(&conf);
	path = storage_conf_expand(text, "/home/u", 1000);
	must(!path || *path == '/');
	free(path);
	free(text);
	return 0;
}
