/* SPDX-License-Identifier: Apache-2.0 */
/* docker's files as 20 to 28 write them, found again from paths. */
#include "recorded.h"
#include "unit/skip.h"

#define SHIM	   "/run/containerd/io.containerd.runtime.v2.task/moby/"
#define OWN_SHIM   "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/"
#define COMPOSE	   ID("1111dddd")
#define RENAMED	   ID("2222dddd")
#define SWARM	   ID("3333dddd")
#define MADE	   ID("4444dddd")
#define PARENT	   ID("5555dddd")
#define KATA	   ID("6666dddd")
#define RUN	   ID("8888dddd")
#define SLASHES	   ID("9999dddd")
#define LONG	   ID("aaaadddd")
#define STOPPED	   ID("7777dddd")
#define IMAGE_ID   "sha256:cafe"
#define USERS	   "/home/u/.local/share/docker"
#define USERS_SHIM "/run/user/1000/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/"

static void config(const struct recorded *r, const char *top, const char *id, const char *name,
		   const char *labels)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/containers/%s/config.v2.json", top, id);
	recorded_file(r, path,
		      "{\"StreamConfig\":{},\"State\":{\"Running\":true},\"ID\":\"%s\",\"Path\":"
		      "\"docker-entrypoint.sh\",\"Args\":[\"x\"],\"Config\":{\"Image\":\"redis:7\","
		      "\"Labels\":{%s}},\"Image\":\"" IMAGE_ID "\",\"Name\":\"/%s\"}",
		      id, labels, name);
}

static void bundle(const struct recorded *r, const char *shim, const char *id, const char *cgroup)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s%s", shim, id);
	/* Labels of an image never get here, an annotation a user gives does. */
	recorded_bundle(r, dir, cgroup, "/usr/local/bin/entry",
			"\"io.kubernetes.cri.container-name\":\"forged\",\"io.kubernetes.cri."
			"container-type\":\"sandbox\",\"io.kubernetes.pod.name\":\"forged\"");
}

#define COMPOSED "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\""

/* 4 KiB of label, more than any name is made of. */
#define PAD16(x) x x x x x x x x x x x x x x x x
#define PADDED                                                                          \
	"\"com.docker.compose.project\":\"" PAD16(                                      \
		PAD16("0123456789abcdef")) "\",\"com.docker.compose.service\":\"web\"," \
					   "\"\\n\\u001b[31m\":\"x\""

static void record(struct recorded *r)
{
	static const char top[] = "/var/lib/docker";

	config(r, top, A_ID, "redis", "");
	bundle(r, SHIM, A_ID, "system.slice:docker:" A_ID);
	config(r, top, B_ID, "cache", "");
	bundle(r, OWN_SHIM, B_ID, "/docker/" B_ID);
	config(r, top, COMPOSE, "shop-web-1", COMPOSED);
	config(r, top, RENAMED, "miner", COMPOSED);
	config(r, top, RUN, "shop-web-run-0123abcd4567", COMPOSED);
	config(r, top, SLASHES, "..-a-1",
	       "\"com.docker.compose.project\":\"..\",\"com.docker.compose.service\":\"a\"");
	config(r, top, LONG, "long", PADDED);
	config(r, top, SWARM, "api.2.k2xv0ovl4zjqz", "\"com.docker.swarm.service.name\":\"api\"");
	config(r, top, MADE, "happy_curie7", "");
	bundle(r, SHIM, MADE, "system.slice:docker:" MADE);
	config(r, top, STOPPED, "zen_wu", "");
	config(r, top, PARENT, "own", "");
	bundle(r, SHIM, PARENT, "/own/" PARENT);
	config(r, top, KATA, "vm", "");
	recorded_file(r, "/var/lib/docker/containers/" KATA "/hostconfig.json",
		      "{\"Runtime\":\"io.containerd.kata.v2\"}");
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = USER;
	config(r, USERS, C_ID, "redis", "");
	bundle(r, USERS_SHIM, C_ID, "user.slice:docker:" C_ID);
	r->owner = 0;
}

#define SCOPE(id) "/system.slice/docker-" id ".scope"
#define FULL	  "redis:7", IMAGE_ID

