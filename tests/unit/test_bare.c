/* SPDX-License-Identifier: Apache-2.0 */
/* runc and crun by themselves. */
#include "recorded.h"

static void runc(const struct recorded *r, const char *id, const char *cgroup)
{
	char path[512];

	snprintf(path, sizeof(path), "/run/runc/%s/state.json", id);
	recorded_file(
		r, path,
		"{\"id\":\"%s\",\"cgroup_paths\":{\"\":\"%s\",\"cpu\":\"/sys/fs/cgroup/cpu/x\"}}",
		id, cgroup);
}

static void record(struct recorded *r)
{
	runc(r, "web", "/sys/fs/cgroup/unified/web");
	runc(r, "deep", "/sys/fs/cgroup/jobs/a/deep");
	runc(r, "unit", "/sys/fs/cgroup/system.slice/runc-unit.scope");
	runc(r, "login", "/sys/fs/cgroup/user.slice/user-0.slice/login");
	runc(r, "x.service", "/sys/fs/cgroup/x.service");
	recorded_mkdirs(r, "/run/runc/young/exec.fifo");
	recorded_file(r, "/run/crun/c1/status", "{\"pid\":1,\"cgroup-path\":\"/c1\"}");
	recorded_file(r, "/run/crun/c2/status",
		      "{\"cgroup-path\":\"/system.slice/crun-c2.scope/container\",\"scope\":"
		      "\"crun-c2.scope\"}");
	runc(r, "buildah-buildah1234567", "/sys/fs/cgroup/buildah-buildah1234567");
	runc(r, "buildah-mine", "/sys/fs/cgroup/buildah-mine");
	recorded_file(r, "/run/runsc/g1_sandbox:g1.state", "{}");
	r->owner = USER;
	runc(r, "users", "/sys/fs/cgroup/users");
	recorded_file(r, "/run/user/1000/crun/c3/status",
		      "{\"cgroup-path\":\"" USER_AT "/user.slice/crun-c3.scope/container\"}");
	recorded_file(r, "/run/user/1000/runc/r3/state.json",
		      "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup" USER_AT
		      "/user.slice/runc-r3.scope\"}}");
	recorded_file(r, "/run/user/1000/crun/web/status", "{\"cgroup-path\":\"/web\"}");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const struct whose rows[] = {
	{ "/web", "oci", "oci/web", "web" },
	{ "/web/x", "oci", "oci/web", "web", .inside = "/x" },
	{ "/jobs/a/deep", "oci", "oci/deep", "deep" },
	{ "/system.slice/runc-unit.scope", "oci", "oci/unit", "unit" },
	{ "/user.slice/user-0.slice/login", "oci", "oci/login", "login" },
	{ "/young", "oci", "oci/young", "young" },
	{ "/c1", "oci", "oci/c1", "c1" },
	{ "/system.slice/crun-c2.scope/container", "oci", "oci/c2", "c2", .inside = "/container" },
	/* One for all builds: a step's name is made up. */
	{ "/buildah-buildah1234567", "oci", "oci/buildah", "buildah", .refused = true },
	{ "/buildah-mine", "oci", "oci/buildah-mine", "buildah-mine" },
	{ "/g1", "oci", "oci/g1", "g1", .refused = true },
	{ USER_AT "/user.slice/crun-c3.scope/container", "oci", "oci/~1000/c3", "c3",
	  .inside = "/container", .owner = "oci/~1000" },
	{ USER_AT "/user.slice/runc-r3.scope", "oci", "oci/~1000/r3", "r3" },
	{ USER_AT "/app.slice/runc-r3.scope" },
	{ USER_AT "/user.slice/crun-web.scope" },
	{ USER_AT "/user.slice/runc-deep.scope" },
	{ "/give/g1" },
	{ "/runc-...scope" },
	{ "/jobs/web" },
	{ "/jobs/a/web" },
	{ "/jobs/young" }, /* below a plain directory its file must be there */
	{ "/a/jobs/a/deep" },
	{ "/jobs/c1" },
	{ "/users" },
	{ "/none" },
	{ "/x.service" },
	{ "/system.slice/a.service/web" },
	{ "/system.slice/runc-web.scope" },
	{ "/user.slice/user-1000.slice/web" },
	{ USER_AT "/web" },
};

static void knows_its_containers(void **state)
{
	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(knows_its_containers) };

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
