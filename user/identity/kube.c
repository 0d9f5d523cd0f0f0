/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/kube.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/state.h"

#define LINKS_MAX 100000
#define ID_MIN	  12
#define HOST_MAX  256
#define UID_LEN	  32

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
	return place_ends(p, ".slice") && place_find(p, "-pod");
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

bool kube_is_static(const struct place *p)
{
	const char *digits = "0123456789abcdef", *uid;
	struct place pod;

	if (!kube_in_pod(p) || !place_parent(p, &pod))
		return false;
	uid = place_starts(&pod, "pod") ? pod.path + pod.start : place_find(&pod, "-pod") + 1;
	uid += strlen("pod");
	return strspn(uid, digits) == UID_LEN && (uid[UID_LEN] == '/' || uid[UID_LEN] == '.');
}

bool kube_is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == PLACE_ID_LEN && !s[PLACE_ID_LEN];
}

char *kube_host(const char *root)
{
	char *text = NULL, *s;

	if (state_read_at(root, 0, "/etc", "hostname", HOST_MAX, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, " \t\r\n")] = '\0';
	for (s = text; *s; s++)
		*s = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
	return text;
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

int kube_key(struct identity *i, uid_t uid, const char *owner)
{
	const char *const parts[] = { i->namespace, owner ? owner : i->pod, i->name, NULL };

	if (i->namespace && i->pod && i->name)
		return key_parts("kubernetes", uid, parts, &i->key);
	engine_refuse(i, "neither its bundle nor a log link names it: it is known by its id alone");
	return key_id("kubernetes", uid, i->container, &i->key);
}
