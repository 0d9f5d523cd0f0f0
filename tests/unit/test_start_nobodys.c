/* SPDX-License-Identifier: Apache-2.0 */
/* A start that is nobody's: what has no cgroup of its own, isn't what its path says, or is inside of
 * something else. */
#include "identity/start.h"
#include "recorded.h"

#define SHIM "/run/containerd/io.containerd.runtime.v2.task/"

/* Nothing is there but the tree. */
static void record(struct recorded *r)
{
	assert_int_equal(chmod(r->dir, 0755), 0);
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const struct {
	const char *text, *id, *bundle;
	const char *path; /* NULL: can't be told */
} nobodys[] = {
	{ "{\"linux\":{}}", NULL, NULL, NULL },
	/* Without a cgroup of its own. */
	{ "{\"annotations\":{\"io.container.manager\":\"libpod\"},\"linux\":{}}", A_ID, "/b",
	  NULL },
	{ "{\"linux\":{\"cgroupsPath\":\"\"},\"annotations\":{\"io.container.manager\":\"libpod\"}"
	  "}",
	  A_ID, "/b", NULL },
	/* Not what the path says. */
	{ "{\"linux\":{\"cgroupsPath\":\"/jobs/web\"}}", "other", "/b", "/jobs/web" },
	{ "{\"linux\":{\"cgroupsPath\":\"/default/t9\"}}", NULL, NULL, "/default/t9" },
	{ "{\"linux\":{\"cgroupsPath\":\"/lxc.payload.c1\"}}", NULL, NULL, "/lxc.payload.c1" },
	{ "{\"linux\":{\"cgroupsPath\":\"/system.slice/x.service\"}}", "x.service", "/b",
	  "/system.slice/x.service" },
	/* Of a path that can't be. */
	{ "{\"linux\":{\"cgroupsPath\":\"/a/../b\"}}", "b", "/b", NULL },
	{ "{\"linux\":{\"cgroupsPath\":\"/\"}}", "b", "/b", NULL },
	{ "{\"linux\":{\"cgroupsPath\":\"a.service:b:c\"}}", "b", "/b", NULL },
	{ "{\"linux\":{\"cgroupsPath\":\"a:b\"}}", "b", "/b", NULL },
	/* Steps of builds. */
	{ "{\"linux\":{}}", "buildah-buildah1234567", "/b", "/buildah-buildah1234567" },
	/* Inside of another container. */
	{ "{\"linux\":{\"cgroupsPath\":\"/docker/" A_ID "/docker/" B_ID "\"}}", B_ID,
	  SHIM "moby/" B_ID, "/docker/" A_ID "/docker/" B_ID },
};

static void nobodys_are_left(void **state)
{
	struct recorded *r = recorded_need(state);
	const struct identity_options o = { .root = r->dir };

	for (size_t n = 0; n < ARRAY_SIZE(nobodys); n++) {
		const struct identity_start s = { .text = nobodys[n].text,
						  .len = strlen(nobodys[n].text),
						  .id = nobodys[n].id,
						  .bundle = nobodys[n].bundle };
		struct identity i = IDENTITY_INIT;
		_free_ char *path = NULL;
		int e = identity_start_cgroup(&s, &path);

		same_text(nobodys[n].text, "path", path, nobodys[n].path);
		assert_int_equal(e < 0, !nobodys[n].path);
		e = identity_of_start(&o, &s, &i);
		same_text(nobodys[n].text, "key", i.key, NULL);
		assert_true(e == -ENOENT || e == -EINVAL);
	}
}

/* A watched unit, or cgroup, around a container isn't what starts. */
static void what_is_around_does_not_start(void **state)
{
	static const char *const watch[] = { "*", NULL };
	struct recorded *r = recorded_need(state);
	const struct identity_options o = { .root = r->dir, .watch = watch };
	static const char text[] =
		"{\"linux\":{\"cgroupsPath\":\"/system.slice/a.service/jobs/web\"}}";
	const struct identity_start s = { text, sizeof(text) - 1, "web", "/b", false };
	struct identity i = IDENTITY_INIT;

	assert_int_equal(identity_of_start(&o, &s, &i), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobodys_are_left),
		cmocka_unit_test(what_is_around_does_not_start),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
