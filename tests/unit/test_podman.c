/* SPDX-License-Identifier: Apache-2.0 */
/* podman's files as 4.3 and 5 write them, found again from paths. */
#include "recorded.h"
#include "unit/skip.h"

#define ROOT_STORE "/var/lib/containers/storage"
#define USER_STORE "/home/u/.local/share/containers/storage"
#define IMAGE	   "docker.io/library/redis:7"
#define DIGEST	   "sha256:0123"
#define POD	   ID("0000ffff")
#define INFRA	   ID("1111ffff")
#define MADE	   ID("2222ffff")
#define QUADLET	   ID("3333ffff")
#define RUN_RM	   ID("4444ffff")
#define SWAPPED	   ID("5555ffff")
#define YOUNG	   ID("6666ffff")
#define GVISOR	   ID("7777ffff")
#define KRUN	   ID("8888ffff")
#define MEMBER	   ID("9999ffff")
#define SERVICE	   ID("aaaaffff")

static void bundle(const struct recorded *r, const char *store, const char *id, const char *cgroup,
		   const char *annotations)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s/overlay-containers/%s/userdata", store, id);
	recorded_bundle(r, dir, cgroup, "/usr/bin/redis-server", annotations);
}

#define STORED(id, name)                                                               \
	"{\"id\":\"" id "\",\"names\":[\"" name "\"],\"image\":\"f00d\",\"metadata\":" \
	"\"{\\\"image-name\\\":\\\"" IMAGE                                             \
	"\\\",\\\"image-id\\\":\\\"f00d\\\",\\\"name\\\":\\\"" name "\\\"}\"}"

static void record_root(struct recorded *r)
{
	recorded_file(r, ROOT_STORE "/overlay-containers/containers.json",
		      "[%s,%s,%s,%s,%s,%s,%s,%s,%s]", STORED(A_ID, "redis"), STORED(B_ID, "cache"),
		      STORED(MADE, "happy_curie"), STORED(QUADLET, "systemd-web"),
		      STORED(INFRA, "0000ffff0000-infra"), STORED(YOUNG, "young"),
		      STORED(GVISOR, "sandboxed"), STORED(KRUN, "machine"),
		      STORED(SERVICE, "aaaaffffaaaa-service"));
	recorded_file(r, ROOT_STORE "/overlay-containers/volatile-containers.json", "[%s]",
		      STORED(RUN_RM, "brief"));
	recorded_file(r, ROOT_STORE "/overlay-images/images.json",
		      "[{\"id\":\"f00d\",\"digest\":\"" DIGEST "\",\"names\":[\"" IMAGE "\"]}]");
	/* podman run --annotation: no pod's, and no namespace. */
	bundle(r, ROOT_STORE, A_ID, "machine.slice:libpod:" A_ID,
	       "\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.SandboxID\":\"forged\","
	       "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\",\"io.kubernetes.pod.name\":\"f\","
	       "\"io.kubernetes.container.name\":\"f\",\"io.kubernetes.cri-o.Namespace\":\"f\"");
	bundle(r, ROOT_STORE, B_ID, "/libpod_parent/libpod-" B_ID, "");
	bundle(r, ROOT_STORE, MADE, "/own/parent/libpod-" MADE, "");
	bundle(r, ROOT_STORE, QUADLET, "/system.slice/web.service/libpod-payload-" QUADLET, "");
	bundle(r, ROOT_STORE, RUN_RM, "machine-libpod_pod_" POD ".slice:libpod:" RUN_RM,
	       "\"io.kubernetes.cri-o.SandboxID\":\"" POD
	       "\",\"io.kubernetes.cri-o.Namespace\":\"x\"");
	bundle(r, ROOT_STORE, GVISOR, "machine.slice:libpod:" GVISOR, "");
	recorded_file(r, "/run/runsc/" GVISOR "_sandbox:" GVISOR ".state", "{}");
	bundle(r, ROOT_STORE, KRUN, "machine.slice:libpod:" KRUN, "\"run.oci.handler\":\"krun\"");
	bundle(r, ROOT_STORE, INFRA, "/libpod_parent/" POD "/libpod-" INFRA, "");
	recorded_file(r, "/run/systemd/generator/young.service",
		      "[Service]\nExecStart=/usr/bin/podman run x\n");
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
}

