/* SPDX-License-Identifier: Apache-2.0 */
/* What both CRI engines share: where pods' cgroups lie, whose a pod is, the kubelet's links. */
#pragma once

#include "identity/identity.h"
#include "identity/place.h"
#include "identity/slice.h"

/* The component lies directly in a pod's cgroup, as the kubelet makes them. */
bool kube_in_pod(const struct place *p);

/* It lies below "/kubepods", the kubelet's own. */
bool kube_is_home(const struct place *p);

/* A pod sandbox's own (pause) container. No container can be called that. */
#define KUBE_SANDBOX "POD"

/* Fills the fields that are still NULL from /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log. */
int kube_take_log_link(const char *root, struct identity *i);

/* Takes such a link's name apart. -ENOENT when it isn't of that id; names the kubelet had to cut
 * have lost the end of the id. All or none are set; caller frees. */
int kube_parse_log_link(const char *link, const char *id, char **ret_pod, char **ret_namespace,
			char **ret_container);

/* The name of what made the pod, by its labels (a JSON object) and annotations: the pod's own name,
 * less the suffix that those prove to be generated. NULL when out of memory. Caller frees. */
char *kube_owner(const char *pod, struct slice labels, struct slice annotations, const char *host);

/* "kubernetes/NAMESPACE/OWNER/CONTAINER"; container name in i->name. owner NULL: the pod. */
int kube_key(struct identity *i, uid_t uid, const char *owner);
