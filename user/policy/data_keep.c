/* SPDX-License-Identifier: Apache-2.0 */
/* policies/keep/calls: groups, whose names are the reasons. */
#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "policy/data.h"
#include "policy/data_text.h"

static const char *const groups[] = { "identity",   "privilege",	 "permissions",
				      "durability", "memory-protection", "randomness",
				      "peers",	    "children",		 "locks",
				      "limits",	    "signals",		 "exit",
				      NULL };

static int add_words(struct data_text line, struct sysset set[TAMIS_ABI_MAX])
{
	char word[DATA_WORD];
	int r;

	while ((r = data_word(&line, word)) > 0)
		if (data_add_call(word, set) < 0)
			return -EINVAL;
	return r;
}

int data_keep(struct sysset ret[TAMIS_ABI_MAX])
{
	struct sysset set[TAMIS_ABI_MAX] = { 0 };
	struct data_text text = data_text_keep(), line;

	while (data_line(&text, &line)) {
		if (!data_group_line(&line, groups, NULL) || add_words(line, set) < 0)
			return -EINVAL;
	}
	memcpy(ret, set, sizeof(set));
	return 0;
}

const char *data_keep_why(enum tamis_abi abi, uint32_t nr)
{
	const char *name = calls_name(abi, nr);

	return name ? data_group(data_text_keep(), groups, name) : NULL;
}
