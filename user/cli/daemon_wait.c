/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_wait.h"

#include <signal.h>
#include <time.h>

bool daemon_wait(void)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	return sigtimedwait(&stop, NULL, &second) < 0;
}
