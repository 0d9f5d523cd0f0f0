/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/storage.h"

#include "recorded.h"
#include "unit/skip.h"

#define META(image, name) \
	"\"metadata\":\"{\\\"image-name\\\":\\\"" image "\\\",\\\"name\\\":\\\"" name "\\\"}\""
#define ONE "{\"id\":\"" A_ID "\",\"names\":[\"redis\"],\"image\":\"i1\"," META("r:7", "redis") "}"
#define RENAMED \
	"{\"id\":\"" B_ID "\",\"names\":[\"new\",\"x\"],\"image\":\"i2\"," META("r:8", "old") "}"
#define BARE "{\"id\":\"" C_ID "\"}"
/* A name that holds another container's id, and one that is that id. */
#define LIAR "{\"names\":[\"" A_ID "\"],\"id\":\"" D_ID "\",\"x\":{\"id\":\"" A_ID "\"}}"

static const struct {
	const char *text, *id;
	int error;
	const char *name, *image, *image_id;
} containers[] = {
	{ "[" ONE "]", A_ID, 0, "redis", "r:7", "i1" },
	{ "[" LIAR ",\n" ONE " , " RENAMED "]\n", A_ID, 0, "redis", "r:7", "i1" },
	{ "[" ONE "," RENAMED "]", B_ID, 0, "new", "r:8", "i2" },
	{ "[" LIAR "]", A_ID, -ENOENT, NULL, NULL, NULL },
	{ "[" BARE "]", C_ID, 0, NULL, NULL, NULL },
	{ "[" ONE "]", NO_ID, -ENOENT, NULL, NULL, NULL },
	{ "[]", A_ID, -ENOENT, NULL, NULL, NULL },
	{ "{" ONE "}", A_ID, -EINVAL, NULL, NULL, NULL },
	{ "[" BARE "," ONE, A_ID, -EINVAL, NULL, NULL, NULL },
	{ "", A_ID, -ENOENT, NULL, NULL, NULL },
	{ "[{\"id\":\"" A_ID "\",\"names\":[\"a\xff\"],\"metadata\":\"{{\"}]", A_ID, 0, NULL, NULL,
	  NULL },
	{ "[{\"id\":\"" A_ID "\",\"names\":\"a\",\"metadata\":{},\"image\":[]}]", A_ID, 0, NULL,
	  NULL, NULL },
	{ "[\"" A_ID "\",[\"" A_ID "\"]," ONE "]", A_ID, 0, "redis", "r:7", "i1" },
};

static void finds_containers(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(containers); i++) {
		const char *text = containers[i].text;
		_stored_ struct stored s = STORED_INIT;

		assert_int_equal(storage_parse_container((struct slice){ text, strlen(text) },
							 containers[i].id, &s),
				 containers[i].error);
		same_text(text, "name", s.name, containers[i].name);
		same_text(text, "image", s.image, containers[i].image);
		same_text(text, "image id", s.image_id, containers[i].image_id);
	}
}

static void finds_digests(void **state)
{
	const char *text = "[{\"id\":\"i0\",\"digest\":\"sha256:00\"},{\"id\":\"i1\",\"digest\":"
			   "\"sha256:11\",\"names\":[\"i2\"]},{\"id\":\"i3\"}]";
	const struct slice s = { text, strlen(text) };
	_free_ char *digest = NULL;

	assert_int_equal(storage_parse_digest(s, "i2", &digest), -ENOENT);
	assert_int_equal(storage_parse_digest(s, "i3", &digest), -ENOENT);
	assert_null(digest);
	assert_int_equal(storage_parse_digest(s, "i1", &digest), 0);
	assert_string_equal(digest, "sha256:11");
}

static void finds_in_either_file(void **state)
{
	_state_ struct state s = STATE_INIT;
	_stored_ struct stored one = STORED_INIT, two = STORED_INIT, none = STORED_INIT;
	struct recorded *r;

	need_root();
	r = recorded_new();
	recorded_file(r, "/g/vfs-containers/containers.json", "[%s]", ONE);
	recorded_file(r, "/g/vfs-containers/volatile-containers.json", "[%s]", RENAMED);
	recorded_file(r, "/g/vfs-images/images.json", "[{\"id\":\"i2\",\"digest\":\"sha256:22\"}]");
	assert_int_equal(state_open(r->dir, 0, "/g", &s), 0);
	assert_string_equal(storage_driver(&s, NULL), "vfs");
	assert_string_equal(storage_driver(&s, "x"), "x");
	assert_int_equal(storage_find(&s, "vfs", A_ID, &one), 0);
	assert_null(one.digest);
	assert_int_equal(storage_find(&s, "vfs", B_ID, &two), 0);
	assert_string_equal(two.digest, "sha256:22");
	assert_int_equal(storage_find(&s, "vfs", NO_ID, &none), -ENOENT);
	assert_int_equal(storage_find(&s, "overlay", A_ID, &none), -ENOENT);
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_containers),
		cmocka_unit_test(finds_digests),
		cmocka_unit_test(finds_in_either_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
