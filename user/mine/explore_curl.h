/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when a request is to be made: no other command of tamis pays for it, and a host
 * without it still mines. */
#pragma once

#include <curl/curl.h>

#define CURL_FUNCTIONS(X) \
	X(easy_init)      \
	X(easy_setopt)    \
	X(easy_perform)   \
	X(easy_getinfo)   \
	X(easy_reset)     \
	X(easy_cleanup)   \
	X(easy_strerror)  \
	X(slist_append)   \
	X(slist_free_all) \
	X(url)            \
	X(url_set)        \
	X(url_get)        \
	X(url_cleanup)    \
	X(free)

struct curl_lib {
#define CURL_MEMBER(name) typeof(curl_##name) *name;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/* NULL: there is none here. Stays loaded. One thread. */
const struct curl_lib *explore_curl(void);
