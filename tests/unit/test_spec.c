/* SPDX-License-Identifier: Apache-2.0 */
#include "start/spec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAPS(list) "\"capabilities\":{\"bounding\":[" list "],\"effective\":[\"CAP_SYS_ADMIN\"]}"

/* What is found; texts NULL where it isn't there. */
static const struct {
	const char *text, *seccomp, *cgroups, *root;
	bool has_linux, nnp, privileged;
} sound[] = {
	{ "{}", NULL, NULL, NULL, false, false, false },
	{ "{\"linux\":null}", NULL, NULL, NULL, false, false, false },
	{ "{\"linux\":[{\"seccomp\":1}]}", NULL, NULL, NULL, false, false, false },
	{ "{\"linux\":{}}", NULL, NULL, NULL, true, false, false },
	{ "{\"linux\":{\"seccomp\":null}}", NULL, NULL, NULL, true, false, false },
	{ "{\"linux\":{\"seccomp\": {\"a\" : 1} }}", "{\"a\" : 1}", NULL, NULL, true, false,
	  false },
	{ "{\"x\":{\"linux\":{\"seccomp\":1}},\"seccomp\":2}", NULL, NULL, NULL, false, false,
	  false },
	{ "{\"\\u006cinux\":{\"s\\u0065ccomp\":{}}}", "{}", NULL, NULL, true, false, false },
	/* Duplicates: the last one. */
	{ "{\"linux\":{\"seccomp\":1,\"seccomp\":2}}", "2", NULL, NULL, true, false, false },
	{ "{\"linux\":{\"seccomp\":1},\"linux\":{\"seccomp\":3}}", "3", NULL, NULL, true, false,
	  false },
	{ "{\"linux\":{\"seccomp\":1,\"seccomp\":null}}", NULL, NULL, NULL, true, false, false },
	{ "{\"root\":{\"path\":\"/r\\u00e4\"},\"linux\":{\"cgroupsPath\":\"a:b:c\"}}", NULL,
	  "a:b:c", "/r\xc3\xa4", true, false, false },
	{ "{\"root\":{\"path\":7},\"linux\":{\"cgroupsPath\":null}}", NULL, NULL, NULL, true, false,
	  false },
	{ "{\"process\":{\"noNewPrivileges\":true}}", NULL, NULL, NULL, false, true, false },
	{ "{\"process\":{\"noNewPrivileges\":false}}", NULL, NULL, NULL, false, false, false },
	{ "{\"process\":{" CAPS("\"CAP_KILL\",\"CAP_SYS_ADMIN\",\"CAP_SYS_MODULE\"") "}}", NULL,
	  NULL, NULL, false, false, true },
	{ "{\"process\":{" CAPS("\"CAP_SYS_ADMIN\",\"CAP_KILL\"") "}}", NULL, NULL, NULL, false,
	  false, false },
	{ "{\"process\":{" CAPS("\"CAP_SYS_ADMIN\",[\"CAP_SYS_MODULE\"],7") "}}", NULL, NULL, NULL,
	  false, false, false },
	{ "{\"process\":{" CAPS("") "}}", NULL, NULL, NULL, false, false, false },
	{ "{\"linux\":{\"n\":18446744073709551615,\"m\":1e400,\"seccomp\":{\"v\":99999999999999"
	  "999999}}}",
	  "{\"v\":99999999999999999999}", NULL, NULL, true, false, false },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void test_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
		_spec_ struct spec s = { 0 };
		_free_ char *why = NULL;

		if (spec_read(sound[i].text, strlen(sound[i].text), &s, &why) < 0)
			fail_msg("%s: %s", sound[i].text, why);
		if (!same(s.seccomp, sound[i].seccomp) || !same(s.root_path, sound[i].root) ||
		    !same(s.cgroups_path, sound[i].cgroups) || s.has_linux != sound[i].has_linux ||
		    s.no_new_privs != sound[i].nnp || s.privileged != sound[i].privileged)
			fail_msg("%s: read otherwise", sound[i].text);
		assert_int_equal(s.seccomp_len, s.seccomp ? strlen(s.seccomp) : 0);
	}
}

#define TWICE "\"seccomp\":1,\"seccomp\":1,\"seccomp\":1,\"seccomp\":1,"

