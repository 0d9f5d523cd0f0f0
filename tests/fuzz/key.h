/* SPDX-License-Identifier: Apache-2.0 */
/* What a key of any workload is. */
#pragma once

#include "fuzz.h"
#include "identity/key.h"

/* A key is a relative file name without surprises. */
static inline void check_key(const char *key)
{
	size_t len = strlen(key);
	const char *s;

	must(len > 0 && len < KEY_MAX && *key != '/' && !strstr(key, "//"));
	must(!strstr(key, "/../") && !strstr(key, "/./"));
	for (s = key; *s; s++)
		must(*s > ' ' && *s < 0x7f);
	must(len < 3 || strcmp(key + len - 3, "/..") != 0);
	must(len < 2 || strcmp(key + len - 2, "/.") != 0);
}
