/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/kube.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/state.h"

#define LINKS_MAX    100000
#define ID_MIN	     12
#define LABELS_MAX   256
#define SUFFIX_LEN   5
/* What Kubernetes makes random suffixes of: no vowels, nothing that looks like another. */
#define SAFE_LETTERS "bcdfghjklmnpqrstvwxz2456789"

CLEANUP_DEFINE(DIR *, closedir);

static bool is_kubepods(const struct place *p)
{
	return place_is(p, "kubepods") || place_is(p, "kubepods.slice") ||
	       place_ends(p, "-kubepods.slice");
}

/* "pod<uid>", "kubepods-pod<uid>.slice", "kubepods-burstable-pod<uid>.slice". */
static bool is_pod(const struct place *p)
{
	if (place_starts(p, "pod"))
		return true;
	return place_ends(p, ".slice") &&
	       memmem(p->path + p->start, p->end - p->start, "-pod", strlen("-pod"));
}

bool kube_in_pod(const struct place *p)
{
	struct place q;
	bool below = false;

	if (place_begin(&q, p->path) < 0)
		return false;
	while (place_next(&q) && q.end <= p->above) {
		if (below && q.end == p->above)
			return is_pod(&q);
		below |= is_kubepods(&q);
	}
	return false;
}

bool kube_is_home(const struct place *p)
{
	return place_top_is(p, "kubepods");
}

/* --- the kubelet's links ------------------------------------------------------------------ */

static bool is_of_id(const char *hex, size_t len, const char *id)
{
	return len >= ID_MIN && len <= strlen(id) && strncmp(hex, id, len) == 0;
}

int kube_parse_log_link(const char *link, const char *id, char **ret_pod, char **ret_namespace,
			char **ret_container)
{
	const char *dot = strrchr(link, '.'), *dash = strrchr(link, '-'), *ns, *name;
	_free_ char *pod = NULL, *namespace = NULL, *container = NULL;

	if (!dot || !dash || dash > dot || strcmp(dot, ".log") != 0)
		return -ENOENT;
	if (!is_of_id(dash + 1, (size_t)(dot - dash - 1), id))
		return -ENOENT;
	ns = strchr(link, '_');
	name = ns ? strchr(ns + 1, '_') : NULL;
	if (!name || name > dash || strchr(name + 1, '_') || name + 1 == dash)
		return -ENOENT;
	pod = strndup(link, (size_t)(ns - link));
	namespace = strndup(ns + 1, (size_t)(name - ns - 1));
	container = strndup(name + 1, (size_t)(dash - name - 1));
	if (!pod || !namespace || !container)
		return -ENOMEM;
	*ret_pod = TAKE_PTR(pod);
	*ret_namespace = TAKE_PTR(namespace);
	*ret_container = TAKE_PTR(container);
	return 0;
}

static void take_if_missing(char **field, char **value)
{
	if (!*field)
		*field = TAKE_PTR(*value);
}

int kube_take_log_link(const char *root, struct identity *i)
{
	_free_ char *pod = NULL, *namespace = NULL, *container = NULL;
	_state_ struct state s = STATE_INIT;
	_cleanup_(closedir) DIR *dir = NULL;
	const struct dirent *e;
	int r = -ENOENT, n = 0;

	if (i->name && i->pod && i->namespace)
		return 0;
	if (state_open(root, 0, "/var/log/containers", &s) == 0)
		dir = state_list(&s);
	while (dir && r == -ENOENT && n++ < LINKS_MAX && (e = readdir(dir)))
		r = kube_parse_log_link(e->d_name, i->container, &pod, &namespace, &container);
	if (r == -ENOMEM)
		return r;
	take_if_missing(&i->pod, &pod);
	take_if_missing(&i->namespace, &namespace);
	take_if_missing(&i->name, &container);
	return 0;
}

/* --- whose a pod is ----------------------------------------------------------------------- */

