/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>

#include "base/text.h"
#include "unit/applied_fixture.h"

static char *print_of(const struct applied *a)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(applied_print(a, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	return text;
}

static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *s;

	if (!at)
		fail_msg("there is no %s in %s", from, text);
	s = text_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_non_null(s);
	return s;
}

static void comes_back(void **state)
{
	struct applied all[] = { applied_of(KEY), fullest(), applied_of(KEY), applied_of(KEY) };

	all[2].mode = MODE_SHADOW;
	all[3].mode = MODE_PROBATION;
	all[3].rule = PROBATION_ASK;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_free_ char *text = print_of(&all[i]), *again = NULL, *why = NULL;
		_applied_ struct applied back = { 0 };

		assert_int_equal(applied_parse(text, strlen(text), &back, &why), 0);
		assert_null(why);
		assert_same(&all[i], &back);
		again = print_of(&back);
		assert_string_equal(text, again);
		applied_done(&all[i]);
	}
}

/* What tamis wrote before there was probation: none of these members. */
static void reads_files_of_before(void **state)
{
	static const char *const members[] = { "probe_new_image", "rule", "allowed", "refused",
					       "listener" };
	_applied_ struct applied a = applied_of(KEY), back = { 0 };
	_free_ char *text = print_of(&a), *old = NULL, *why = NULL;
	json_auto_t *o = json_loads(text, 0, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_int_equal(json_object_del(o, members[i]), 0);
	old = json_dumps(o, 0);
	assert_int_equal(applied_parse(old, strlen(old), &back, &why), 0);
	assert_same(&a, &back);
}

/* ... nor what had no errnos: what has none is written as it was then. */
static void errnos_are_said_where_there_are_some(void **state)
{
	_applied_ struct applied plain = applied_of(KEY), full = fullest();
	_free_ char *without = print_of(&plain), *with = print_of(&full);

	assert_null(strstr(without, "denied_eperm"));
	assert_non_null(strstr(with, "denied_eperm"));
}

static void a_listener_is_a_sockets_path(void **state)
{
	static const struct {
		unsigned len; /* with its slash */
		bool relative;
		int r;
	} t[] = { { 107, false, 0 }, { 108, false, -EINVAL }, { 1000, false, -EINVAL },
		  { 2, false, 0 },   { 20, true, -EINVAL },   { 0, false, -EINVAL } };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_applied_ struct applied a = applied_of(KEY), back = { 0 };
		_free_ char *plain = print_of(&a), *broken = NULL, *text = NULL, *why = NULL;
		char path[1024] = "", member[2048];
		size_t len;

		memset(path, 'x', t[i].len);
		if (!t[i].relative && t[i].len)
			path[0] = '/';
		snprintf(member, sizeof(member), "\"listener\": \"%s\"", path);
		broken = replaced(plain, "\"listener\": null", member);
		assert_int_equal(applied_parse(broken, strlen(broken), &back, &why), t[i].r);
		assert_true(!why == (t[i].r == 0));
		a.listener = strdup(path);
		assert_int_equal(applied_print(&a, &text, &len), t[i].r);
	}
}

/* What is no text is shown escaped and still read back. */
static void escapes_what_is_no_text(void **state)
{
	_applied_ struct applied a = applied_of(KEY), back = { 0 };
	_free_ char *text = NULL, *why = NULL;

	free(a.now.maker);
	a.now.maker = strdup("auto: \xff\xfe*");
	a.now.failed = malloc(70000);
	memset(a.now.failed, 'x', 69999);
	a.now.failed[69999] = '\0';
	text = print_of(&a);
	assert_int_equal(applied_parse(text, strlen(text), &back, &why), 0);
	assert_string_equal(back.now.maker, "auto: \\xff\\xfe*");
	assert_in_range(strlen(back.now.failed), 100, 200);
}

