/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle_internal.h"

#define HOLD_MAX 64

static const char *const names[ORACLE_STATE_MAX] = {
	[ORACLE_WATCH] = "watch",   [ORACLE_STOP] = "stop",	[ORACLE_TWIN] = "twin",
	[ORACLE_WINDOW] = "window", [ORACLE_UNTWIN] = "untwin", [ORACLE_JUDGE] = "judge",
	[ORACLE_START] = "start",   [ORACLE_REST] = "rest",
};

void oracle_trace(const struct oracles *all, const struct oracle_machine *m)
{
	_free_ char *line = NULL;
	_close_ int fd = -1;

	if (!all->o.trace)
		return;
	line = text_format("%s %s\n", names[m->row.state], m->key);
	fd = open(all->o.trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (line && fd >= 0)
		(void)!write(fd, line, strlen(line));
}

bool oracle_is_held(const struct oracles *all, const struct oracle_machine *m)
{
	_free_ char *path = NULL, *text = NULL;

	if (!all->o.trace)
		return false;
	path = text_format("%s.hold", all->o.trace);
	if (!path || file_read_at(AT_FDCWD, path, HOLD_MAX, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, names[m->row.state]) == 0;
}
