/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/mounts.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

struct mount_line {
	char *root, *point, *type;
};

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

/* The kernel writes blanks, newlines, '#' and backslashes of a path as \ooo. */
static void unescape_octal(char *s)
{
	char *out = s;

	for (; *s; out++) {
		if (s[0] == '\\' && is_octal(s + 1)) {
			*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

/* "36 35 98:0 ROOT POINT options [optional...] - TYPE source options": cuts line in place. */
static bool split_line(char *line, struct mount_line *ret)
{
	struct mount_line m = { 0 };
	char *save = NULL, *field = strtok_r(line, " \n", &save);
	size_t n;

	for (n = 0; field; n++) {
		if (n == 3)
			m.root = field;
		if (n == 4)
			m.point = field;
		if (n >= 6 && strcmp(field, "-") == 0) {
			m.type = strtok_r(NULL, " \n", &save);
			break;
		}
		field = strtok_r(NULL, " \n", &save);
	}
	if (!m.type)
		return false;
	*ret = m;
	return true;
}

int mounts_cgroup2(FILE *f, char **ret)
{
	_free_ char *line = NULL, *point = NULL;
	size_t room = 0;
	bool v1 = false;

	while (getline(&line, &room, f) > 0) {
		struct mount_line m;

		if (!split_line(line, &m))
			continue;
		v1 |= strcmp(m.type, "cgroup") == 0;
		if (point || strcmp(m.type, "cgroup2") != 0 || strcmp(m.root, "/") != 0)
			continue;
		point = strdup(m.point);
		if (!point)
			return -ENOMEM;
		unescape_octal(point);
	}
	if (ferror(f))
		return -EIO;
	*ret = TAKE_PTR(point);
	if (!*ret)
		return CGROUPS_V1;
	return v1 ? CGROUPS_HYBRID : CGROUPS_V2;
}
