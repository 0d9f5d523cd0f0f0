/* SPDX-License-Identifier: Apache-2.0 */
/* What a command needs to be there, asked before it does anything. All log why not. */
#pragma once

/* The cgroup2 mount; caller frees. -ENOTSUP: there is none. */
int places_cgroup2(char **ret);

/* Whether a file can be written there; NULL: nothing is to be. */
int places_output(const char *path);
