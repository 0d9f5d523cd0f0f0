/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/shim.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/toml.h"

#define NAMESPACES_MAX	256
#define ENTRIES_MAX	10000
#define CONF_MAX	(1U << 20)
#define BINARY_PATH_MAX 4096

CLEANUP_DEFINE(DIR *, closedir);

#define V2 "/io.containerd.runtime.v2.task"

static const char *const root_dirs[] = {
	"/run/containerd" V2,
	"/run/docker/containerd/daemon" V2,
	"/run/k3s/containerd" V2,
	"/run/k0s/containerd" V2,
	"/var/snap/microk8s/common/run/containerd" V2,
	"/run/containerd/io.containerd.runtime.v1.linux",
	NULL,
};

/* Below /run/user/U. */
static const char *const user_dirs[] = {
	"containerd" V2,
	"docker/containerd/daemon" V2,
	NULL,
};

bool shim_is_vm(const char *runtime)
{
	static const char *const marks[] = { "kata", "runsc", "gvisor", "firecracker", "krun" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(runtime, marks[i]))
			return true;
	return false;
}

static bool has_entry(const struct state *s, const char *prefix)
{
	_cleanup_(closedir) DIR *dir = state_list(s);
	const struct dirent *e;
	size_t n = 0;

	while (dir && n++ < ENTRIES_MAX && (e = readdir(dir)))
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

bool shim_is_gvisor(const char *root, uid_t uid, const char *id)
{
	_free_ char *dir =
		uid ? text_format("/run/user/%u/runsc", (unsigned)uid) : strdup("/run/runsc");
	_free_ char *prefix = text_format("%s_sandbox:", id);
	_state_ struct state s = STATE_INIT;

	return dir && prefix && state_open(root, uid, dir, &s) == 0 && has_entry(&s, prefix);
}

static bool is_vm_bundle(const struct state *s, const char *dir)
{
	_free_ char *path = text_format("%s/shim-binary-path", dir), *text = NULL;

	if (!path || state_read(s, path, BINARY_PATH_MAX, &text, NULL) < 0)
		return false;
	return shim_is_vm(text);
}

static int read_in(const struct state *s, const char *namespace, const char *id, struct bundle *ret,
		   bool *ret_vm)
{
	_free_ char *dir = text_format("%s/%s", namespace, id);
	int r = dir ? bundle_read(s, dir, ret) : -ENOMEM;

	if (r == 0)
		*ret_vm = is_vm_bundle(s, dir);
	return r;
}

static int take_namespace(const char *namespace, struct bundle *b, char **ret)
{
	if (!ret)
		return 0;
	*ret = strdup(namespace);
	if (*ret)
		return 0;
	bundle_done(b);
	return -ENOMEM;
}

static int read_in_any(const struct state *s, const char *id, struct bundle *ret, bool *ret_vm,
		       char **ret_namespace)
{
	_cleanup_(closedir) DIR *dir = state_list(s);
	const struct dirent *e;
	size_t n = 0;
	int r = -ENOENT;

	while (dir && n++ < NAMESPACES_MAX && r < 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		r = read_in(s, e->d_name, id, ret, ret_vm);
		if (r == 0)
			return take_namespace(e->d_name, ret, ret_namespace);
	}
	return r;
}

static int read_below(const char *root, uid_t uid, const char *top, const char *namespace,
		      const char *id, struct bundle *ret, bool *ret_vm, char **ret_namespace)
{
	_state_ struct state s = STATE_INIT;
	int r = state_open(root, uid, top, &s);

	if (r < 0)
		return r;
	if (!namespace)
		return read_in_any(&s, id, ret, ret_vm, ret_namespace);
	r = read_in(&s, namespace, id, ret, ret_vm);
	return r < 0 ? r : take_namespace(namespace, ret, ret_namespace);
}

/* Where an administrator moved containerd's state to. */
static char *configured_dir(const char *root)
{
	_free_ char *text = NULL, *top = NULL;

	if (state_read_at(root, 0, "/etc/containerd", "config.toml", CONF_MAX, &text, NULL) == 0)
		top = toml_text(text, "", "state");
	return top && *top == '/' ? text_format("%s%s", top, V2) : NULL;
}

int shim_read(const char *root, uid_t uid, const char *namespace, const char *id,
	      struct bundle *ret, bool *ret_vm, char **ret_namespace)
{
	const char *const *dir = uid ? user_dirs : root_dirs;
	_free_ char *moved = uid ? NULL : configured_dir(root);
	int r = -ENOENT;

	if (moved)
		r = read_below(root, uid, moved, namespace, id, ret, ret_vm, ret_namespace);
	for (; *dir && r < 0 && r != -ENOMEM; dir++) {
		_free_ char *top =
			uid ? text_format("/run/user/%u/%s", (unsigned)uid, *dir) : strdup(*dir);

		r = top ? read_below(root, uid, top, namespace, id, ret, ret_vm, ret_namespace)
			: -ENOMEM;
	}
	return r == 0 || r == -ENOMEM ? r : -ENOENT;
}

/* Where somebody else's bundle is given, a shim's own one may still lie on disk. */
int shim_ask(const struct identity_options *o, const struct place *p, const char *namespace,
	     const char *id, struct bundle *ret, bool *ret_vm, char **ret_namespace)
{
	const char *given = o->given ? o->given->namespace : NULL;
	int r = 0;

	if (given && (!namespace || strcmp(namespace, given) == 0))
		r = bundle_given(o, p, ret);
	if (r < 0)
		return r;
	if (r > 0)
		return take_namespace(given, ret, ret_namespace);
	return shim_read(o->root, engine_uid(p), namespace, id, ret, ret_vm, ret_namespace);
}
