/* SPDX-License-Identifier: Apache-2.0 */
/* What rules by name, shared by all ABIs and compiled by the engine's libseccomp, can't say. */
#include "emit/formats.h"
#include "emit/oci_names.h"
#include "emit/scmp.h"
#include "model/calls.h"

void oci_list_calls(const struct policy *p, FILE *f,
		    bool (*applies)(const struct filter *f, const struct oci_call *c))
{
	_cleanup_(oci_names_free) struct oci_names *n = NULL;
	struct list l = { f };

	if (oci_names_new(p->filter, &n) < 0)
		return;
	for (size_t i = 0; i < n->cnt; i++) {
		const struct oci_call *c = &n->call[i];

		if (!applies(p->filter, c))
			continue;
		if (c->name)
			list_add(&l, c->name);
		else
			list_add_call(&l, c->abi, c->nr);
	}
}

static bool is_nameless(const struct filter *f, const struct oci_call *c)
{
	return !c->name && rules_allow(c->rule, c->rule_cnt);
}

static bool is_widened(const struct filter *f, const struct oci_call *c)
{
	return c->name && c->widened;
}

static bool is_different(const struct filter *f, const struct oci_call *c)
{
	return c->name && c->differs;
}

static bool is_too_new(const struct filter *f, const struct oci_call *c)
{
	bool passes = rules_allow(c->rule, c->rule_cnt) || rules_ask(c->rule, c->rule_cnt);

	return c->name && passes && !scmp_knows(c->abi, c->name);
}

/* libseccomp translates these to socketcall or ipc as well, whose arguments it can't see. */
static bool is_multiplexed(const struct filter *f, const struct oci_call *c)
{
	bool i386 = c->name && (f->abis >> TAMIS_ABI_I386 & 1) &&
		    calls_number(TAMIS_ABI_I386, c->name) >= 0;

	return i386 && rules_allow(c->rule, c->rule_cnt) && scmp_is_multiplexed(c->name);
}

static void nameless_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_nameless);
}

static void widened_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_widened);
}

static void different_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_different);
}

static void new_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_too_new);
}

static void multiplexed_calls(const struct policy *p, FILE *f)
{
	oci_list_calls(p, f, is_multiplexed);
}

const struct emit_limit oci_limits[] = {
	{ "calls without a name can't be said and are refused", nameless_calls },
	{ "names are shared by all ABIs listed, so allowed more widely on some", widened_calls },
	{ "refused by its default instead, or with another errno, on some ABI", different_calls },
	{ "this host's libseccomp doesn't know these names, runtimes that use it will refuse "
	  "them",
	  new_calls },
	{ "nothing starts under it without a listenerPath, since these ask", list_asking },
	{ "runtimes also allow the i386 socketcall or ipc form of", multiplexed_calls },
	{ 0 },
};
