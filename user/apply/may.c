/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/may.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "policy/data.h"

struct asking {
	const struct may_in *in;
	void (*say)(void *ctx, const char *why);
	void *ctx;
	enum may_answer answer;
};

/* The worst answer stays; every reason is heard. */
__attribute__((format(printf, 3, 4))) static void object(struct asking *a, enum may_answer answer,
							 const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	a->say(a->ctx, why);
	if (answer > a->answer)
		a->answer = answer;
}

static const char *plural(uint64_t cnt)
{
	return cnt == 1 ? "" : "s";
}

/* evidence_is_partial's reasons, each by itself. */
static void ask_evidence(struct asking *a)
{
	const struct evidence *e = a->in->evidence;

	if (e->starts == 0)
		object(a, MAY_FORCED, "partial: no start was seen");
	if (e->lost_full > 0)
		object(a, MAY_FORCED,
		       "partial: %" PRIu64 " call%s were dropped, the kernel's map was full",
		       e->lost_full, plural(e->lost_full));
	if (e->lost_gaps > 0)
		object(a, MAY_FORCED, "partial: %" PRIu64 " time%s it may have run unobserved",
		       e->lost_gaps, plural(e->lost_gaps));
}

/* Where something can be put in place: by a hook, a wrapper, a drop-in, a file. */
static bool can_be_enforced(const char *engine)
{
	static const char *const engines[] = { "podman", "docker", "containerd", "kubernetes",
					       "crio",	 "oci",	   "systemd" };

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (strcmp(engines[i], engine) == 0)
			return true;
	return false;
}

static void ask_engine(struct asking *a)
{
	const char *engine = a->in->engine;

	if (engine && can_be_enforced(engine))
		return;
	object(a, MAY_NOT, "nothing can be put in place for %s: its policy can be exported only",
	       engine ? engine : "an unknown engine");
}

static bool is_unit(const struct may_in *in)
{
	return in->engine && strcmp(in->engine, "systemd") == 0;
}

/* The unit's own name: what a key ends with. */
static const char *unit_of(const struct may_in *in)
{
	const char *slash = in->key ? strrchr(in->key, '/') : NULL;

	if (in->name)
		return in->name;
	return slash ? slash + 1 : in->key ?: "";
}

static void ask_unit(struct asking *a)
{
	const char *unit = unit_of(a->in), *why;

	if (!data_never(unit, &why))
		return;
	if (!data_never_alone(unit))
		object(a, MAY_NOT, "%s is never enforced: %s", unit, why);
	else if (!a->in->with_descendants)
		object(a, MAY_NOT, "%s can only be enforced with its descendants: %s", unit, why);
}

static void ask_leavers(struct asking *a)
{
	uint64_t leaves = a->in->evidence->leaves;

	if (leaves > 0 && !a->in->with_descendants)
		object(a, MAY_FORCED,
		       "%" PRIu64 " process%s left it: its policy would follow and bind them, "
		       "though what they call was not learned",
		       leaves, leaves == 1 ? "" : "es");
}

/* The runtime's own filter is of another stage. */
static bool calls_seccomp(const struct learned *l)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, "seccomp");

		if (nr >= 0 && (sysset_has(&l->set[TAMIS_WORKLOAD][abi], (unsigned)nr) ||
				sysset_has(&l->set[TAMIS_SESSION][abi], (unsigned)nr)))
			return true;
	}
	return false;
}

/* What a user other than root runs has "~UID" for its second part. */
static bool is_rootless(const struct may_in *in)
{
	const char *slash = in->key ? strchr(in->key, '/') : NULL;

	return slash && slash[1] == '~';
}

static void ask_probation(struct asking *a)
{
	if (is_unit(a->in))
		object(a, MAY_NOT, "no probation for units: systemd has no listener for a filter");
	else if (is_rootless(a->in))
		object(a, MAY_NOT,
		       "no probation without root: its runtime can't reach tamis-keeper");
	if (a->in->learned && calls_seccomp(a->in->learned))
		object(a, MAY_FORCED,
		       "it calls seccomp itself: in probation a listener of its own gets EBUSY");
}

enum may_answer may_enforce(const struct may_in *in, void (*say)(void *ctx, const char *why),
			    void *ctx)
{
	struct asking a = { in, say, ctx, MAY };

	ask_engine(&a);
	if (is_unit(in))
		ask_unit(&a);
	if (in->why_not)
		object(&a, MAY_FORCED, "%s", in->why_not);
	/* What is missing asks. */
	if (in->calls == 0 && !in->probation)
		object(&a, MAY_NOT, "no calls were learned");
	if (!in->probation)
		ask_evidence(&a);
	else
		ask_probation(&a);
	ask_leavers(&a);
	if (in->opted_out)
		object(&a, MAY_FORCED, "it is opted out by a rule or a label");
	return a.answer;
}
