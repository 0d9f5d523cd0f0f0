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

/* The pod was made of a file on this node: its uid in the path is a plain hash, 32 hex digits. */
bool kube_is_static(const struct place *p);

/* A container's or a sandbox's id: 64 lower-case hex digits. */
bool kube_is_id(const char *s);

/* The node's name as pods have it, by etc/hostname. NULL when not known. Caller frees. */
char *kube_host(const char *root);

/* A pod's sandbox holds its namespaces and runs nothing but a wait (pause): it belongs to the engine
 * as a monitor does and is nobody's workload. Shown under this name, which no container can have,
 * where it is a virtual machine for all of the pod. */
#define KUBE_SANDBOX "POD"

/* Fills the fields that are still NULL from /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log. */
int kube_take_log_link(const char *root, struct identity *i);

/* Takes such a link's name apart. -ENOENT when it isn't of that id; names the kubelet had to cut
 * have lost the end of the id. All or none are set; caller frees. */
int kube_parse_log_link(const char *link, const char *id, char **ret_pod, char **ret_namespace,
			char **ret_container);

/* What is known of a pod beside its name. */
struct kube_evidence {
	struct slice labels, annotations; /* JSON objects */
	const char *created;		  /* a container of it, RFC 3339 */
	const char *host;		  /* the node */
	bool is_static;
};

/* The name of what made the pod: the pod's own name, less the suffixes that those prove to be
 * generated. NULL when out of memory. Caller frees. */
char *kube_owner(const char *pod, const struct kube_evidence *e);

/* "kubernetes/NAMESPACE/OWNER/CONTAINER"; container name in i->name. owner NULL: the pod. */
int kube_key(struct identity *i, uid_t uid, const char *owner);
