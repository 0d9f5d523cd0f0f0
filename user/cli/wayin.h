/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an engine's start path leads through tamis-start on this host. */
#pragma once

#include <stdbool.h>

/* What has to be installed for it, as a command ("tamis install podman"), or NULL: a way in is
 * there, or none is needed. `root` "" but in tests. */
const char *wayin_missing(const char *root, const char *engine, bool kubelet_dir);
/* Whether a directory of podman's hooks has ours. */
bool wayin_has_hook(const char *dir);
