/* SPDX-License-Identifier: Apache-2.0 */
/* policies/sanitizer/: the syntax is in the files. */
#include <string.h>

#include "base/cleanup.h"
#include "policy/data.h"
#include "policy/data_text.h"

int data_sanitizer(struct sysset ret[TAMIS_ABI_MAX])
{
	struct data_text texts[] = {
		data_text_asan(), data_text_lsan(),  data_text_msan(),
		data_text_tsan(), data_text_ubsan(),
	};
	struct sysset all[TAMIS_ABI_MAX] = { 0 }, one[TAMIS_ABI_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int r = data_list(texts[i], one);

		if (r < 0)
			return r;
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			sysset_merge(&all[abi], &one[abi]);
	}
	memcpy(ret, all, sizeof(all));
	return 0;
}
