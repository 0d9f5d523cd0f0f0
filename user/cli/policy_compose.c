/* SPDX-License-Identifier: Apache-2.0 */
/* From calls to a filter: the gates of runtimes, the engine's own profile, data, compose. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/policy_load.h"
#include "emit/emit.h"
#include "model/compose.h"
#include "policy/data.h"

/* --- the runtimes ------------------------------------------------------------------------- */

static bool is_installed(const char *name)
{
	static const char *const dirs[] = { "/usr/bin",		"/usr/sbin",	"/usr/local/bin",
					    "/usr/local/sbin",	"/usr/libexec", "/usr/lib/cri-o",
					    "/usr/libexec/crio" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_free_ char *path = text_format("%s/%s", dirs[i], name);

		if (path && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

int policy_take_runtime(const char *spec, void *ctx)
{
	struct policy_options *o = ctx;
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = data_gate(spec, gate);

	if (r == -ENOENT)
		log_err("unknown runtime \"%s\"", spec);
	else if (r < 0)
		log_err("runtime \"%s\": not NAME or NAME@VERSION", spec);
	if (r < 0)
		return r;
	if (o->runtime_cnt == POLICY_RUNTIMES_MAX) {
		log_err("more than %u runtimes", POLICY_RUNTIMES_MAX);
		return -E2BIG;
	}
	o->runtime[o->runtime_cnt++] = spec;
	return 0;
}

/* Those the options name, else those found here, else every runtime known. */
static void choose_runtimes(const struct policy_options *o, struct policy_options *ret)
{
	const char *const *known = data_runtimes();

	*ret = *o;
	for (size_t i = 0; o->runtime_cnt == 0 && known[i]; i++) {
		if (ret->runtime_cnt < POLICY_RUNTIMES_MAX && is_installed(known[i]))
			ret->runtime[ret->runtime_cnt++] = known[i];
	}
	for (size_t i = 0; ret->runtime_cnt == 0 && i < POLICY_RUNTIMES_MAX && known[i]; i++)
		ret->runtime[i] = known[i];
	while (ret->runtime_cnt < POLICY_RUNTIMES_MAX && ret->runtime[ret->runtime_cnt])
		ret->runtime_cnt++;
}

static int load_gate(const struct policy_options *o, struct sysset gate[TAMIS_ABI_MAX],
		     char **ret_names)
{
	struct policy_options chosen;
	_free_ char *names = NULL;

	choose_runtimes(o, &chosen);
	for (unsigned i = 0; i < chosen.runtime_cnt; i++) {
		_free_ char *before = names;
		int r = data_gate(chosen.runtime[i], gate);

		names = text_format("%s%s%s", before ?: "", before ? ", " : "", chosen.runtime[i]);
		if (r < 0)
			return log_err_errno(r, "gate of runtime %s", chosen.runtime[i]);
		if (!names)
			return -ENOMEM;
	}
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* --- the engine's profile ----------------------------------------------------------------- */

/* What podman gives a container that asks for nothing. */
static const char *const podman_caps[] = { "CHOWN",   "DAC_OVERRIDE",	  "FOWNER",	"FSETID",
					   "KILL",    "NET_BIND_SERVICE", "SETFCAP",	"SETGID",
					   "SETPCAP", "SETUID",		  "SYS_CHROOT", NULL };

static int load_profile(const struct policy_options *o, const char *path, struct filter **ret)
{
	_free_ char *why = NULL;
	int r = oci_read_on(path, policy_machine(o), podman_caps, ret, &why);

	if (r < 0)
		log_err("%s: %s", path, why ?: strerror(-r));
	return r;
}

static int load_engine(const struct policy_options *o, const char *engine, struct filter **ret,
		       const char **ret_path)
{
	static const char *const podman[] = { "/etc/containers/seccomp.json",
					      "/usr/share/containers/seccomp.json" };

	if (o->engine_profile) {
		*ret_path = o->engine_profile;
		return load_profile(o, o->engine_profile, ret);
	}
	for (size_t i = 0; engine && strcmp(engine, "podman") == 0 && i < ARRAY_SIZE(podman); i++) {
		if (access(podman[i], F_OK) < 0)
			continue;
		*ret_path = podman[i];
		return load_profile(o, podman[i], ret);
	}
	return 0;
}

/* Where podman has none: what has a name and isn't guarded, which is about what the engines' own
 * profiles let through, with the conditions that they all have. */
static int compose_default(struct filter **ret)
{
	_cleanup_(filter_free) struct filter *fallback = NULL;
	struct sysset always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX], guard[TAMIS_ABI_MAX];
	const struct learned nothing = { 0 };
	struct compose_in in = { .learned = &nothing,
				 .always = always,
				 .eperm = eperm,
				 .descendants = true,
				 .guard = guard };
	int r = data_always(always);

	if (r == 0)
		r = data_eperm(eperm);
	if (r == 0)
		r = data_guard(guard);
	if (r == 0)
		r = data_fallback(&fallback);
	in.fallback = fallback;
	return r < 0 ? r : compose(&in, ret);
}

int policy_default(const struct policy_options *o, struct filter **ret, const char **ret_name)
{
	struct filter *f = NULL;
	int r = load_engine(o, "podman", &f, ret_name);

	if (r < 0)
		return r;
	if (!f) {
		r = compose_default(&f);
		*ret_name = "policies/engine";
	}
	if (r < 0)
		return log_err_errno(r, "policies/");
	*ret = f;
	return 0;
}

/* --- the whole ---------------------------------------------------------------------------- */

/* compose always speaks for this machine, too. */
static void keep_machine(struct filter *f, enum tamis_abi machine)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->rule_cnt; i++) {
		if (abi_runs_on(f->rule[i].abi, machine))
			f->rule[kept++] = f->rule[i];
	}
	f->rule_cnt = kept;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		if (!abi_runs_on(abi, machine))
			f->abis &= ~(1u << abi);
	}
}

