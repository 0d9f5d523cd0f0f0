/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/call_name.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/calls.h"

int call_name_parse(const char *text, struct call_name *ret)
{
	const char *colon = strchr(text, ':');
	_free_ char *abi_text = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	const char *name = colon ? colon + 1 : text;
	enum tamis_abi only = TAMIS_ABI_MAX;
	bool any = false;

	if (colon && (!abi_text || abi_from_name(abi_text, &only) < 0)) {
		log_err("unknown ABI in \"%s\"", text);
		return -ENOENT;
	}
	ret->text = text;
	ret->is_number = name[0] == '#';
	ret->has_abi = colon != NULL;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		ret->nr[abi] = colon && abi != only ? -ENOENT : calls_parse(abi, name);
		any |= ret->nr[abi] >= 0;
	}
	if (any)
		return 0;
	log_err("unknown call \"%s\"", text);
	return -ENOENT;
}
