/* SPDX-License-Identifier: Apache-2.0 */
/* Every engine's container, and whoever may make cgroups elsewhere calling them like it: nobody
 * takes another's key, whatever is watched. */
#include "recorded.h"

#define STORE  "/var/lib/containers/storage/overlay-containers/"
#define SHIM   "/run/containerd/io.containerd.runtime.v2.task/"
#define POD    "pod7a172e54-1111-2222-3333-444455556666"
#define SLICED "kubepods-pod7a172e54_1111_2222_3333_444455556666.slice"

#define PODMAN_SD  ID("00000001")
#define PODMAN_FS  ID("00000002")
#define SPLIT	   ID("00000003")
#define DOCKER_SD  ID("00000004")
#define DOCKER_FS  ID("00000005")
#define NERDCTL	   ID("00000006")
#define CRI_SD	   ID("00000007")
#define CRI_FS	   ID("00000008")
#define CRIO_SD	   ID("00000009")
#define CRIO_FS	   ID("0000000a")
#define USERS	   ID("0000000b")
#define STOPPED	   ID("0000000c")
#define FORGER	   ID("0000000d")
#define USERS_DONE ID("0000000e")

static const struct {
	const char *path, *key;
} victims[] = {
	{ "/machine.slice/libpod-" PODMAN_SD ".scope", "podman/sd" },
	{ "/libpod_parent/libpod-" PODMAN_FS, "podman/fs" },
	{ "/system.slice/web.service/libpod-payload-" SPLIT, "podman/split" },
	{ "/system.slice/docker-" DOCKER_SD ".scope", "docker/sd" },
	{ "/docker/" DOCKER_FS, "docker/fs" },
	{ "/system.slice/docker-" STOPPED ".scope", "docker/stopped" },
	{ "/default/t1", "containerd/default/t1" },
	{ "/system.slice/nerdctl-" NERDCTL ".scope", "containerd/default/web" },
	{ "/kubepods.slice/" SLICED "/cri-containerd-" CRI_SD ".scope", "kubernetes/ns/p/sd" },
	{ "/kubepods/" POD "/" CRI_FS, "kubernetes/ns/p/fs" },
	{ "/kubepods.slice/" SLICED "/crio-" CRIO_SD ".scope", "kubernetes/ns/o/sd" },
	{ "/kubepods/" POD "/crio-" CRIO_FS, "kubernetes/ns/o/fs" },
	{ "/lxc.payload.web", "lxc/web" },
	{ "/lxc/old", "lxc/old" },
	{ "/machine.slice/machine-deb.scope/payload", "nspawn/deb" },
	{ "/machine.slice/systemd-nspawn@deb2.service/payload", "nspawn/deb2" },
	{ "/c1", "oci/c1" },
	{ "/system.slice/runc-c2.scope", "oci/c2" },
	{ "/system.slice/ssh.service", "systemd/ssh.service" },
	{ "/jobs", "cgroup/jobs" },
	{ USER_AT "/user.slice/libpod-" USERS ".scope", "podman/~1000/redis" },
	{ USER_AT "/user.slice/docker-" USERS_DONE ".scope", "docker/~1000/done" },
	{ USER_AT "/user.slice/crun-c3.scope", "oci/~1000/c3" },
	{ USER_AT "/app.slice/own.service", "systemd/~1000/own.service" },
};

/* Where somebody other than root, or than that user, makes cgroups. */
static const struct {
	const char *path;
	bool users; /* the user's own: forging the user's is no forgery */
} places[] = {
	{ "/given", false },
	{ "/given/a/b", false },
	{ "/system.slice/given.service", false },
	{ "/system.slice/given.service/a", false },
	{ "/a.slice/a-b.slice/given.scope", false },
	{ "/init.scope", false },
	{ "/user.slice/user-1000.slice", false },
	{ "/user.slice/user-1000.slice/session-1.scope", false },
	{ "/user.slice/user-1001.slice/user@1001.service", false },
	{ "/user.slice/user-1001.slice/user@1001.service/app.slice/x.service", false },
	{ "/user.slice/user-1000.slice/user@0.service", false },
	{ USER_AT, true },
	{ USER_AT "/app.slice", true },
	{ USER_AT "/app.slice/given.service", false },
	{ USER_AT "/app.slice/given.service/user.slice", false },
	{ "/machine.slice/libpod-" FORGER ".scope", false },
	{ "/machine.slice/libpod-" FORGER ".scope/container", false },
	{ "/libpod_parent/libpod-" FORGER, false },
	{ "/docker/" FORGER, false },
	{ "/system.slice/docker-" FORGER ".scope", false },
	{ "/kubepods/" POD "/" FORGER, false },
	{ "/kubepods.slice/" SLICED "/crio-" FORGER ".scope", false },
	{ "/lxc.payload.forger", false },
	{ "/machine.slice/machine-forger.scope/payload", false },
};

