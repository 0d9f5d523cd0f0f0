/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/bundle.h"

#include "recorded.h"
#include "unit/skip.h"

static const struct {
	const char *cgroups_path, *path;
	enum proof proof;
} proofs[] = {
	{ "/libpod_parent/libpod-x", "/libpod_parent/libpod-x", PROOF_AGREES },
	{ "//libpod_parent/libpod-x", "/libpod_parent/libpod-x", PROOF_AGREES },
	{ "/libpod_parent/libpod-x", "/a/libpod_parent/libpod-x", PROOF_DENIES },
	{ "/libpod_parent/libpod-x", "/libpod-x", PROOF_DENIES },
	{ "/libpod_parent/libpod-xx", "/libpod_parent/libpod-x", PROOF_DENIES },
	{ "machine.slice:libpod:x", "/machine.slice/libpod-x.scope", PROOF_AGREES },
	{ "machine.slice:libpod:x", "/libpod-x.scope", PROOF_DENIES },
	{ "machine.slice:libpod:x", "/a.service/machine.slice/libpod-x.scope", PROOF_DENIES },
	{ "machine.slice:libpod:x", "/machine.slice/libpod-y.scope", PROOF_DENIES },
	{ "a-b-c.slice:cri-containerd:x", "/a.slice/a-b.slice/a-b-c.slice/cri-containerd-x.scope",
	  PROOF_AGREES },
	{ "a-b-c.slice:cri-containerd:x", "/a-b-c.slice/cri-containerd-x.scope", PROOF_DENIES },
	{ "-.slice:docker:x", "/docker-x.scope", PROOF_AGREES },
	{ ":docker:x", "/system.slice/docker-x.scope", PROOF_AGREES },
	{ "system.slice::x", "/system.slice/x.scope", PROOF_AGREES },
	{ "system:docker:x", "/system/docker-x.scope", PROOF_DENIES },
	{ ".slice:docker:x", "/.slice/docker-x.scope", PROOF_DENIES },
	{ "a:b", "/a/b.scope", PROOF_DENIES },
	{ "user.slice:libpod:x", USER_AT "/user.slice/libpod-x.scope", PROOF_AGREES },
	{ ":libpod:x", USER_AT "/user.slice/libpod-x.scope", PROOF_AGREES },
	{ "user.slice:libpod:x", USER_AT "/app.slice/libpod-x.scope", PROOF_DENIES },
	{ USER_AT "/app.slice/a.service/libpod-payload-x",
	  USER_AT "/app.slice/a.service/libpod-payload-x", PROOF_AGREES },
	{ "relative", "/relative", PROOF_NONE },
	{ "", "/x", PROOF_NONE },
};

static struct place last_of(const char *path)
{
	struct place p, last = { 0 };

	assert_int_equal(place_begin(&p, path), 0);
	while (place_next(&p))
		last = p;
	return last;
}

static void compares_places(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(proofs); i++) {
		struct place p = last_of(proofs[i].path);

		if (bundle_path_proof(proofs[i].cgroups_path, &p) != proofs[i].proof)
			fail_msg("%s at %s", proofs[i].cgroups_path, proofs[i].path);
	}
}

static struct bundle of_text(const char *text)
{
	return (struct bundle){ .text = (char *)text, .config = { text, strlen(text) } };
}

static const struct {
	const char *text, *entry;
} entries[] = {
	{ "{\"process\":{\"args\":[\"/usr/bin/redis-server\",\"x\"]}}", "redis-server" },
	{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"nginx\"]}}", "sh" },
	{ "{\"process\":{\"args\":[\"/run/podman-init\",\"--\",\"/bin/a\",\"b\"]}}", "a" },
	{ "{\"process\":{\"args\":[\"/sbin/docker-init\",\"--\",\"a\"]}}", "a" },
	{ "{\"process\":{\"args\":[\"/run/podman-init\"]}}", NULL },
	{ "{\"process\":{\"args\":[\"/run/podman-init\",\"--\"]}}", NULL },
	{ "{\"process\":{\"args\":[\"a/\"]}}", "" },
	{ "{\"process\":{\"args\":[]}}", NULL },
	{ "{\"process\":{\"args\":[1]}}", NULL },
	{ "{\"process\":{\"args\":\"sh\"}}", NULL },
	{ "{\"process\":{}}", NULL },
	{ "{}", NULL },
	{ "[]", NULL },
	{ "", NULL },
};

static void tells_the_entry(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		struct bundle b = of_text(entries[i].text);
		_free_ char *entry = NULL;
		int r = bundle_entry(&b, &entry);

		same_text(entries[i].text, "entry", entry, entries[i].entry);
		assert_int_equal(r == 0, entries[i].entry != NULL);
	}
}

static void proves_by_its_file(void **state)
{
	struct place p = last_of("/a/b");
	struct bundle agrees = of_text("{\"linux\":{\"cgroupsPath\":\"/a/b\"}}"),
		      denies = of_text("{\"linux\":{\"cgroupsPath\":\"/a/c\"}}"),
		      silent = of_text("{\"linux\":{}}"), wrong = of_text("{\"linux\":[]}"),
		      none = BUNDLE_INIT;

	assert_int_equal(bundle_proof(&agrees, &p), PROOF_AGREES);
	assert_int_equal(bundle_proof(&denies, &p), PROOF_DENIES);
	assert_int_equal(bundle_proof(&silent, &p), PROOF_NONE);
	assert_int_equal(bundle_proof(&wrong, &p), PROOF_NONE);
	assert_int_equal(bundle_proof(&none, &p), PROOF_NONE);
}

static void reads_annotations(void **state)
{
	struct bundle b = of_text("{\"annotations\":{\"a\":\"1\",\"n\":2}}"), none = BUNDLE_INIT;
	_free_ char *got = NULL;

	assert_int_equal(bundle_annotation(&b, "b", &got), -ENOENT);
	assert_int_equal(bundle_annotation(&b, "n", &got), -EINVAL);
	assert_int_equal(bundle_annotation(&none, "a", &got), -ENOENT);
	assert_int_equal(bundle_long_annotation(&b, "a", 1, &got), -EFBIG);
	assert_null(got);
	assert_int_equal(bundle_annotation(&b, "a", &got), 0);
	assert_string_equal(got, "1");
}

static void reads_its_file(void **state)
{
	struct recorded *r;
	_state_ struct state s = STATE_INIT;
	_bundle_ struct bundle b = BUNDLE_INIT;
	_free_ char *entry = NULL;

	need_root();
	r = recorded_new();
	recorded_bundle(r, "/run/e/x", "/a/b", "/bin/prog", "");
	assert_int_equal(state_open(r->dir, 0, "/run/e", &s), 0);
	assert_int_equal(bundle_read(&s, "y", &b), -ENOENT);
	assert_null(b.text);
	assert_int_equal(bundle_read(&s, "x", &b), 0);
	assert_int_equal(bundle_entry(&b, &entry), 0);
	assert_string_equal(entry, "prog");
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_places),    cmocka_unit_test(tells_the_entry),
		cmocka_unit_test(proves_by_its_file), cmocka_unit_test(reads_annotations),
		cmocka_unit_test(reads_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
