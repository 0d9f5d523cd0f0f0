/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/oracle: what is left of a twin until it is judged. */
#pragma once

#include "learn/oracle.h"

#define ORACLE_LOG_MAX (1u << 20) /* of its end */

/* DIR/WORKLOAD.WHAT. Caller frees; NULL when out of memory. */
char *oracle_file(const char *dir, int64_t workload, const char *what);
/* Makes the directory below `state`, 0700. Caller frees. */
int oracle_files_dir(const char *state, char **ret);
/* Nothing is known any more of the last twin. */
void oracle_files_clear(const char *dir, int64_t workload);
/* Fills ret's log from WORKLOAD.log, the end of it; 0 also when there is none. */
int oracle_file_log(const char *dir, int64_t workload, struct oracle_twin *ret);
