/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/data.h"
#include "policy/data_text.h"

int data_guard(struct sysset ret[TAMIS_ABI_MAX])
{
	return data_list(data_text_guard(), ret);
}
