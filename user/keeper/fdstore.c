/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/fdstore.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

static void tell(const char *state, const int *fd)
{
	int r;

	do
		r = sd_pid_notify_with_fds(0, 0, state, fd, fd ? 1 : 0);
	while (r == -EINTR);
	if (r < 0)
		log_err_errno(r, "the service manager can't be told");
}

void fdstore_put(const char *what, uint64_t number, int fd, bool watched)
{
	_free_ char *state = text_format("FDSTORE=1\nFDNAME=%s-%" PRIu64 "%s", what, number,
					 watched ? "" : "\nFDPOLL=0");

	if (state)
		tell(state, &fd);
}

void fdstore_drop(const char *what, uint64_t number)
{
	_free_ char *state = text_format("FDSTOREREMOVE=1\nFDNAME=%s-%" PRIu64, what, number);

	if (state)
		tell(state, NULL);
}

bool fdstore_number(const char *name, const char *what, uint64_t *ret)
{
	size_t len = strlen(what);

	return name && strncmp(name, what, len) == 0 && name[len] == '-' &&
	       text_u64(name + len + 1, UINT64_MAX / 2, ret) == 0;
}
