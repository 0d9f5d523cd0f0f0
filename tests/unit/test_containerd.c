/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's bundles as ctr and nerdctl have them made. */
#include "recorded.h"

#define SHIM	   "/run/containerd/io.containerd.runtime.v2.task/"
#define USERS_SHIM "/run/user/1000/containerd/io.containerd.runtime.v2.task/"
#define COMPOSED   ID("1111eeee")
#define MADE	   ID("2222eeee")
#define PLAIN_HEX  ID("3333eeee")

#define NERDCTL(name) "\"nerdctl/name\":\"" name "\",\"nerdctl/namespace\":\"default\""

static void record(struct recorded *r)
{
	/* An image's labels become annotations: they name nothing where the id isn't nerdctl's. */
	recorded_bundle(r, SHIM "default/t1", "/default/t1", "/bin/sh", NERDCTL("forged"));
	recorded_bundle(r, SHIM "my-ns/t1", "/my-ns/t1", "/bin/sh", "");
	recorded_bundle(r, SHIM "default/vm", "/default/vm", "/bin/sh", "");
	recorded_file(r, SHIM "default/vm/shim-binary-path", "/usr/bin/containerd-shim-kata-v2");
	recorded_bundle(r, "/data/state/io.containerd.runtime.v2.task/default/t2", "/default/t2",
			"/bin/sh", "\"io.kubernetes.cri.container-name\":\"forged\"");
	recorded_file(r, "/etc/containerd/config.toml",
		      "state = \"/data/state\"\n[x]\nstate = \"/other\"\n");
	recorded_bundle(r, SHIM "default/moved", "/elsewhere/moved", "/bin/sh", "");
	recorded_bundle(r, SHIM "default/" A_ID, "system.slice:nerdctl:" A_ID, "/bin/sh",
			NERDCTL("web"));
	recorded_bundle(r, SHIM "default/" COMPOSED, "/default/" COMPOSED, "/bin/sh",
			NERDCTL("shop-web-1") ",\"com.docker.compose.project\":\"shop\","
					      "\"com.docker.compose.service\":\"web\"");
	recorded_bundle(r, SHIM "default/" MADE, "/default/" MADE, "/usr/bin/redis-server",
			NERDCTL("redis-2222e"));
	recorded_bundle(r, SHIM "default/" PLAIN_HEX, "/default/" PLAIN_HEX, "/bin/sh", "");
	r->owner = USER;
	recorded_bundle(r, USERS_SHIM "default/" B_ID, "user.slice:nerdctl:" B_ID, "/bin/sh",
			NERDCTL("web"));
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

#define NS .namespace = "default"

static const struct whose rows[] = {
	{ "/default/t1", "containerd", "containerd/default/t1", "t1", NS },
	{ "/default/t1/a/b", "containerd", "containerd/default/t1", "t1", NS, .inside = "/a/b" },
	{ "/my-ns/t1", "containerd", "containerd/my-ns/t1", "t1", .namespace = "my-ns" },
	{ "/default/t2", "containerd", "containerd/default/t2", "t2", NS, .owner = "containerd" },
	{ "/default/vm", "containerd", "containerd/default/vm", "vm", NS, .refused = true },
	{ "/system.slice/nerdctl-" A_ID ".scope", "containerd", "containerd/default/web", "web",
	  NS },
	{ "/default/" COMPOSED, "containerd", "containerd/default/shop/web", "shop-web-1", NS },
	{ "/default/" MADE, "containerd", "containerd/redis#redis-server", "redis#redis-server",
	  "redis", NS },
	{ "/default/" PLAIN_HEX, "containerd", "containerd/id:3333eeee3333", NS, .refused = true },
	{ USER_AT "/user.slice/nerdctl-" B_ID ".scope", "containerd",
	  "containerd/~1000/default/web", "web", NS },
	{ "/system.slice/nerdctl-" NO_ID ".scope", "containerd", "containerd/id:0123fedc0123",
	  .refused = true },
	{ "/default/moved" },
	{ "/elsewhere/moved" },
	{ "/default/none" },
	{ "/other/t1" },
	{ "/a/default/t1" },
	{ "/default" },
	{ "/default/.." },
	{ "/system.slice/default/t1" },
	{ "/a/nerdctl-" A_ID ".scope" },
	{ "/user.slice/user-1000.slice/nerdctl-" A_ID ".scope" },
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
