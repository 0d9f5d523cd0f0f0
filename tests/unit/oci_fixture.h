/* SPDX-License-Identifier: Apache-2.0 */
/* Reading profiles in tests. */
#pragma once

#include "unit/filters.h"

static inline struct filter *parse_caps(const char *text, const char *const *caps,
					unsigned *ret_unknown)
{
	_free_ char *why = NULL;
	struct filter *f = NULL;
	int r = oci_parse(text, strlen(text), caps, &f, ret_unknown, &why);

	if (r < 0)
		print_error("%s\n", why);
	assert_int_equal(r, 0);
	return f;
}

static inline struct filter *parse(const char *text)
{
	return parse_caps(text, NULL, NULL);
}

/* One of what is written. */
static const char golden[] = "{\n"
			     "\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n"
			     "\t\"defaultErrnoRet\": 38,\n"
			     "\t\"architectures\": [\n"
			     "\t\t\"SCMP_ARCH_X86_64\"\n"
			     "\t],\n"
			     "\t\"syscalls\": [\n"
			     "\t\t{\n"
			     "\t\t\t\"names\": [\n"
			     "\t\t\t\t\"execve\",\n"
			     "\t\t\t\t\"read\"\n"
			     "\t\t\t],\n"
			     "\t\t\t\"action\": \"SCMP_ACT_ALLOW\"\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"names\": [\n"
			     "\t\t\t\t\"clone\"\n"
			     "\t\t\t],\n"
			     "\t\t\t\"action\": \"SCMP_ACT_ALLOW\",\n"
			     "\t\t\t\"args\": [\n"
			     "\t\t\t\t{\n"
			     "\t\t\t\t\t\"index\": 0,\n"
			     "\t\t\t\t\t\"value\": 2114060288,\n"
			     "\t\t\t\t\t\"valueTwo\": 0,\n"
			     "\t\t\t\t\t\"op\": \"SCMP_CMP_MASKED_EQ\"\n"
			     "\t\t\t\t}\n"
			     "\t\t\t]\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"names\": [\n"
			     "\t\t\t\t\"mount\"\n"
			     "\t\t\t],\n"
			     "\t\t\t\"action\": \"SCMP_ACT_ERRNO\",\n"
			     "\t\t\t\"errnoRet\": 1\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"names\": [\n"
			     "\t\t\t\t\"clone3\"\n"
			     "\t\t\t],\n"
			     "\t\t\t\"action\": \"SCMP_ACT_ERRNO\",\n"
			     "\t\t\t\"errnoRet\": 38\n"
			     "\t\t}\n"
			     "\t]\n"
			     "}\n";