static const char *const unsound[] = {
	"",
	"[]",
	"\"linux\"",
	"{\"linux\":{}} {}",
	"{\"Linux\":{}}",
	"{\"linux\":{\"Seccomp\":{}}}",
	"{\"linux\":{\"\\u0053eccomp\":{}}}",
	"{\"linux\":{\"\xc5\xbf\x65\x63\x63omp\":{}}}",
	"{\"l\xc4\xb0nux\":{}}",
	"{\"linux\":{\"seccomp\":{\"a\":1,}}}",
	"{\"linux\":{\"seccomp\":{}}",
	"{\"a\":\"\xff\",\"linux\":{}}",
	"{\"linux\":{" TWICE TWICE TWICE TWICE "\"seccomp\":1}}",
	"{'linux':{}}",
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsound); i++) {
		struct spec s = { .seccomp_len = 7 };
		_free_ char *why = NULL, *out = NULL;
		size_t len = 0;

		if (spec_read(unsound[i], strlen(unsound[i]), &s, &why) != -EINVAL)
			fail_msg("%s: taken", unsound[i]);
		assert_non_null(why);
		assert_int_equal(s.seccomp_len, 7); /* untouched */
		s = (struct spec){ .text = unsound[i], .len = strlen(unsound[i]) };
		assert_int_equal(spec_splice(&s, "{}", &out, &len), -EINVAL);
	}
}

/* Seccomp and its like are other keys elsewhere: nobody takes them for it. */
static void test_other_places(void **state)
{
	const char *text = "{\"annotations\":{\"Linux\":\"x\",\"Seccomp\":\"y\"},\"linux\":{}}";
	_spec_ struct spec s = { 0 };
	_free_ char *why = NULL;

	assert_int_equal(spec_read(text, strlen(text), &s, &why), 0);
}

static void test_too_large(void **state)
{
	size_t len = SPEC_MAX + 1;
	_free_ char *text = malloc(len), *why = NULL;
	_spec_ struct spec s = { 0 };

	assert_non_null(text);
	memset(text, ' ', len);
	text[0] = '{';
	text[len - 2] = '}';
	assert_int_equal(spec_read(text, len - 1, &s, &why), 0);
	assert_int_equal(spec_read(text, len, &s, &why), -EINVAL);
	assert_non_null(strstr(why, "too large"));
}

static const struct {
	const char *text, *want;
} splices[] = {
	{ "{\"linux\":{\"seccomp\":{\"a\":[1]}}}", "{\"linux\":{\"seccomp\":NEW}}" },
	{ "{ \"linux\" : { \"seccomp\" : null } }\n", "{ \"linux\" : { \"seccomp\" : NEW } }\n" },
	{ "{\"linux\":{}}", "{\"linux\":{\"seccomp\":NEW}}" },
	{ "{\"linux\":{ \n }}", "{\"linux\":{\"seccomp\":NEW \n }}" },
	{ "{\"linux\":{\n  \"a\": 1\n}}", "{\"linux\":{\n  \"a\": 1,\"seccomp\":NEW\n}}" },
	{ "{\"linux\":{\"seccomp\":1,\"b\":{\"seccomp\":2},\"seccomp\":3}}",
	  "{\"linux\":{\"seccomp\":NEW,\"b\":{\"seccomp\":2},\"seccomp\":NEW}}" },
	/* Whichever of the two a reader takes. */
	{ "{\"linux\":{\"seccomp\":1},\"x\":0,\"linux\":{\"y\":1}}",
	  "{\"linux\":{\"seccomp\":NEW},\"x\":0,\"linux\":{\"y\":1,\"seccomp\":NEW}}" },
	{ "{\"linux\":null,\"linux\":{}}", "{\"linux\":null,\"linux\":{\"seccomp\":NEW}}" },
	{ "{\"\\u006cinux\":{\"\\u0073eccomp\":{}},\"n\":18446744073709551616}",
	  "{\"\\u006cinux\":{\"\\u0073eccomp\":NEW},\"n\":18446744073709551616}" },
	{ "{}", NULL },
	{ "{\"linux\":null}", NULL },
	{ "{\"linux\":[]}", NULL },
};

static void test_splice(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(splices); i++) {
		_spec_ struct spec s = { 0 };
		_free_ char *why = NULL, *out = NULL;
		size_t len = 0;
		int r;

		assert_int_equal(spec_read(splices[i].text, strlen(splices[i].text), &s, &why), 0);
		r = spec_splice(&s, "NEW", &out, &len);
		assert_int_equal(r, splices[i].want ? 0 : -ENOENT);
		if (!same(out, splices[i].want))
			fail_msg("%s: %s", splices[i].text, out);
		assert_int_equal(len, out ? strlen(out) : 0);
	}
}

