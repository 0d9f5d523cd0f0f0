/* SPDX-License-Identifier: Apache-2.0 */
/* The page as text; tests/e2e/report.bats looks at it in a browser. */
#include "mine/report.h"

#include <errno.h>
#include <setjmp.h>
#include <sha2.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/cleanup.h"

static const char *const hostile =
	"</script></title></style><script>alert(1)</script><!--<img src=x onerror=alert(2)>"
	"\" onfocus='alert(3)' {{data}} ]]>& \xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae";

static json_t *sample(void)
{
	json_error_t why;
	json_t *doc = json_load_file("tests/data/mine/full.json", 0, &why);

	if (!doc)
		fail_msg("%s:%d: %s", why.source, why.line, why.text);
	return doc;
}

static char *page_of(const json_t *doc)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(report_write(doc, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

/* What stands between `open` and the next `close`; caller frees. */
static char *between(const char *text, const char *open, const char *close)
{
	const char *start = strstr(text, open), *end;

	assert_non_null(start);
	start += strlen(open);
	end = strstr(start, close);
	assert_non_null(end);
	return strndup(start, (size_t)(end - start));
}

static size_t occurrences(const char *text, const char *what)
{
	size_t cnt = 0;

	for (; (text = strstr(text, what)); text++)
		cnt++;
	return cnt;
}

static void holds_the_document(void **state)
{
	json_auto_t *doc = sample(), *inside = NULL;
	_free_ char *page = page_of(doc);
	_free_ char *data =
		between(page, "<script type=\"application/json\" id=\"data\">", "</script>");

	inside = json_loads(data, 0, NULL);
	assert_non_null(inside);
	assert_true(json_equal(doc, inside));
}

static void assert_allowed(const char *page, const char *open, const char *close)
{
	_free_ char *text = between(page, open, close), *digest = NULL, *want = NULL;
	uint8_t sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)text, strlen(text));
	SHA256Final(sum, &ctx);
	digest = base64_encode(sum, sizeof(sum));
	assert_true(asprintf(&want, "'sha256-%s'", digest) > 0);
	assert_non_null(strstr(page, want));
}

static void allows_its_own_style_and_script_alone(void **state)
{
	json_auto_t *doc = sample();
	_free_ char *page = page_of(doc);

	assert_allowed(page, "<style>", "</style>");
	assert_allowed(page, "<script>", "</script>");
	assert_non_null(strstr(page, "default-src 'none'"));
	assert_null(strstr(page, "unsafe"));
	assert_null(strstr(page, " style="));
	assert_null(strstr(page, "://"));
}

static void leaves_no_part_out(void **state)
{
	json_auto_t *doc = sample();
	_free_ char *page = page_of(doc);

	assert_null(strstr(page, "{{"));
	assert_non_null(strstr(page, "</html>"));
}

/* Every string of it, at whatever depth. */
static json_t *poisoned(const json_t *v)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	if (json_is_string(v))
		return json_string(hostile);
	if (!json_is_array(v) && !json_is_object(v))
		return json_deep_copy(v);
	copy = json_is_array(v) ? json_array() : json_object();
	json_array_foreach(v, i, item)
		assert_int_equal(json_array_append_new(copy, poisoned(item)), 0);
	json_object_foreach((json_t *)v, key, item)
		assert_int_equal(json_object_set_new(copy, key, poisoned(item)), 0);
	return copy;
}

static void no_string_gets_out(void **state)
{
	json_auto_t *plain = sample(), *doc = poisoned(plain);
	_free_ char *page = page_of(doc), *data = NULL;
	_free_ char *body = between(page, "<body>", "<script type="), *harmless = page_of(plain);
	json_auto_t *inside = NULL;

	assert_null(strstr(page, "<script>alert"));
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "<!--<"));
	assert_null(strstr(body, "\" onfocus"));
	assert_null(strstr(page, "\xe2\x80\xa8"));
	assert_null(strstr(page, "\xe2\x80\xae"));
	assert_int_equal(occurrences(page, "<script"), 2);
	assert_int_equal(occurrences(page, "</script"), 2);
	assert_int_equal(occurrences(page, "<style"), 1);
	assert_int_equal(occurrences(page, "</title>"), occurrences(harmless, "</title>"));
	data = between(page, "id=\"data\">", "</script>");
	inside = json_loads(data, 0, NULL);
	assert_true(json_equal(doc, inside));
}

