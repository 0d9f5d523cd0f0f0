/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/text.h"

#define STAGES	 2
#define FILE_MAX (64u << 10)

static const char *const stages[STAGES] = { "precreate", "poststop" };

const char *const hook_files[] = { "tamis-precreate.json", "tamis-poststop.json", NULL };

/* Caller frees; NULL: no memory. */
static char *print_hook(const char *stage, const char *start, const char *state)
{
	json_auto_t *hook =
		json_pack("{s:s, s:{s:s, s:[s,s,s,s], s:i}, s:{s:b}, s:[s]}", "version", "1.0.0",
			  "hook", "path", start, "args", "tamis-start", stage, "--state", state,
			  "timeout", HOOK_TIMEOUT, "when", "always", 1, "stages", stage);
	_free_ char *text = hook ? json_text(hook, JSON_INDENT(4)) : NULL;

	return text ? text_format("%s\n", text) : NULL;
}

static bool is_there(int dir, const char *name, const char *text)
{
	_free_ char *old = NULL;
	size_t len;

	return file_read_at(dir, name, FILE_MAX, &old, &len) == 0 && len == strlen(text) &&
	       memcmp(old, text, len) == 0;
}

/* 1: it was there. */
static int put_one(int dir, const char *name, const char *stage, const char *start,
		   const char *state)
{
	_free_ char *text = print_hook(stage, start, state);

	if (!text)
		return -ENOMEM;
	if (is_there(dir, name, text))
		return 1;
	return file_replace_at(dir, name, text, strlen(text), 0644);
}

int hook_put(const char *path, const char *start, const char *state)
{
	_close_ int dir = -1;
	int all = 1, r = file_mkdirs(path, 0755);

	if (r < 0)
		return r;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	for (int i = 0; i < STAGES; i++) {
		r = put_one(dir, hook_files[i], stages[i], start, state);
		if (r < 0)
			return r;
		all &= r;
	}
	return all;
}

int hook_remove(const char *path)
{
	_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int none = 1;

	if (dir < 0)
		return errno == ENOENT ? 1 : -errno;
	for (int i = 0; i < STAGES; i++) {
		if (unlinkat(dir, hook_files[i], 0) == 0)
			none = 0;
		else if (errno != ENOENT)
			return -errno;
	}
	return none;
}