/* policies/ and an engine's profile, as compose takes them. */
struct data {
	struct sysset gate[TAMIS_ABI_MAX], always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX];
	struct filter *fallback, *profile;
	char *runtimes;
	bool loaded;
};

/* Podman's containers have a profile, all others none. */
struct policy_shared {
	struct data podman, other;
};

static void data_done(struct data *d)
{
	filter_free(d->fallback);
	filter_free(d->profile);
	free(d->runtimes);
}

int policy_shared_new(struct policy_shared **ret)
{
	struct policy_shared *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

void policy_shared_free(struct policy_shared *s)
{
	if (!s)
		return;
	data_done(&s->podman);
	data_done(&s->other);
	free(s);
}

static struct data *shared_data(struct policy_shared *s, const char *engine)
{
	return engine && strcmp(engine, "podman") == 0 ? &s->podman : &s->other;
}

static int read_data(const struct policy_options *o, const char *engine, struct data *d)
{
	const char *path;
	int r = load_engine(o, engine, &d->profile, &path);

	if (r == 0)
		r = load_gate(o, d->gate, &d->runtimes);
	if (r < 0)
		return r;
	r = policy_translate(o, d->gate, NULL);
	if (r == 0)
		r = data_always(d->always);
	if (r == 0)
		r = data_eperm(d->eperm);
	if (r == 0)
		r = data_fallback(&d->fallback);
	return r < 0 ? log_err_errno(r, "policies/") : 0;
}

static int load_data(const struct policy_options *o, const char *engine, struct data *d)
{
	struct data new = { 0 };
	int r = d->loaded ? 0 : read_data(o, engine, &new);

	if (r < 0) {
		data_done(&new);
		return r;
	}
	if (!d->loaded)
		*d = new;
	d->loaded = true;
	return 0;
}

int policy_compose(const struct policy_options *o, const char *engine, const struct learned *l,
		   struct filter **ret, char **ret_runtimes)
{
	__attribute__((cleanup(data_done))) struct data own = { 0 };
	struct data *d = o->shared ? shared_data(o->shared, engine) : &own;
	_cleanup_(filter_free) struct filter *f = NULL;
	_free_ char *runtimes = NULL;
	struct compose_in in = {
		.learned = l,
		.gate = d->gate,
		.always = d->always,
		.eperm = d->eperm,
		.denied = o->denied,
		.denied_eperm = o->denied_eperm,
		.without_sessions = o->without_sessions,
	};
	int r = load_data(o, engine, d);

	if (r < 0)
		return r;
	runtimes = strdup(d->runtimes ?: "");
	if (!runtimes)
		return -ENOMEM;
	in.engine = d->profile;
	in.fallback = d->fallback;
	r = compose(&in, &f);
	if (r < 0)
		return log_err_errno(r, "can't compose a policy");
	keep_machine(f, policy_machine(o));
	*ret = TAKE_PTR(f);
	*ret_runtimes = TAKE_PTR(runtimes);
	return 0;
}
