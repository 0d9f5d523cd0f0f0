/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a pod is: what its labels prove of the suffixes in its name. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "identity/kube.h"

#define LABELS_MAX   256
#define SUFFIX_LEN   5
#define MINUTE_LEN   8
#define DAY_SEC	     86400L
#define LATE_DAYS    7
/* What Kubernetes makes random suffixes of: no vowels, nothing that looks like another. */
#define SAFE_LETTERS "bcdfghjklmnpqrstvwxz2456789"

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

/* The days since 1970 at the start of "2026-01-31T...". 0 when it makes no sense. */
static long day_of(const char *time)
{
	struct tm tm = { 0 };

	if (!time || !strptime(time, "%Y-%m-%dT", &tm))
		return 0;
	return (long)(timegm(&tm) / DAY_SEC);
}

/* A CronJob calls its jobs NAME "-" and the minute since 1970 that they were due in: believed of
 * a container that was made about that time. */
static size_t before_minute(const char *job, size_t len, const char *created)
{
	size_t digits = 0;
	long day = day_of(created), due = 0;

	while (digits < len && job[len - digits - 1] >= '0' && job[len - digits - 1] <= '9')
		digits++;
	if (digits != MINUTE_LEN || len < digits + 2 || job[len - digits - 1] != '-')
		return len;
	due = strtol(job + len - digits, NULL, 10) * 60 / DAY_SEC;
	return day && due <= day + 1 && due >= day - LATE_DAYS ? len - digits - 1 : len;
}

/* Job: its name is a label; pods of it are JOB "-" [NUMBER "-"] RANDOM. */
static size_t owner_of_job(const char *pod, struct slice labels, const char *created)
{
	_free_ char *old = label(labels, "job-name");
	_free_ char *job = old ? NULL : label(labels, "batch.kubernetes.io/job-name");
	const char *name = old ? old : job;
	size_t len = name ? strlen(name) : 0, owner = before_random(pod);

	if (len == 0 || owner < len || strncmp(pod, name, len) != 0)
		return 0;
	return owner == len || pod[len] == '-' ? before_minute(pod, len, created) : 0;
}

/* A static pod: NAME "-" and the node's name. */
static size_t owner_of_static(const char *pod, const char *host)
{
	size_t len = strlen(pod), tail = host ? strlen(host) : 0;

	if (tail == 0 || len < tail + 2)
		return 0;
	if (strcmp(pod + len - tail, host) != 0 || pod[len - tail - 1] != '-')
		return 0;
	return len - tail - 1;
}

static bool is_of_file(const struct kube_evidence *e)
{
	_free_ char *source = label(e->annotations, "kubernetes.io/config.source");

	return e->is_static || (source && strcmp(source, "file") == 0);
}

char *kube_owner(const char *pod, const struct kube_evidence *e)
{
	size_t len = owner_of_deployment(pod, e->labels);

	if (len == 0)
		len = owner_of_stateful_set(pod, e->labels);
	if (len == 0)
		len = owner_of_daemon_set(pod, e->labels);
	if (len == 0)
		len = owner_of_job(pod, e->labels, e->created);
	if (len == 0 && is_of_file(e))
		len = owner_of_static(pod, e->host);
	return strndup(pod, len ? len : strlen(pod));
}