static const struct breakage {
	const char *from, *to;
	int r;
	const char *why;
} breakages[] = {
	{ "\"version\": 1", "\"version\": 2", -EPROTO, "version 2" },
	{ "\"version\": 1", "\"version\": 18446744073709551615", -EPROTO, "version" },
	{ "\"version\": 1", "\"version\": 0", -EINVAL, "version 0" },
	{ "\"version\": 1", "\"version\": \"1\"", -EINVAL, "version" },
	{ "\"version\": 1", "\"versions\": 1", -EINVAL, "version: missing" },
	{ "\"key\": \"podman/web\"", "\"key\": 3", -EINVAL, "key: a number" },
	{ "\"key\": \"podman/web\"", "\"kee\": 3", -EINVAL, "key: missing" },
	{ "\"key\": \"podman/web\"", "\"key\": \"a\", \"key\": \"b\"", -EINVAL, "duplicate" },
	{ "\"mode\": \"enforce\"", "\"mode\": \"observe\"", -EINVAL, "mode" },
	{ "\"mode\": \"enforce\"", "\"mode\": null", -EINVAL, "mode" },
	{ "\"mode\": \"enforce\"", "\"mode\": \"probate\"", -EINVAL, "mode: neither" },
	{ "\"rule\": \"learn\"", "\"rule\": \"guess\"", -EINVAL, "rule: neither" },
	{ "\"rule\": \"learn\"", "\"rule\": 0", -EINVAL, "rule: a number" },
	{ "\"probe_new_image\": false", "\"probe_new_image\": null", -EINVAL, "probe_new_image" },
	{ "\"allowed\": {}", "\"allowed\": null", -EINVAL, "allowed" },
	{ "\"allowed\": {}", "\"allowed\": {\"x86_64\": [\"raed\"]}", -EINVAL,
	  "allowed.x86_64[0]: no call of that name: raed" },
	{ "\"refused\": {}", "\"refused\": []", -EINVAL, "refused" },
	{ "\"refused\": {}", "\"refused\": {\"x86_64\": [7]}", -EINVAL, "refused.x86_64[0]" },
	{ "\"listener\": null", "\"listener\": 3", -EINVAL, "listener: a number" },
	{ "\"listener\": null", "\"listener\": \"run/x\"", -EINVAL, "listener: not" },
	{ "\"listener\": null", "\"listener\": \"/run/../x\"", -EINVAL, "listener: not" },
	{ "\"listener\": null", "\"listener\": \"/run/\\n\"", -EINVAL, "listener: not" },
	{ "\"replace\": false", "\"replace\": 0", -EINVAL, "replace: not a boolean" },
	{ "\"unconfined\": false", "\"unconfined\": null", -EINVAL, "unconfined" },
	{ "\"keep_new_image\": false", "\"k\": false", -EINVAL, "keep_new_image: missing" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": -1", -EINVAL, "trial_seconds" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": 86401", -EINVAL, "trial_seconds" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": 1e1", -EINVAL, "trial_seconds" },
	{ "\"generation\": {", "\"generations\": {", -EINVAL, "generation: missing" },
	{ "\"generation\": {", "\"generation\": 7, \"x\": {", -EINVAL, "generation: a number" },
	{ "\"good\": null", "\"good\": []", -EINVAL, "good: an array" },
	{ "\"good\": null", "\"good\": {}", -EINVAL, "good.number: missing" },
	{ "\"number\": 2", "\"number\": 0", -EINVAL, "generation.number" },
	{ "\"number\": 2", "\"number\": 4294967296", -EINVAL, "generation.number" },
	{ "\"created\": 1700000000", "\"created\": -5", -EINVAL, "generation.created" },
	{ "\"maker\": \"root\"", "\"maker\": {}", -EINVAL, "generation.maker" },
	{ "\"state\": \"trial\"", "\"state\": \"best\"", -EINVAL, "generation.state" },
	{ "\"failed\": null", "\"failed\": 31", -EINVAL, "generation.failed" },
	{ "\"images\": []", "\"images\": [1]", -EINVAL, "generation.images[0]" },
	{ "\"images\": []", "\"images\": {}", -EINVAL, "generation.images" },
	{ "\"descendants\": false", "\"descendants\": \"no\"", -EINVAL, "descendants" },
	{ "\"learned\": {", "\"learnt\": {", -EINVAL, "generation.learned: missing" },
	{ "\"session\": {}", "\"session\": []", -EINVAL, "generation.learned.session" },
	{ "\"session\": {}", "\"x\": {}", -EINVAL, "learned.session: missing" },
	{ "\"read\"", "\"raed\"", -EINVAL, "no call of that name: raed" },
	{ "\"read\"", "\"#9999\"", -EINVAL, "no call of that name" },
	{ "\"read\"", "7", -EINVAL, "workload.x86_64[0]: a number" },
	{ "\"read\"", "\"write\"", -EUCLEAN, "generation.digest" },
	{ "\"session\": {}", "\"session\": {\"arm\": [\"read\"]}", -EUCLEAN, "digest" },
	{ "\"denied\": {}", "\"denied\": {\"x86_64\": [\"read\"]}", -EUCLEAN, "digest" },
	{ "\"denied\": {}",
	  "\"denied\": {\"x86_64\": [\"read\"]}, \"denied_eperm\": {\"x86_64\": [\"read\"]}",
	  -EUCLEAN, "digest" },
	{ "\"denied\": {}", "\"denied\": {}, \"denied_eperm\": {\"x86_64\": [\"read\"]}", -EINVAL,
	  "generation.denied_eperm: a call that isn't denied" },
	{ "\"denied\": {}", "\"denied\": {}, \"denied_eperm\": [\"read\"]", -EINVAL,
	  "generation.denied_eperm" },
	{ "\"denied\": {}", "\"denied\": {}, \"denied_eperm\": {\"x86_64\": [\"raed\"]}", -EINVAL,
	  "no call of that name" },
	{ "\"descendants\": false", "\"descendants\": true", -EUCLEAN, "digest" },
	{ "\"digest\": \"sha256:", "\"digest\": \"md5:", -EUCLEAN, "digest" },
	{ "\"digest\": \"", "\"digest\": null, \"d\": \"", -EINVAL, "digest: missing" },
	{ "\"starts\": 2", "\"starts\": -2", -EINVAL, "evidence.starts: negative" },
	{ "\"starts\": 2", "\"start\": 2", -EINVAL, "evidence.starts: missing" },
	{ "\"evidence\": {", "\"evidence\": null, \"e\": {", -EINVAL, "evidence" },
	{ "{\n", "[\n", -EINVAL, "line" },
	{ "\"root\"", "\"\\u0000\"", -EINVAL, "line" },
	{ "\"root\"", "\"\xff\"", -EINVAL, "line" },
};