static void podman(const struct recorded *r, const char *id, const char *cgroup)
{
	char dir[256];

	snprintf(dir, sizeof(dir), STORE "%s/userdata", id);
	recorded_bundle(r, dir, cgroup, "/bin/a", "");
}

static void docker(const struct recorded *r, const char *top, const char *id, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/containers/%s/config.v2.json", top, id);
	recorded_file(r, path, "{\"Name\":\"/%s\",\"Config\":{\"Image\":\"i\"}}", name);
}

#define STORED(id, name) "{\"id\":\"" id "\",\"names\":[\"" name "\"]}"

static void record_engines(struct recorded *r)
{
	recorded_file(r, STORE "containers.json", "[%s,%s,%s]", STORED(PODMAN_SD, "sd"),
		      STORED(PODMAN_FS, "fs"), STORED(SPLIT, "split"));
	podman(r, PODMAN_SD, "machine.slice:libpod:" PODMAN_SD);
	podman(r, PODMAN_FS, "/libpod_parent/libpod-" PODMAN_FS);
	podman(r, SPLIT, "/system.slice/web.service/libpod-payload-" SPLIT);
	docker(r, "/var/lib/docker", DOCKER_SD, "sd");
	docker(r, "/var/lib/docker", DOCKER_FS, "fs");
	docker(r, "/var/lib/docker", STOPPED, "stopped"); /* its bundle is gone */
	recorded_bundle(r, SHIM "moby/" DOCKER_SD, "system.slice:docker:" DOCKER_SD, "/bin/a", "");
	recorded_bundle(r, SHIM "moby/" DOCKER_FS, "/docker/" DOCKER_FS, "/bin/a", "");
	recorded_bundle(r, SHIM "default/t1", "/default/t1", "/bin/a", "");
	recorded_bundle(r, SHIM "default/" NERDCTL, "system.slice:nerdctl:" NERDCTL, "/bin/a",
			"\"nerdctl/name\":\"web\",\"nerdctl/namespace\":\"default\"");
	recorded_file(r, "/run/systemd/generator/web.service", "ExecStart=podman run x\n");
	recorded_file(r, "/var/lib/lxc/old/config", "%s", "");
	recorded_file(r, "/var/lib/lxc/web/config", "%s", "");
	recorded_file(r, "/run/runc/c1/state.json",
		      "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/c1\"}}");
	recorded_file(r, "/run/runc/c2/state.json",
		      "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/system.slice/runc-c2.scope\"}}");
}

#define KUBE(pod, name)                                                                    \
	"\"io.kubernetes.cri.sandbox-name\":\"" pod "\",\"io.kubernetes.cri.sandbox-id\":" \
	"\"x\",\"io.kubernetes.cri.sandbox-namespace\":\"ns\",\"io.kubernetes.cri."        \
	"container-name\":\"" name "\""
#define CRIO(name)                                                             \
	"\"io.container.manager\":\"cri-o\",\"io.kubernetes.pod.name\":\"o\"," \
	"\"io.kubernetes.pod.namespace\":\"ns\",\"io.kubernetes.container.name\":\"" name "\""

static void record_pods(struct recorded *r)
{
	recorded_bundle(r, SHIM "k8s.io/" CRI_SD, SLICED ":cri-containerd:" CRI_SD, "/bin/a",
			KUBE("p", "sd"));
	recorded_bundle(r, SHIM "k8s.io/" CRI_FS, "/kubepods/" POD "/" CRI_FS, "/bin/a",
			KUBE("p", "fs"));
	recorded_bundle(r, STORE CRIO_SD "/userdata", SLICED ":crio:" CRIO_SD, "/bin/a",
			CRIO("sd"));
	recorded_bundle(r, STORE CRIO_FS "/userdata", "/kubepods/" POD "/crio-" CRIO_FS, "/bin/a",
			CRIO("fs"));
	/* Links of the kubelet's for all that has an id. */
	recorded_file(r, "/var/log/containers/p_ns_sd-" CRI_SD ".log", "%s", "");
	recorded_file(r, "/var/log/containers/o_ns_fs-" CRIO_FS ".log", "%s", "");
}

