/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of containerd's shims: one directory per namespace and container, there from just
 * before the start until the exit. docker and CRI containers have theirs here as well. */
#pragma once

#include "identity/bundle.h"

/* Reads the bundle of a container in a namespace ("moby", "k8s.io", "default", ...), or with
 * namespace NULL in whichever has it. *ret_vm tells whether a virtual machine or a kernel in
 * user space runs it, *ret_namespace (may be NULL; caller frees) where it was. -ENOENT. */
int shim_read(const char *root, uid_t uid, const char *namespace, const char *id,
	      struct bundle *ret, bool *ret_vm, char **ret_namespace);

/* The same for the container at p, whose bundle may be given. */
struct identity_options;
int shim_ask(const struct identity_options *o, const struct place *p, const char *namespace,
	     const char *id, struct bundle *ret, bool *ret_vm, char **ret_namespace);

/* Whether that is the name of a runtime which runs containers off this kernel. */
bool shim_is_vm(const char *runtime);

/* Whether gVisor has a state of that container: nobody else's files tell. */
bool shim_is_gvisor(const char *root, uid_t uid, const char *id);
