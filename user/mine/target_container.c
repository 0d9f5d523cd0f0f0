/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is there: its twin, made by the command line that made it (learn/oracle_argv.h),
 * under another name. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "learn/oracle_podman.h"
#include "mine/target_internal.h"

#define TWIN_BEGIN 7 /* words of oracle_argv_twin before the container's own */

/* Volumes without a name are made for each container, unless it has another's. */
static bool is_own(const json_t *mount, const struct oracle_argv *create)
{
	static const char from[] = "--volumes-from";
	const char *name = json_string_value(json_object_get(mount, "Name"));

	for (size_t i = 0; i < create->cnt; i++)
		if (strncmp(create->word[i], from, strlen(from)) == 0)
			return false;
	return name && strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* Where it writes to what its twin would have, too; NULL: nowhere. */
static char *find_shared(const struct run_result *inspected, const struct oracle_argv *create)
{
	json_t *json = json_loadb(inspected->out, inspected->out_len, 0, NULL);
	const json_t *mounts = json_object_get(json_array_get(json, 0), "Mounts"), *mount;
	char *ret = NULL;
	size_t i;

	json_array_foreach(mounts, i, mount)
	{
		const char *where = json_string_value(json_object_get(mount, "Destination"));

		if (!json_is_true(json_object_get(mount, "RW")) || is_own(mount, create))
			continue;
		ret = text_escaped(where ?: "?", 256);
		break;
	}
	json_decref(json);
	return ret;
}

/* Two databases on the same files are the end of them. */
static int check_shared(const struct run_result *inspected, const struct oracle_inspected *is,
			char **ret_why)
{
	_free_ char *where = is->running ? find_shared(inspected, &is->create) : NULL;

	return where ? text_why(-EBUSY, ret_why,
				"it runs, and its twin would write to the same %s: stop it first",
				where)
		     : 0;
}

static int inspect_original(struct target *t, struct oracle_inspected *ret, char **ret_why)
{
	const char *const words[] = { "inspect", "--type", "container", t->o.name, NULL };
	const struct podman_how how = { 0 };
	_run_result_ struct run_result result = { 0 };
	int r = podman_call(t, words, &how, &result);

	if (r < 0)
		return r == -EINTR ? r : text_why(r, ret_why, "podman: %s", strerror(-r));
	if (!run_succeeded(&result))
		return text_why(-ENOENT, ret_why, "no such container");
	r = oracle_inspected_parse(result.out, result.out_len, ret);
	if (r < 0)
		return text_why(r, ret_why, "podman inspect says nothing that can be read");
	return check_shared(&result, ret, ret_why);
}

/* Its image: what the twin is of, too. */
static int image_of(struct target *t, char **ret)
{
	const char *const words[] = { "inspect",	"--type",  "container", "--format",
				      "{{.ImageName}}", t->o.name, NULL };
	const struct podman_how how = { 0 };
	_run_result_ struct run_result result = { 0 };
	int r = podman_call(t, words, &how, &result);

	if (r < 0)
		return r;
	if (!run_succeeded(&result) || !result.out)
		return -ENOENT;
	result.out[strcspn(result.out, "\n")] = '\0';
	*ret = strdup(result.out);
	return *ret ? 0 : -ENOMEM;
}

/* A profile of its own gives way to what is tried. */
static int take_words(struct target *t, const struct oracle_argv *twin)
{
	int r = 0;

	for (size_t i = TWIN_BEGIN; r == 0 && i < twin->cnt; i++)
		r = oracle_argv_add(&t->create, twin->word[i]);
	return r;
}

static int open_container(struct target *t, char **ret_why)
{
	_inspected_ struct oracle_inspected is = { 0 };
	_argv_ struct oracle_argv twin = { 0 };
	_free_ char *image = NULL;
	int r = podman_open(t);

	if (r == 0)
		r = inspect_original(t, &is, ret_why);
	if (r < 0)
		return r;
	if (is.create.cnt == 0)
		return text_why(-ENOTSUP, ret_why,
				"podman doesn't know the command line that it was made with");
	r = image_of(t, &image);
	if (r == 0)
		r = oracle_argv_twin(&is.create, "twin", image, true, &twin);
	if (r == 0 && !t->o.podman)
		r = oracle_argv_global(&is.create, &t->podman);
	if (r == 0)
		r = take_words(t, &twin);
	return r < 0 ? text_why(r, ret_why, "the command line that it was made with can't be read")
		     : 0;
}

static int start_container(struct target *t, const char *profile, char **ret_why)
{
	static const char *const pulled[] = { "--pull", "never", NULL };
	_argv_ struct oracle_argv words = { 0 };
	int r = oracle_argv_adds(&words, pulled);

	if (r == 0)
		r = podman_options((const char *const *)t->create.word, profile != NULL, &words);
	return r < 0 ? r : podman_start(t, (const char *const *)words.word, profile, ret_why);
}

const struct target_ops target_container = {
	.open = open_container,
	.start = start_container,
	.stop = podman_stop,
	.status = podman_status,
	.exec = podman_exec,
	.log = podman_log,
	.healthy = podman_healthy,
	.clean = podman_clean,
};