static const struct whose rows[] = {
	{ SCOPE(A_ID), "docker", "docker/redis", "redis", FULL },
	{ SCOPE(A_ID) "/init.scope", "docker", "docker/redis", "redis", FULL,
	  .inside = "/init.scope" },
	{ "/docker/" B_ID, "docker", "docker/cache", "cache", FULL },
	{ "/docker/" B_ID "/docker/" A_ID, "docker", "docker/cache", "cache", FULL,
	  .inside = "/docker/" A_ID, .inner = "docker/aaaa0001aaaa" },
	{ SCOPE(COMPOSE), "docker", "docker/shop/web", "shop-web-1", FULL },
	{ SCOPE(RENAMED), "docker", "docker/miner", "miner", FULL },
	{ SCOPE(RUN), "docker", "docker/shop/web", "shop-web-run-0123abcd4567", FULL },
	{ SCOPE(SLASHES), "docker", "docker/%2E%2E/a", "..-a-1", FULL },
	{ SCOPE(LONG), "docker", "docker/long", "long", FULL },
	{ SCOPE(SWARM), "docker", "docker/swarm:service/api", "api.2.k2xv0ovl4zjqz", FULL },
	{ SCOPE(MADE), "docker", "docker/redis:7#entry", "redis:7#entry", FULL },
	{ SCOPE(STOPPED), "docker", "docker/redis:7#docker-entrypoint.sh",
	  "redis:7#docker-entrypoint.sh", FULL },
	{ "/own/" PARENT, "docker", "docker/own", "own", FULL },
	{ SCOPE(KATA), "docker", "docker/vm", "vm", FULL, .refused = true },
	{ "/a.slice/a-b.slice/docker-" COMPOSE ".scope", "docker", "docker/shop/web", "shop-web-1",
	  FULL },
	{ USER_AT "/user.slice/docker-" C_ID ".scope", "docker", "docker/~1000/redis", "redis",
	  FULL },
	{ SCOPE(NO_ID), "docker", "docker/id:0123fedc0123", .refused = true },
	{ "/docker/" NO_ID, "docker", "docker/id:0123fedc0123", .refused = true },
	/* Made by the user, with the id of root's: the user's own. */
	{ USER_AT "/app.slice/docker-" A_ID ".scope", "docker", "docker/~1000/id:aaaa0001aaaa",
	  .refused = true },
};

static const char *const nobodys[] = {
	"/docker/" A_ID,
	"/docker/buildkit/" B_ID,
	"/docker",
	"/give/away/docker-" A_ID ".scope",
	"/give/" A_ID,
	"/give/" NO_ID,
	"/" A_ID,
	"/" NO_ID,
	"/system.slice/" NO_ID,
	"/docker/buildkit/" NO_ID,
	"/user.slice/docker-" A_ID ".scope",
	"/user.slice/user-1000.slice/docker-" A_ID ".scope",
	"/user.slice/user-1000.slice/session-1.scope/docker-" A_ID ".scope",
	"/user.slice/user-1000.slice/user@1001.service/docker-" A_ID ".scope",
	"/system.slice/plain.service/docker-" A_ID ".scope",
	"/system.slice/plain.service/system.slice/docker-" A_ID ".scope",
	"/a.slice/docker-" A_ID ".scope",
};

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static void knows_its_containers(void **state)
{
	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
}

static void knows_what_it_did_not_make(void **state)
{
	check_nobodys(recorded_need(state), NULL, nobodys, ARRAY_SIZE(nobodys));
}

static void follows_its_configuration(void **state)
{
	static const struct whose moved = { SCOPE(A_ID), "docker", "docker/moved", "moved", FULL };
	struct recorded *r;

	need_root();
	r = recorded_new();
	recorded_file(r, "/etc/docker/daemon.json", "{\"data-root\": \"/data/docker\"}");
	config(r, "/data/docker", A_ID, "moved", "");
	check_whose(r, NULL, &moved);
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_containers),
		cmocka_unit_test(knows_what_it_did_not_make),
		cmocka_unit_test(follows_its_configuration),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