static void refuses_what_is_broken(void **state)
{
	_applied_ struct applied a = applied_of(KEY);
	_free_ char *text = print_of(&a);

	for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
		const struct breakage *b = &breakages[i];
		_free_ char *broken = replaced(text, b->from, b->to), *why = NULL;
		struct applied back = { .trial_s = 77 };
		int r = applied_parse(broken, strlen(broken), &back, &why);

		if (r != b->r || !why || !strstr(why, b->why))
			fail_msg("%s: %d, %s", b->to, r, why);
		assert_null(back.key);
		assert_int_equal(back.trial_s, 77);
	}
}

static void refuses_what_is_cut(void **state)
{
	_applied_ struct applied a = fullest();
	_free_ char *text = print_of(&a);

	/* But for the newline at its end. */
	for (size_t len = 0; len + 1 < strlen(text); len++) {
		_free_ char *why = NULL;
		struct applied back = { 0 };

		assert_int_equal(applied_parse(text, len, &back, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void refuses_what_is_too_much(void **state)
{
	_free_ char *large = calloc(1, APPLIED_MAX + 1), *why = NULL, *deep = NULL;
	struct applied back = { 0 };

	memset(large, ' ', APPLIED_MAX + 1);
	assert_int_equal(applied_parse(large, APPLIED_MAX + 1, &back, &why), -EINVAL);
	assert_non_null(strstr(why, "larger"));
	memset(large, '[', APPLIED_MAX);
	assert_int_equal(applied_parse(large, APPLIED_MAX, &back, &deep), -EINVAL);
	assert_non_null(strstr(deep, "deeper"));
}

static void refuses_many_images(void **state)
{
	_applied_ struct applied a = applied_of(KEY);
	_free_ char *text = print_of(&a), *broken = NULL, *why = NULL;
	char list[GENERATION_IMAGES_MAX * 12 + 64] = "\"images\": [";
	struct applied back = { 0 };

	for (unsigned i = 0; i <= GENERATION_IMAGES_MAX; i++)
		sprintf(list + strlen(list), "%s\"i%u\"", i ? "," : "", i);
	broken = replaced(text, "\"images\": [", list);
	assert_int_equal(applied_parse(broken, strlen(broken), &back, &why), -EINVAL);
	assert_non_null(strstr(why, "images"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(reads_files_of_before),
		cmocka_unit_test(errnos_are_said_where_there_are_some),
		cmocka_unit_test(a_listener_is_a_sockets_path),
		cmocka_unit_test(escapes_what_is_no_text),
		cmocka_unit_test(refuses_what_is_broken),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(refuses_what_is_too_much),
		cmocka_unit_test(refuses_many_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