/* The same document with a value in the place of one, at whatever depth: n counts the places. */
static json_t *replaced(const json_t *v, json_t *by, size_t *n)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	if ((*n)-- == 0)
		return json_incref(by);
	if (!json_is_array(v) && !json_is_object(v))
		return json_deep_copy(v);
	copy = json_is_array(v) ? json_array() : json_object();
	json_array_foreach(v, i, item)
		assert_int_equal(json_array_append_new(copy, replaced(item, by, n)), 0);
	json_object_foreach((json_t *)v, key, item)
		assert_int_equal(json_object_set_new(copy, key, replaced(item, by, n)), 0);
	return copy;
}

static json_t *shortened(void)
{
	json_t *doc = sample();
	json_t *calls = json_object_get(doc, "calls"), *tests = json_object_get(doc, "tests");

	while (json_array_size(calls) > 2)
		json_array_remove(calls, 2);
	while (json_array_size(tests) > 2)
		json_array_remove(tests, 2);
	json_object_set_new(doc, "policy", json_pack("{s:[s]}", "a", "b"));
	return doc;
}

static void any_value_may_be_anything(void **state)
{
	json_auto_t *doc = shortened();
	json_t *by[] = { json_null(),	    json_object(),
			 json_array(),	    json_string("?"),
			 json_true(),	    json_integer(-7),
			 json_real(-1e300), json_integer(INT64_MAX),
			 json_real(1e300) };

	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		for (size_t n = 0;; n++) {
			size_t left = n;
			json_auto_t *odd = replaced(doc, by[i], &left);
			_free_ char *page = NULL;

			if (left != SIZE_MAX)
				break;
			page = page_of(odd);
			assert_non_null(strstr(page, "</html>"));
			assert_int_equal(occurrences(page, "<h2>"), 7);
		}
		json_decref(by[i]);
	}
}

