/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/explore_curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* Built against whichever TLS library. */
static const char *const sonames[] = { "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4" };

static bool fill(struct curl_lib *lib, void *handle)
{
	typeof(curl_global_init) *global_init;
	bool whole = true;
	void *at;

#define CURL_FILL(name)                    \
	at = dlsym(handle, "curl_" #name); \
	whole = whole && at;               \
	memcpy(&lib->name, &at, sizeof(lib->name));
	CURL_FUNCTIONS(CURL_FILL)
#undef CURL_FILL
	at = dlsym(handle, "curl_global_init");
	memcpy(&global_init, &at, sizeof(global_init));
	return whole && at && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_lib *explore_curl(void)
{
	static struct curl_lib lib;
	static bool tried, loaded;

	for (unsigned i = 0; !tried && !loaded && i < ARRAY_SIZE(sonames); i++) {
		void *handle = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);

		if (handle && !(loaded = fill(&lib, handle)))
			dlclose(handle);
	}
	tried = true;
	return loaded ? &lib : NULL;
}
