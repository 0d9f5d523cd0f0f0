/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubelet's directory for localhostProfile: DIR/NAMESPACE/OWNER/CONTAINER.json of key
 * "kubernetes/NAMESPACE/OWNER/CONTAINER". Pods name it for good, so a file is replaced at once and
 * never unlinked; a placeholder is there before a pod refers to it.
 */
#pragma once

#include "apply/applied.h"

#define KUBELET_DIR "/var/lib/kubelet/seccomp/tamis"

/* What is in force with nothing applied: all calls but the guarded ones (EPERM), with the
 * conditions of policies/engine. Writes it where there is no file yet. */
int kubelet_placeholder(const char *dir, const char *key, char **ret_why);
/* `gate`: of the node's runtimes. There is no engine's profile to meet. */
int kubelet_put(const char *dir, const char *key, const struct generation *g,
		const struct sysset *gate, char **ret_why);
/* The placeholder again. */
int kubelet_release(const char *dir, const char *key, char **ret_why);
