/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_load.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
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

static int load_profile(const char *path, struct filter **ret)
{
	_free_ char *why = NULL;
	int r = oci_read(path, podman_caps, ret, NULL, &why);

	if (r < 0)
		log_err("%s: %s", path, why ?: strerror(-r));
	return r;
}

static int load_engine(const struct policy_options *o, const char *engine, struct filter **ret)
{
	static const char *const podman[] = { "/etc/containers/seccomp.json",
					      "/usr/share/containers/seccomp.json" };

	if (o->engine_profile)
		return load_profile(o->engine_profile, ret);
	for (size_t i = 0; engine && strcmp(engine, "podman") == 0 && i < ARRAY_SIZE(podman); i++) {
		if (access(podman[i], F_OK) == 0)
			return load_profile(podman[i], ret);
	}
	return 0;
}

/* --- the whole ---------------------------------------------------------------------------- */

int policy_compose(const struct policy_options *o, const char *engine, const struct learned *l,
		   struct filter **ret, char **ret_runtimes)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 }, always[TAMIS_ABI_MAX] = { 0 },
		      eperm[TAMIS_ABI_MAX] = { 0 };
	_cleanup_(filter_free) struct filter *profile = NULL, *fallback = NULL;
	_free_ char *runtimes = NULL;
	struct compose_in in = {
		.learned = l,
		.gate = gate,
		.always = always,
		.eperm = eperm,
		.without_sessions = o->without_sessions,
	};
	int r = load_gate(o, gate, &runtimes);

	if (r == 0)
		r = load_engine(o, engine, &profile);
	if (r < 0)
		return r;
	r = data_always(always);
	if (r == 0)
		r = data_eperm(eperm);
	if (r == 0)
		r = data_fallback(&fallback);
	in.engine = profile;
	in.fallback = fallback;
	if (r == 0)
		r = compose(&in, ret);
	if (r < 0)
		return log_err_errno(r, "can't compose a policy");
	*ret_runtimes = TAKE_PTR(runtimes);
	return 0;
}

static int load_learned(const char *name, const char *state, struct policy_loaded *p)
{
	_cleanup_(store_close) struct store *s = NULL;
	int r = lookup_open(state, STORE_READ, &s);

	if (r == 0)
		r = lookup_workload(s, name, &p->row);
	if (r < 0)
		return r;
	r = store_learned(s, p->row.id, &p->learned);
	if (r == 0)
		r = store_origins(s, p->row.id, &p->origin, &p->policy.origin_cnt);
	if (r < 0)
		log_err("%s", store_error(s));
	return r;
}

int policy_load(const char *name, const struct policy_options *o, struct policy_loaded *ret)
{
	struct policy *p = &ret->policy;
	int r;

	*ret = (struct policy_loaded){ 0 };
	r = load_learned(name, o->state ?: DEFAULT_STATE_DIR, ret);
	if (r == 0)
		r = policy_compose(o, ret->row.engine, &ret->learned, &ret->filter, &ret->runtimes);
	if (r < 0)
		return r;
	r = data_gate_unknown(&ret->learned, ret->gate_unknown);
	if (r < 0)
		return log_err_errno(r, "policies/runtime");
	p->gate_unknown = ret->gate_unknown;
	p->why_not = ret->row.why_not;
	p->workload = ret->row.key;
	p->engine = ret->row.engine;
	p->image = ret->row.image;
	p->filter = ret->filter;
	p->learned = &ret->learned;
	p->evidence = &ret->row.evidence;
	p->origin = ret->origin;
	p->runtimes = ret->runtimes;
	return 0;
}

void policy_loaded_done(struct policy_loaded *p)
{
	store_origins_free(p->origin, p->policy.origin_cnt);
	store_row_done(&p->row);
	filter_free(p->filter);
	free(p->runtimes);
	*p = (struct policy_loaded){ 0 };
}
