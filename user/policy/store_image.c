/* SPDX-License-Identifier: Apache-2.0 */
/* Images that a workload was seen with. */
#include "policy/generations.h"
#include "policy/store_internal.h"

int store_image(struct store *s, int64_t workload, const char *digest, int64_t now)
{
	int r = store_run(s, SQL_IMAGE_ADD, "isi", workload, digest, now);

	return r < 0 ? r : store_image_trim(s, workload);
}

int store_image_trim(struct store *s, int64_t workload)
{
	return store_run(s, SQL_IMAGE_TRIM, "ii", workload, (int64_t)GENERATION_IMAGES_MAX);
}

int store_images(struct store *s, int64_t workload, char ***ret, size_t *ret_cnt)
{
	return store_texts(s, SQL_IMAGE_ALL, workload, ret, ret_cnt);
}
