/* SPDX-License-Identifier: Apache-2.0 */
/* What podman says of a container of ours. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "mine/target_internal.h"

void inspected_done(struct inspected *i)
{
	free(i->image);
	free(i->program);
	free(i->host);
	free(i->runtime);
	*i = (struct inspected){ 0 };
}

static int take_text(const json_t *value, char **ret)
{
	const char *text = json_string_value(value);

	if (!text || !*text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

/* Of the first network that gave it one. */
static const json_t *address(const json_t *network)
{
	const json_t *ret = json_object_get(network, "IPAddress");
	const char *key;
	json_t *one;

	json_object_foreach(json_object_get(network, "Networks"), key, one)
	{
		const char *text = json_string_value(ret);

		if (text && *text)
			break;
		ret = json_object_get(one, "IPAddress");
	}
	return ret;
}

/* The last component of a path. */
static int take_name(const json_t *path, char **ret)
{
	const char *text = json_string_value(path);
	const char *slash = text ? strrchr(text, '/') : NULL;

	if (!text)
		return 0;
	*ret = strdup(slash ? slash + 1 : text);
	return *ret ? 0 : -ENOMEM;
}

static int take_container(const json_t *c, struct inspected *i)
{
	const json_t *config = json_object_get(c, "Config");
	const json_t *state = json_object_get(c, "State");
	const json_t *check = json_object_get(config, "Healthcheck");
	int r;

	if (!json_is_object(config) || !json_is_object(state))
		return -EINVAL;
	i->pid = (pid_t)json_integer_value(json_object_get(state, "Pid"));
	i->code = (int)json_integer_value(json_object_get(state, "ExitCode"));
	i->health = json_array_size(json_object_get(check, "Test")) > 0;
	i->exposes = json_object_size(json_object_get(config, "ExposedPorts")) > 0;
	r = take_text(json_object_get(c, "ImageName"), &i->image);
	if (r == 0)
		r = take_name(json_object_get(c, "OCIRuntime"), &i->runtime);
	if (r == 0)
		r = take_text(address(json_object_get(c, "NetworkSettings")), &i->host);
	return r < 0 ? r : take_name(json_object_get(c, "Path"), &i->program);
}

int inspected_parse(const char *text, size_t len, struct inspected *ret)
{
	struct inspected i = { 0 };
	json_t *json = json_loadb(text, len, 0, NULL);
	int r = json_array_size(json) == 1 ? take_container(json_array_get(json, 0), &i) : -EINVAL;

	json_decref(json);
	if (r < 0) {
		inspected_done(&i);
		return r;
	}
	inspected_done(ret);
	*ret = i;
	return 0;
}
