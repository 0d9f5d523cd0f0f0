/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wayin.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "apply/hook.h"
#include "apply/wrapper.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define HOOK_MAX (64u << 10)

CLEANUP_DEFINE(DIR *, closedir);

/* A hook of ours that is asked before a container is made. */
static bool is_hook(const char *dir, const char *name)
{
	_free_ char *path = text_format("%s/%s", dir, name), *text = NULL;
	size_t len = strlen(name);

	if (len < 5 || strcmp(name + len - 5, ".json") != 0 || !path)
		return false;
	return file_read_at(AT_FDCWD, path, HOOK_MAX, &text, NULL) == 0 &&
	       strstr(text, "tamis-start") && strstr(text, "precreate");
}

bool wayin_has_hook(const char *path)
{
	_cleanup_(closedir) DIR *dir = opendir(path);
	bool found = false;

	for (struct dirent *e = dir ? readdir(dir) : NULL; e && !found; e = readdir(dir))
		found = is_hook(path, e->d_name);
	return found;
}

static bool has_hook(const char *root)
{
	static const char *const dirs[] = { "/etc/containers/oci/hooks.d", HOOK_DIR };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !found; i++) {
		_free_ char *path = text_format("%s%s", root, dirs[i]);

		found = path && wayin_has_hook(path);
	}
	return found;
}

/* Where `tamis install wrapper` puts them unless it is told otherwise. */
static bool has_wrapper(const char *root)
{
	_free_ char *path = text_format("%s%s", root, WRAPPER_DIR);
	_cleanup_(closedir) DIR *dir = path ? opendir(path) : NULL;
	bool found = false;

	for (struct dirent *e = dir ? readdir(dir) : NULL; e && !found; e = readdir(dir)) {
		_free_ char *program = text_format("%s/%s", path, e->d_name);

		found = program && strncmp(e->d_name, "tamis-", 6) == 0 &&
			wrapper_kind(program) == WRAPPER_OURS;
	}
	return found;
}

const char *wayin_missing(const char *root, const char *engine, bool kubelet_dir)
{
	if (!engine || strcmp(engine, "systemd") == 0 || has_wrapper(root))
		return NULL;
	if (strcmp(engine, "podman") == 0)
		return has_hook(root) ? NULL : "tamis install podman";
	if (strcmp(engine, "kubernetes") == 0 && kubelet_dir)
		return NULL;
	return "tamis install wrapper --runtime PATH";
}