static void record_user(struct recorded *r)
{
	r->owner = USER;
	recorded_file(r, USER_STORE "/overlay-containers/containers.json", "[%s,%s,%s]",
		      STORED(C_ID, "redis"), STORED(D_ID, "zen_wu"), STORED(MEMBER, "pod-web"));
	bundle(r, USER_STORE, MEMBER, "user-libpod_pod_" POD ".slice:libpod:" MEMBER, "");
	recorded_file(r, "/home/u/.config/systemd/user/young.service", "ExecStart=podman run x\n");
	bundle(r, USER_STORE, C_ID, "user.slice:libpod:" C_ID, "");
	bundle(r, USER_STORE, D_ID, USER_AT "/app.slice/q.service/libpod-payload-" D_ID, "");
	/* Written by the user to look like root's. */
	recorded_file(r, ROOT_STORE "/overlay-containers/" SWAPPED "/userdata/config.json",
		      "{\"linux\":{\"cgroupsPath\":\"/give/away/libpod-" SWAPPED "\"}}");
	r->owner = 0;
}

#define MACHINE "/machine.slice/"
#define UNNAMED IMAGE "#redis-server"
#define KEYED	"podman/" UNNAMED
#define WEB	"/system.slice/web.service"

static const struct whose rows[] = {
	{ MACHINE "libpod-" A_ID ".scope", "podman", "podman/redis", "redis", IMAGE, DIGEST },
	{ MACHINE "libpod-" A_ID ".scope/container", "podman", "podman/redis", "redis", IMAGE,
	  DIGEST, .inside = "/container" },
	{ MACHINE "libpod-" A_ID ".scope/container/docker-" B_ID ".scope", "podman", "podman/redis",
	  "redis", IMAGE, DIGEST, .inside = "/container/docker-" B_ID ".scope",
	  .inner = "docker/bbbb0002bbbb" },
	{ "/libpod_parent/libpod-" B_ID, "podman", "podman/cache", "cache", IMAGE, DIGEST },
	{ "/own/parent/libpod-" MADE, "podman", KEYED, UNNAMED, IMAGE, DIGEST },
	{ MACHINE "machine-libpod_pod_" POD ".slice/libpod-" RUN_RM ".scope", "podman",
	  "podman/brief", "brief", IMAGE, DIGEST, POD },
	{ "/libpod_parent/" POD "/libpod-" INFRA, "podman", KEYED, UNNAMED, IMAGE, DIGEST, POD },
	{ WEB "/libpod-payload-" QUADLET "/container", "podman", "podman/systemd-web",
	  "systemd-web", IMAGE, DIGEST, .inside = "/container" },
	{ "/system.slice/young.service/libpod-payload-" YOUNG, "podman", "podman/young", "young",
	  IMAGE, DIGEST },
	{ USER_AT "/user.slice/libpod-" C_ID ".scope/container", "podman", "podman/~1000/redis",
	  "redis", IMAGE, .inside = "/container" },
	{ USER_AT "/user.slice/user-libpod_pod_" POD ".slice/libpod-" MEMBER ".scope/container",
	  "podman", "podman/~1000/pod-web", "pod-web", IMAGE, .pod = POD, .inside = "/container" },
	{ USER_AT "/app.slice/young.service/libpod-payload-" NO_ID, "podman",
	  "podman/~1000/id:0123fedc0123", .refused = true },
	{ MACHINE "libpod-" GVISOR ".scope", "podman", "podman/sandboxed", "sandboxed", IMAGE,
	  DIGEST, .refused = true },
	{ MACHINE "libpod-" KRUN ".scope", "podman", "podman/machine", "machine", IMAGE, DIGEST,
	  .refused = true },
	{ MACHINE "libpod-" SERVICE ".scope", "podman", "podman/id:aaaaffffaaaa", .image = IMAGE,
	  .digest = DIGEST, .refused = true },
	{ USER_AT "/app.slice/q.service/libpod-payload-" D_ID, "podman", "podman/~1000/" UNNAMED,
	  UNNAMED, IMAGE },
	/* Its files are gone: known by its id, where no one else makes such cgroups. */
	{ MACHINE "libpod-" NO_ID ".scope", "podman", "podman/id:0123fedc0123", .refused = true },
	{ "/libpod_parent/libpod-" NO_ID, "podman", "podman/id:0123fedc0123", .refused = true },
	{ USER_AT "/user.slice/libpod-" NO_ID ".scope", "podman", "podman/~1000/id:0123fedc0123",
	  .refused = true },
	/* root's container in the user's place is the user's, and nothing of root's files. */
	{ USER_AT "/user.slice/libpod-" A_ID ".scope", "podman", "podman/~1000/id:aaaa0001aaaa",
	  .refused = true },
};