static const struct {
	const char *ours, *engine, *want;
} profiles[] = {
	{ "{ \"defaultAction\" : \"A B\\\" \" }", NULL, "{\"defaultAction\":\"A B\\\" \"}" },
	{ "{}", NULL, "{}" },
	{ "{}", "{\"flags\":[ ]}", "{\"flags\":[]}" },
	{ "{\"a\":1,\"flags\":[\"X\"]}", "{\"b\":2}", "{\"a\":1,\"flags\":[\"X\"]}" },
	{ "{\"a\":1,\"flags\":[\"X\"],\"listenerPath\":\"p\"}",
	  "{\"flags\":[\"Y\"],\"syscalls\":[],\"listenerMetadata\":\"m\"}",
	  "{\"a\":1,\"listenerPath\":\"p\",\"flags\":[\"Y\"],\"listenerMetadata\":\"m\"}" },
	{ "{\"v\":18446744073709551615}", "{\"v\":1,\"listenerPath\":\"/run/x y\"}",
	  "{\"v\":18446744073709551615,\"listenerPath\":\"/run/x y\"}" },
	{ "[]", NULL, NULL },
	{ "{\"a\":1", NULL, NULL },
	{ "{}", "1", NULL },
	{ "{}", "{} {}", NULL },
};

static void test_profile(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		const char *engine = profiles[i].engine;
		_free_ char *out = NULL;
		int r = spec_profile(profiles[i].ours, engine, engine ? strlen(engine) : 0, &out);

		assert_int_equal(r, profiles[i].want ? 0 : -EINVAL);
		if (!same(out, profiles[i].want))
			fail_msg("%s: %s", profiles[i].ours, out);
	}
}

#define L    ",\"listenerPath\":\"/run/k.sock\"}"
#define WAIT "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

static const struct {
	const char *ours, *engine, *want;
	bool wait;
	int r; /* without `want` */
} askings[] = {
	{ "{\"a\":1}", NULL, "{\"a\":1" L },
	{ "{}", NULL, "{\"listenerPath\":\"/run/k.sock\"}" },
	{ "{ \"a\" : [ 1 ] }", "{\"b\":2,\"listenerMetadata\":\"m\"}", "{\"a\":[1]" L },
	{ "{\"a\":1,\"flags\":[ \"X\" ],\"listenerPath\":\"p\",\"listenerMetadata\":\"m\"}", "{}",
	  "{\"a\":1,\"flags\":[\"X\"]" L },
	{ "{\"a\":1,\"flags\":[\"X\"]}", "{\"flags\":[\"Y\",\"Z\"]}",
	  "{\"a\":1,\"flags\":[\"Y\",\"Z\"]" L },
	{ "{\"a\":1}", "{\"flags\":null}", "{\"a\":1" L },
	{ "{\"a\":1}", "{\"flags\":[]}", "{\"a\":1,\"flags\":[]" L },
	{ "{\"a\":1}", NULL, "{\"a\":1,\"flags\":[\"" WAIT "\"]" L, .wait = true },
	{ "{\"a\":1}", "{\"flags\": [ \"Y\", 1 ]}", "{\"a\":1,\"flags\":[\"Y\",1,\"" WAIT "\"]" L,
	  .wait = true },
	{ "{\"a\":1}", "{\"flags\":[\"" WAIT "\",\"Y\"]}",
	  "{\"a\":1,\"flags\":[\"" WAIT "\",\"Y\"]" L, .wait = true },
	/* one of its own, which is who it is to ask */
	{ "{\"a\":1}", "{\"listenerPath\":\"/run/other\"}", .r = -EBUSY },
	{ "{\"a\":1}", "{\"listenerPath\":\"\",\"listener\\u0050ath\":\"/run/other\"}",
	  .r = -EBUSY },
	{ "{\"a\":1}", "{\"listenerPath\":0}", .r = -EBUSY },
	{ "{\"a\":1}", "{\"listenerPath\":\"\"}", "{\"a\":1" L },
	{ "{\"a\":1}", "{\"listenerPath\":null}", "{\"a\":1" L },
	{ "{\"a\":1}", "{\"flags\":\"X\"}", .r = -EINVAL },
	{ "[]", NULL, .r = -EINVAL },
	{ "{\"a\":1}", "1", .r = -EINVAL },
	{ "{\"a\":1}", "{} {}", .r = -EINVAL },
};

static void test_asking(void **state)
{
	static const char *const bad[] = { "",	       "run/k",	    "/run/\"k",
					   "/run/k\\", "/run/../k", "/run/k\n",
					   "/",	       "/run/k/",   "/run/\xc3\xa4" };
	char *out = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(askings); i++) {
		const char *engine = askings[i].engine;
		_free_ char *text = NULL;
		int r = spec_profile_asking(askings[i].ours, engine, engine ? strlen(engine) : 0,
					    "/run/k.sock", askings[i].wait, &text);

		if (r != (askings[i].want ? 0 : askings[i].r) || !same(text, askings[i].want))
			fail_msg("%zu: %d, %s", i, r, text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(spec_profile_asking("{}", NULL, 0, bad[i], false, &out), -EINVAL);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_places), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_splice),	     cmocka_unit_test(test_profile),
		cmocka_unit_test(test_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
