/* SPDX-License-Identifier: Apache-2.0 */
/* Any config.json: what is read is JSON to jansson too, and nothing but the profile is exchanged. */
#include "fuzz.h"

#include <errno.h>
#include <jansson.h>

#include "start/spec.h"

static char *splice(const char *text, size_t len, const char *profile, size_t *ret_len)
{
	struct spec s = { 0 };
	char *why = NULL, *out = NULL;
	int r;

	must(spec_read(text, len, &s, &why) == 0);
	r = spec_splice(&s, profile, &out, ret_len);
	must(r == (s.has_linux ? 0 : -ENOENT));
	spec_done(&s);
	return out;
}

/* jansson takes fewer numbers and strings, deeper texts, and a NUL for a blank. */
static void check_refused(const char *text, size_t size, const char *why)
{
	json_t *j = json_loadb(text, size, 0, NULL);

	must(!json_is_object(j) || memchr(text, '\0', size) || strstr(why, "some readers") ||
	     strstr(why, "too often") || strstr(why, "too deep"));
	json_decref(j);
}

/* Whatever stood there before, and a second time. */
static void check_bytes(const char *text, size_t size)
{
	static const char one[] = "{\"defaultAction\":\"A\"}", two[] = "{}";
	size_t one_len = 0, two_len = 0, again_len = 0;
	char *first = splice(text, size, one, &one_len), *second, *again;
	struct spec s = { 0 };
	char *why = NULL;

	if (!first)
		return;
	second = splice(text, size, two, &two_len);
	again = splice(first, one_len, two, &again_len);
	must(second && again && again_len == two_len && memcmp(again, second, two_len) == 0);
	must(spec_read(first, one_len, &s, &why) == 0);
	must(s.seccomp && strcmp(s.seccomp, one) == 0);
	spec_done(&s);
	free(first);
	free(second);
	free(again);
}

static void check_members(const char *text, size_t size)
{
	size_t len = 0;
	char *out = splice(text, size, "{}", &len);
	json_t *before = json_loadb(text, size, 0, NULL);
	json_t *after = out ? json_loadb(out, len, 0, NULL) : NULL;

	must(!out || !before || after); /* what it can't read may be gone */
	if (before && after) {
		(void)json_object_del(json_object_get(before, "linux"), "seccomp");
		(void)json_object_del(json_object_get(after, "linux"), "seccomp");
		must(json_equal(before, after));
	}
	json_decref(before);
	json_decref(after);
	free(out);
}

static void check_profile(const struct spec *s)
{
	char *out = NULL;
	json_t *j;

	if (!s->seccomp)
		return;
	if (spec_profile("{\"defaultAction\":\"A\"}", s->seccomp, s->seccomp_len, &out) < 0)
		return;
	j = json_loads(out, 0, NULL);
	must(!j || strcmp(json_string_value(json_object_get(j, "defaultAction")), "A") == 0);
	json_decref(j);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *why = NULL;
	struct spec s = { 0 };

	if (spec_read(text, size, &s, &why) < 0) {
		must(why != NULL);
		check_refused(text, size, why);
	} else {
		check_profile(&s);
		check_bytes(text, size);
		check_members(text, size);
	}
	spec_done(&s);
	free(why);
	free(text);
	return 0;
}
