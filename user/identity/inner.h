/* SPDX-License-Identifier: Apache-2.0 */
/* Containers inside of a container: for display, by the shape of their paths alone. */
#pragma once

/* What the outermost one on `rest`, a path below an owner ("" or "/..."), is called:
 * "docker/0123456789ab", "lxc/NAME"; *ret is NULL when no engine's pattern is there. -ENOMEM. */
int inner_label(const char *rest, char **ret);