static char *label(struct slice labels, const char *name)
{
	char *text = NULL;
	struct slice s;

	if (labels.text && slice_member(labels, name, &s) == 0)
		(void)slice_text(s, LABELS_MAX, &text);
	return text;
}

/* pod is OWNER "-" and five random letters: the length of OWNER, or 0. */
static size_t before_random(const char *pod)
{
	size_t len = strlen(pod), owner = len - SUFFIX_LEN - 1;

	if (len < SUFFIX_LEN + 2 || pod[owner] != '-')
		return 0;
	return strspn(pod + owner + 1, SAFE_LETTERS) == SUFFIX_LEN ? owner : 0;
}

/* Deployment: OWNER "-" HASH "-" RANDOM, and the label says the hash. */
static size_t owner_of_deployment(const char *pod, struct slice labels)
{
	_free_ char *hash = label(labels, "pod-template-hash");
	size_t len = before_random(pod), tail = hash ? strlen(hash) : 0;

	if (!hash || tail == 0 || len < tail + 2)
		return 0;
	if (strncmp(pod + len - tail, hash, tail) != 0 || pod[len - tail - 1] != '-')
		return 0;
	return len - tail - 1;
}

/* StatefulSet: OWNER "-" NUMBER, and a label that repeats the pod's name. */
static size_t owner_of_stateful_set(const char *pod, struct slice labels)
{
	_free_ char *name = label(labels, "statefulset.kubernetes.io/pod-name");
	const char *dash = strrchr(pod, '-');

	if (!name || strcmp(name, pod) != 0 || !dash || dash == pod)
		return 0;
	return dash[1] && dash[1 + strspn(dash + 1, "0123456789")] == '\0' ? (size_t)(dash - pod)
									   : 0;
}

static size_t owner_of_daemon_set(const char *pod, struct slice labels)
{
	_free_ char *hash = label(labels, "controller-revision-hash");
	_free_ char *generation = label(labels, "pod-template-generation");

	return hash && generation ? before_random(pod) : 0;
}

/* Job: its name is a label; pods of it are JOB "-" [NUMBER "-"] RANDOM. */
static size_t owner_of_job(const char *pod, struct slice labels)
{
	_free_ char *old = label(labels, "job-name");
	_free_ char *job = old ? NULL : label(labels, "batch.kubernetes.io/job-name");
	const char *name = old ? old : job;
	size_t len = name ? strlen(name) : 0, owner = before_random(pod);

	if (len == 0 || owner < len || strncmp(pod, name, len) != 0)
		return 0;
	return owner == len || pod[len] == '-' ? len : 0;
}

/* A static pod: NAME "-" and the node's name. */
static size_t owner_of_static(const char *pod, struct slice annotations, const char *host)
{
	_free_ char *source = label(annotations, "kubernetes.io/config.source");
	size_t len = strlen(pod), tail = host ? strlen(host) : 0;

	if (!source || strcmp(source, "file") != 0 || tail == 0 || len < tail + 2)
		return 0;
	if (strcmp(pod + len - tail, host) != 0 || pod[len - tail - 1] != '-')
		return 0;
	return len - tail - 1;
}

char *kube_owner(const char *pod, struct slice labels, struct slice annotations, const char *host)
{
	size_t len = owner_of_deployment(pod, labels);

	if (len == 0)
		len = owner_of_stateful_set(pod, labels);
	if (len == 0)
		len = owner_of_daemon_set(pod, labels);
	if (len == 0)
		len = owner_of_job(pod, labels);
	if (len == 0)
		len = owner_of_static(pod, annotations, host);
	return strndup(pod, len ? len : strlen(pod));
}

int kube_key(struct identity *i, uid_t uid, const char *owner)
{
	const char *const parts[] = { i->namespace, owner ? owner : i->pod, i->name, NULL };

	if (i->namespace && i->pod && i->name)
		return key_parts("kubernetes", uid, parts, &i->key);
	engine_refuse(i, "neither its bundle nor a log link names it: it is known by its id alone");
	return key_id("kubernetes", uid, i->container, &i->key);
}