static void record_user(struct recorded *r)
{
	recorded_file(r, "/etc/passwd",
		      "u:x:1000:1000::/home/u:/bin/sh\n"
		      "v:x:1001:1001::/home/v:/bin/sh\n");
	r->owner = USER;
	recorded_file(r,
		      "/home/u/.local/share/containers/storage/overlay-containers/containers.json",
		      "[%s]", STORED(USERS, "redis"));
	docker(r, "/home/u/.local/share/docker", USERS_DONE, "done");
	recorded_file(r, "/run/user/1000/crun/c3/status",
		      "{\"cgroup-path\":\"" USER_AT "/user.slice/crun-c3.scope\"}");
	r->owner = 0;
}

static void record(struct recorded *r)
{
	record_engines(r);
	record_pods(r);
	record_user(r);
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const char *const all[] = { "*", NULL };
static const char *const units[] = { "*.service", "*.scope", "*/jobs", NULL };
static const char *const *const watches[] = { NULL, all, units };

static char *key_of(const struct recorded *r, const char *const *watch, const char *path)
{
	struct identity_options o = { .root = r->dir, .watch = watch };
	struct identity i = IDENTITY_INIT;
	int e = identity_of_path(&o, path, &i);
	char *key = i.key;

	assert_int_equal(e, key ? 0 : -ENOENT);
	i.key = NULL;
	identity_done(&i);
	return key;
}

/* The victims are there to be spoken for: else this test would show nothing. */
static void the_true_ones_are_known(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(victims); i++) {
		_free_ char *key = key_of(recorded_need(state), all, victims[i].path);

		same_text(victims[i].path, "key", key, victims[i].key);
	}
}

static void check_forgery(const struct recorded *r, size_t place, size_t victim, const char *rest)
{
	bool own = places[place].users && strchr(victims[victim].key, '~');
	char path[1024];
	size_t i;

	snprintf(path, sizeof(path), "%s%s", places[place].path, rest);
	if (strcmp(path, victims[victim].path) == 0 || own)
		return;
	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		_free_ char *key = key_of(r, watches[i], path);

		if (key && strcmp(key, victims[victim].key) == 0)
			fail_msg("%s takes %s", path, key);
	}
}

/* With all of the victim's path, and with every end of it. */
static void nobody_speaks_for_another(void **state)
{
	const struct recorded *r = recorded_need(state);
	size_t place, victim, parts = 0;

	for (place = 0; place < ARRAY_SIZE(places); place++)
		for (victim = 0; victim < ARRAY_SIZE(victims); victim++) {
			const char *rest = victims[victim].path;

			for (; rest; rest = strchr(rest + 1, '/'), parts++)
				check_forgery(r, place, victim, rest);
		}
	assert_true(parts > 1000);
}

/* Inside of a container all is the container's, with a label for display at most. */
static void inside_is_the_containers(void **state)
{
	const struct recorded *r = recorded_need(state);
	struct identity_options o = { .root = r->dir };
	size_t outer, inner;
	char path[1024];

	for (outer = 0; outer < ARRAY_SIZE(victims); outer++)
		for (inner = 0; inner < ARRAY_SIZE(victims); inner++) {
			struct identity i = IDENTITY_INIT;

			snprintf(path, sizeof(path), "%s%s", victims[outer].path,
				 victims[inner].path);
			if (strstr(victims[outer].key, ".service") || victims[outer].path[1] == 'j')
				continue; /* not watched */
			assert_int_equal(identity_of_path(&o, path, &i), 0);
			assert_string_equal(i.key, victims[outer].key);
			assert_int_equal(i.owner_len, strlen(victims[outer].path));
			identity_done(&i);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_true_ones_are_known),
		cmocka_unit_test(nobody_speaks_for_another),
		cmocka_unit_test(inside_is_the_containers),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
