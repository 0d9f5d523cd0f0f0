/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

int daemon_lock(const char *dir, int *ret)
{
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return log_err_errno(-errno, "%s", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return log_err_errno(-errno, "can't lock %s", dir);
		log_err("%s: another tamis daemon uses it", dir);
		return -EWOULDBLOCK;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

int daemon_lock_made(const char *dir, int *ret)
{
	int r = file_mkdirs(dir, 0700);

	return r < 0 ? log_err_errno(r, "%s", dir) : daemon_lock(dir, ret);
}
