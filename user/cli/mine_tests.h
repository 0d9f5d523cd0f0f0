/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that a line of `tamis mine` means. All log why not. */
#pragma once

#include "cli/mine_job.h"

/* An option's value: a directory's executables, or one command. */
int mine_tests_take(const char *text, struct mine_tests *tests);
/* Where there are none, the explorations are read; fills j->digest: what the tests are. */
int mine_tests_check(struct mine_job *j);
