/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tamis-start is made of, for scripts:
 *	start splice CONFIG PROFILE      the config.json with another profile; exit 3: refused, why on stderr
 *	start whose CONFIG [ID BUNDLE]   key and cgroup of a container about to start; exit 3: nobody's
 *	start path CGROUP                key of what runs there; exit 3: nobody's
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "identity/start.h"
#include "start/spec.h"

#define REFUSED 3

static int splice(const char *text, size_t len, const char *profile)
{
	_free_ char *why = NULL, *ours = NULL, *new = NULL, *out = NULL;
	_spec_ struct spec s = { 0 };
	size_t out_len = 0;
	int r = file_read(profile, SPEC_MAX, &ours, NULL);

	if (r == 0)
		r = spec_read(text, len, &s, &why);
	if (r == 0)
		r = spec_profile(ours, s.seccomp, s.seccomp_len, &new);
	if (r == 0)
		r = spec_splice(&s, new, &out, &out_len);
	if (r < 0) {
		fprintf(stderr, "%s\n", why ? why : strerror(-r));
		return REFUSED;
	}
	return fwrite(out, 1, out_len, stdout) == out_len ? 0 : 1;
}

static int whose(const char *text, size_t len, const char *id, const char *bundle)
{
	const struct identity_start s = { .text = text, .len = len, .id = id, .bundle = bundle };
	const struct identity_options o = { 0 };
	struct identity i = IDENTITY_INIT;
	_free_ char *path = NULL;
	int r = identity_start_cgroup(&s, &path);

	if (r == 0)
		r = identity_of_start(&o, &s, &i);
	if (r < 0) {
		fprintf(stderr, "%s\n", strerror(-r));
		return REFUSED;
	}
	printf("%s %s%s\n", i.key, path, i.opted_out ? " off" : "");
	identity_done(&i);
	return 0;
}

static int running(const char *path)
{
	const struct identity_options o = { 0 };
	struct identity i = IDENTITY_INIT;

	if (identity_of_path(&o, path, &i) < 0)
		return REFUSED;
	printf("%s%s\n", i.key, i.opted_out ? " off" : "");
	identity_done(&i);
	return 0;
}

int main(int argc, char **argv)
{
	_free_ char *text = NULL;
	size_t len = 0;

	if (argc == 3 && strcmp(argv[1], "path") == 0)
		return running(argv[2]);
	if (argc < 3 || file_read(argv[2], 4 * SPEC_MAX, &text, &len) < 0)
		return 2;
	if (strcmp(argv[1], "splice") == 0 && argc == 4)
		return splice(text, len, argv[3]);
	if (strcmp(argv[1], "whose") == 0 && (argc == 3 || argc == 5))
		return whose(text, len, argc == 5 ? argv[3] : NULL, argc == 5 ? argv[4] : NULL);
	return 2;
}
