/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/allowed.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

int allowed_take(const char *text, void *ctx)
{
	struct allowed *a = ctx;

	if (a->cnt == ALLOWED_MAX) {
		log_err("more than %u calls allowed", ALLOWED_MAX);
		return -E2BIG;
	}
	return call_name_parse(text, &a->call[a->cnt++]);
}

/* A call that was seen; without an ABI, one of this machine's too. */
static bool is_meant(const struct call_name *call, const struct learned *l, enum tamis_abi abi)
{
	bool seen = false;

	if (call->nr[abi] < 0)
		return false;
	for (unsigned stage = TAMIS_GATE; stage < TAMIS_STAGE_MAX; stage++)
		seen |= sysset_has(&l->set[stage][abi], (unsigned)call->nr[abi]);
	return seen || abi == abi_native() || strchr(call->text, ':');
}

void allowed_say(const struct allowed *a, struct policy_calls *calls)
{
	for (unsigned i = 0; i < a->cnt; i++) {
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			if (is_meant(&a->call[i], &calls->learned, abi))
				sysset_add(&calls->said.allowed[abi], (unsigned)a->call[i].nr[abi]);
		}
	}
}