static const struct {
	const char *what, *doc, *want, *not ;
} phases[] = {
	{ "nothing", "{}", "The policy was not tried", "<path" },
	{ "nothing to draw", "{}", "No unit was sampled", "id=heat" },
	{ "stopped", "{\"why\": \"stopped\"}", "Stopped before its end", "Ended early" },
	{ "another end", "{\"why\": \"disk < full\"}", "Ended early: disk &lt; full", "Stopped" },
	{ "phases", "{\"took_ms\": {\"start\": 1240, \"enforce\": null}}",
	  "<li>start <b>1.2 s</b><li class=none>observe <b>not reached</b>", "0 ms" },
	{ "losses", "{\"partial\": true}", "Partial: ", "Stopped" },
	{ "no estimate", "{\"estimate\": null}", "still unseen is <b>not known</b>.", "95 %" },
	{ "an estimate not known",
	  "{\"estimate\": {\"known\": false, \"why\": \"3 tests are few\"}}",
	  "<b>not known</b>: 3 tests are few.", "95 %" },
	{ "an estimate of all",
	  "{\"estimate\": {\"known\": true, \"coverage\": 1.0, \"coverage_low\": 0.99, "
	  "\"coverage_high\": 1.0}}",
	  "99.9 %", "100" },
	{ "not minimised", "{}", "Not minimised: ", "Before<" },
	{ "not wider", "{\"widened\": {\"base\": \"b.json\", \"calls\": []}}",
	  "Not wider than <code>b.json</code>", "id=wider" },
	{ "wider",
	  "{\"widened\": {\"base\": \"b.json\", \"calls\": [{\"call\": \"ptrace\", \"tests\": "
	  "[\"t3\", \"t4\"]}]}}",
	  "<code>ptrace</code> by t3, t4", "Not wider" },
	{ "a test that enforcing breaks",
	  "{\"tests\": [{\"name\": \"a\", \"outcome\": \"pass\", \"enforced\": {\"outcome\": "
	  "\"fail\", "
	  "\"why\": \"exit 1\", \"refused\": [{\"call\": \"ptrace\", \"count\": 2, \"comm\": "
	  "\"sh\"}]}}]}",
	  "1 of 1 tests fails under the policy that was mined. It refused <b>1 call</b>",
	  "pass under" },
	{ "a test that fails without us",
	  "{\"tests\": [{\"name\": \"a\", \"outcome\": \"hung\", \"enforced\": null}]}",
	  "1 of 1 tests did not pass without a policy either", "under a policy of" },
	{ "a test that there was no time for",
	  "{\"tests\": [{\"name\": \"a\", \"outcome\": \"pass\", \"enforced\": {\"outcome\": "
	  "\"none\"}}, "
	  "{\"name\": \"b\", \"outcome\": \"none\"}]}",
	  "1 of 2 tests were not run", "fails under" },
	{ "a phase of no time", "{\"took_ms\": {\"enforce\": 0}}", "enforce <b>not reached</b>",
	  "0 ms" },
	{ "a guarded call",
	  "{\"calls\": [{\"call\": \"bpf\", \"guarded\": true, \"pending\": true}]}",
	  "1 guarded call was learned and not in the policy", "calls were" },
	{ "wider at the start",
	  "{\"widened\": {\"base\": \"b\", \"calls\": [{\"call\": \"ptrace\", \"tests\": []}]}}",
	  "<code>ptrace</code> while it started or stopped", "</code> by" },
	{ "what no filter can refuse",
	  "{\"score\": {\"mined\": {}}, \"calls\": [{\"call\": \"execve\", \"cves\": [\"CVE-1\", "
	  "\"CVE-2\"]}]}",
	  "CVE-2</span> in reach <small>first in the start; 0 of 0 tests; no filter",
	  "with a risk" },
	{ "what a filter can",
	  "{\"score\": {\"mined\": {}}, \"calls\": [{\"call\": \"splice\", \"cves\": "
	  "[\"CVE-1\"]}]}",
	  "1 with a risk", "no filter that a runtime" },
	{ "minimised",
	  "{\"score\": {\"minimised\": {\"calls\": 99}}, \"calls\": [{\"call\": \"a\", "
	  "\"minimised\": "
	  "{\"state\": \"not needed\", \"errno\": \"EPERM\"}}, {\"call\": \"b\"}]}",
	  "<b>1</b> <small>of the 2", "99" },
	{ "refused outside",
	  "{\"tests\": [{}], \"refused_outside\": [{\"call\": \"bpf\", \"count\": 1}]}",
	  "started or stopped: <code>bpf</code>", "×" },
	{ "another ABI",
	  "{\"calls\": [{\"abi\": \"x86_64\", \"call\": \"read\"}, {\"abi\": \"i386\", \"call\": "
	  "\"read\"}]}",
	  "read <small>i386</small>", "read <small>x86_64" },
};

static void says_what_is_missing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		json_auto_t *doc = json_loads(phases[i].doc, 0, NULL);
		_free_ char *page = NULL, *body = NULL;

		assert_non_null(doc);
		page = page_of(doc);
		body = between(page, "<body>", "<aside");
		if (!strstr(body, phases[i].want) || strstr(body, phases[i].not ))
			fail_msg("%s: %s", phases[i].what, body);
	}
}

static void a_full_disk_is_said(void **state)
{
	json_auto_t *doc = sample();
	_fclose_ FILE *f = fopen("/dev/full", "we");

	assert_non_null(f);
	assert_int_equal(report_write(doc, f), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_the_document),
		cmocka_unit_test(allows_its_own_style_and_script_alone),
		cmocka_unit_test(leaves_no_part_out),
		cmocka_unit_test(no_string_gets_out),
		cmocka_unit_test(any_value_may_be_anything),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(a_full_disk_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
