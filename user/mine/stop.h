/* SPDX-License-Identifier: Apache-2.0 */
/* INT, TERM and HUP as a descriptor, so that whoever waits for anything else sees them too. */
#pragma once

/* Blocks the three for the process and its threads, and ignores PIPE: whoever reads what we print may go
 * at any moment, and what was begun has to be taken away all the same. Children get them back (mine/run.h).
 * Returns the descriptor, the process's for good. */
int stop_watch(void);
/* Whether one came. Stays true. */
int stop_asked(int fd);
/* Waits so long, or until a stop is asked (-EINTR). */
int stop_sleep(int fd, unsigned ms);
