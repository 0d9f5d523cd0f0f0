/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says about applying, for the daemon and for commands:
 *
 *	[apply]
 *	kubelet-dir = /var/lib/kubelet/seccomp/tamis     default: not used
 *	on-new-image = observe|keep|probation            default: observe
 *	trial = 60                                       seconds, 5..3600
 *	keeper = /run/tamis/keeper.sock                  tamis-keeper's socket
 *	[probation podman/web*]
 *	rule = learn|ask|deny                            default: learn
 *	[auto podman/web*]
 *	mode = observe|shadow|probation|enforce
 *	observe = 24h
 *	starts = 2
 *	quiet = 12h
 *	coverage = 95                                    per cent, 1..99; default: any
 */
#pragma once

#include <stdbool.h>

#include "learn/auto.h"

struct apply_config {
	char *kubelet_dir;
	char *keeper; /* NULL: KEEPER_SOCKET */
	bool keep_new_image, probe_new_image;
	unsigned trial_s;
	struct auto_rules rules;
	struct probation_rules probation;
};

/* One line of such a section; `c` begins as { .trial_s = APPLIED_TRIAL_S }. 1: it is none of ours.
 * -ENOENT, -EINVAL as daemon_option, and what apply_config_why has a sentence for. */
int apply_config_line(struct apply_config *c, const char *section, const char *key,
		      const char *value);
const char *apply_config_why(int r);
/* Reads those sections of a file; a missing file leaves the defaults. Logs the first bad line. */
int apply_config_read(const char *path, struct apply_config *ret);
void apply_config_done(struct apply_config *c);
