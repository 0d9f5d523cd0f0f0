/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/oracle_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/text.h"
#include "learn/oracle_plain.h"

char *oracle_file(const char *dir, int64_t workload, const char *what)
{
	return text_format("%s/%" PRId64 ".%s", dir, workload, what);
}

int oracle_files_dir(const char *state, char **ret)
{
	_free_ char *dir = text_format("%s/oracle", state);
	int r = dir ? file_mkdirs(dir, 0700) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = TAKE_PTR(dir);
	return 0;
}

void oracle_files_clear(const char *dir, int64_t workload)
{
	static const char *const all[] = { "before", "after", "log", "run", ORACLE_PLAIN };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_free_ char *path = oracle_file(dir, workload, all[i]);

		if (path)
			(void)unlink(path);
	}
}

int oracle_file_log(const char *dir, int64_t workload, struct oracle_twin *ret)
{
	_free_ char *path = oracle_file(dir, workload, "log"), *text = NULL;
	_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	size_t len = 0;
	off_t end;
	int r;

	if (fd < 0)
		return path ? 0 : -ENOMEM;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0 || lseek(fd, end > ORACLE_LOG_MAX ? end - ORACLE_LOG_MAX : 0, SEEK_SET) < 0)
		return -errno;
	r = file_read_fd(fd, 2 * ORACLE_LOG_MAX, &text, &len);
	if (r < 0)
		return r;
	ret->log = TAKE_PTR(text);
	ret->log_len = len;
	return 0;
}