/* Paths where podman did not put that container. */
static const char *const nobodys[] = {
	"/libpod_parent/libpod-" A_ID,			  /* its file says machine.slice */
	MACHINE "libpod-" B_ID ".scope",		  /* its file says libpod_parent */
	"/give/away/libpod-" NO_ID,			  /* a directory that may be anybody's */
	"/give/away/libpod-" A_ID,			  /* the same, of a container that runs */
	"/give/away/libpod-" SWAPPED,			  /* the file isn't root's */
	"/give/away/machine.slice/libpod-" A_ID ".scope", /* deeper than podman's */
	"/system.slice/other.service/libpod-payload-" QUADLET,
	"/system.slice/other.service/libpod-payload-" NO_ID,
	"/system.slice/other.service/libpod-" A_ID ".scope",
	"/user.slice/user-1000.slice/session-2.scope/libpod-" A_ID,
	"/user.slice/user-1000.slice/libpod-" A_ID ".scope",
	USER_AT "/app.slice/libpod-" C_ID ".scope", /* the user's, elsewhere */
	/* A user's unit may be anybody's, too: a container's with a cgroup to write to. */
	USER_AT "/app.slice/given.service/libpod-payload-" C_ID,
	USER_AT "/app.slice/given.service/libpod-payload-" NO_ID,
	USER_AT "/app.slice/given.service/user.slice/libpod-" NO_ID ".scope",
	MACHINE "libpod-conmon-" A_ID ".scope",
	"/libpod_parent/conmon",
	"/libpod_parent",
	WEB "/supervisor",
	MACHINE "libpod-" A_ID "0.scope",
	MACHINE "libpod-.scope",
};

static void record(struct recorded *r)
{
	record_root(r);
	record_user(r);
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static void knows_its_containers(void **state)
{
	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
}

/* Rootless without systemd: several containers live in whatever cgroup their user was in. */
static void those_without_a_cgroup_say_so(void **state)
{
	static const char *const watch[] = { "/user.slice/*/session-*.scope", NULL };
	static const struct whose session = {
		"/user.slice/user-1000.slice/session-2.scope",
		"cgroup",
		"cgroup/user.slice/user-1000.slice/session-2.scope",
		"/user.slice/user-1000.slice/session-2.scope",
		.refused = true,
		.owner = "cgroup/~1000",
	};
	struct recorded *r = recorded_need(state);

	r->owner = USER;
	bundle(r, USER_STORE, NO_ID, "", "");
	r->owner = 0;
	check_whose(r, watch, &session);
}

/* Not even somebody who watches everything has monitors for workloads. */
static void monitors_are_nobodys(void **state)
{
	static const char *const all[] = { "*", NULL };
	static const char *const monitors[] = {
		MACHINE "libpod-conmon-" A_ID ".scope",
		MACHINE "machine-libpod_pod_" POD ".slice/libpod-conmon-" A_ID ".scope",
		"/libpod_parent/conmon",
		"/libpod_parent/" POD "/conmon",
		USER_AT "/user.slice/libpod-conmon-" C_ID ".scope",
		"/system.slice/young.service/supervisor",
	};

	check_nobodys(recorded_need(state), all, monitors, ARRAY_SIZE(monitors));
}

static void knows_what_it_did_not_make(void **state)
{
	check_nobodys(recorded_need(state), NULL, nobodys, ARRAY_SIZE(nobodys));
}

/* storage.conf moves the graph root; --rm containers of a transient store live in the run root. */
static void follows_its_configuration(void **state)
{
	static const struct whose moved = { "/libpod_parent/libpod-" A_ID, "podman", "podman/moved",
					    "moved", IMAGE };
	static const struct whose brief = { "/libpod_parent/libpod-" B_ID, "podman", "podman/brief",
					    "brief", IMAGE };
	static const struct whose mine = { USER_AT "/user.slice/libpod-" C_ID ".scope", "podman",
					   "podman/~1000/mine", "mine", IMAGE };
	struct recorded *r;

	need_root();
	r = recorded_new();
	recorded_file(r, "/etc/containers/storage.conf",
		      "[storage]\ngraphroot = \"/data/c\"\n"
		      "driver = \"vfs\"\n");
	recorded_mkdirs(r, "/data/c/overlay-containers/left/over");
	recorded_file(r, "/data/c/vfs-containers/containers.json", "[%s]", STORED(A_ID, "moved"));
	recorded_file(r, "/run/containers/storage/vfs-containers/volatile-containers.json", "[%s]",
		      STORED(B_ID, "brief"));
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = USER;
	recorded_file(r, "/home/u/.config/containers/storage.conf",
		      "[storage]\ngraphroot = \"/big/u\"\n");
	recorded_file(r, "/big/u/overlay-containers/containers.json", "[%s]", STORED(C_ID, "mine"));
	check_whose(r, NULL, &moved);
	check_whose(r, NULL, &brief);
	check_whose(r, NULL, &mine);
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_containers),
		cmocka_unit_test(knows_what_it_did_not_make),
		cmocka_unit_test(monitors_are_nobodys),
		cmocka_unit_test(those_without_a_cgroup_say_so),
		cmocka_unit_test(follows_its_configuration),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
