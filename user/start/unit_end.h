/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd says of how a service ended (systemd.exec(5), "Environment Variables Set or Propagated
 * by the Service Manager"). Pure. */
#pragma once

#include "apply/trial.h"

#define UNIT_END_FAILED 255 /* "exited with" where systemd ended it for a failure of its own */

/* Each may be NULL. $SERVICE_RESULT "success": an exit status that its unit calls a success is 0. What
 * systemd ended because it didn't get ready, or didn't answer in time, wasn't asked to end: its exit
 * is UNIT_END_FAILED. What ran out of memory says nothing of a filter: TRIAL_UNKNOWN. */
enum trial_end unit_end_read(const char *result, const char *code, const char *status,
			     int *ret_code);
