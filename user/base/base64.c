/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>

/* A filter is a few KiB, so nothing faster is called for. */
char *base64_encode(const void *data, size_t len)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = data;
	char *out = malloc((len + 2) / 3 * 4 + 1), *at = out;

	for (size_t i = 0; out && i < len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		v |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
		v |= i + 2 < len ? in[i + 2] : 0;
		*at++ = digit[v >> 18];
		*at++ = digit[v >> 12 & 63];
		*at++ = i + 1 < len ? digit[v >> 6 & 63] : '=';
		*at++ = i + 2 < len ? digit[v & 63] : '=';
	}
	if (out)
		*at = '\0';
	return out;
}
