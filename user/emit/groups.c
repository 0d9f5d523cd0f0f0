/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "emit/formats.h"

/* policies/groups/calls, as it is, with a NUL after it. */
/* Of this very file: by the global offset table clang 14 misses it on arm64. */
extern const char emit_groups_data[] __attribute__((visibility("hidden")));
__asm__(".pushsection .rodata\n"
	".global emit_groups_data\n"
	"emit_groups_data:\n"
	".incbin \"policies/groups/calls\"\n"
	".byte 0\n"
	".popsection\n");

const char *const group_names[] = { "file system", "network", "memory", "process",
				    "signals",	   "time",    "ipc",	"io",
				    "security",	   "other",   NULL };

static const char *const *group_of_line(const char *line, const char *end)
{
	for (const char *const *g = group_names; *g; g++) {
		size_t len = strlen(*g);

		if ((size_t)(end - line) > len && strncmp(line, *g, len) == 0 && line[len] == ':')
			return g;
	}
	return NULL;
}

static bool line_has(const char *line, const char *end, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = line; (at = memmem(at, end - at, name, len)); at += len) {
		bool begins = at > line && at[-1] == ' ';
		bool ends = at + len == end || at[len] == ' ';

		if (begins && ends)
			return true;
	}
	return false;
}

const char *group_of(const char *name)
{
	const char *const *last = &group_names[ARRAY_SIZE(group_names) - 2];

	for (const char *line = emit_groups_data; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *const *g = group_of_line(line, end);

		if (g && line_has(line, end, name))
			return *g;
		line = *end ? end + 1 : end;
	}
	return *last;
}
