/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is about to start is whose it is when it runs: first the path of the running one,
 * with its config.json where its engine keeps it; then the same config.json in hand, and none there. */
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "identity/place.h"
#include "identity/start.h"
#include "recorded.h"

#define STORE	 "/var/lib/containers/storage"
#define USERS	 "/home/u/.local/share/containers/storage"
#define USERDATA "/userdata"
#define TASK	 "/io.containerd.runtime.v2.task/"
#define SHIM	 "/run/containerd" TASK
#define CRIO_RUN "/run/containers/storage/overlay-containers/"
#define IMAGE	 "docker.io/library/redis:7"

#define MADE	ID("2222ffff")
#define QUADLET ID("3333ffff")
#define POD	ID("0000ffff")
#define SPLIT	ID("6666ffff")
#define MEMBER	ID("9999ffff")
#define SANDBOX ID("1111cccc")
#define STATIC	ID("2222cccc")
#define PODUID	"7a172e54_1111_2222_3333_444455556666"
#define DASHED	"7a172e54-1111-2222-3333-444455556666"
#define SURE	"/kubepods.slice/kubepods-pod" PODUID ".slice/"

#define STORED(id, name)                                                               \
	"{\"id\":\"" id "\",\"names\":[\"" name "\"],\"image\":\"f00d\",\"metadata\":" \
	"\"{\\\"image-name\\\":\\\"" IMAGE                                             \
	"\\\",\\\"image-id\\\":\\\"f00d\\\",\\\"name\\\":\\\"" name "\\\"}\"}"

static void record_podman(struct recorded *r)
{
	recorded_file(r, STORE "/overlay-containers/containers.json", "[%s,%s,%s,%s,%s]",
		      STORED(A_ID, "redis"), STORED(B_ID, "cache"), STORED(MADE, "happy_curie"),
		      STORED(QUADLET, "systemd-web"), STORED(MEMBER, "brief"));
	recorded_file(r, STORE "/overlay-images/images.json",
		      "[{\"id\":\"f00d\",\"digest\":\"sha256:0123\",\"names\":[\"" IMAGE "\"]}]");
	recorded_file(r, "/run/systemd/generator/web.service",
		      "[Service]\nExecStart=/usr/bin/podman run x\n");
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = USER;
	recorded_file(r, USERS "/overlay-containers/containers.json", "[%s,%s,%s]",
		      STORED(C_ID, "redis"), STORED(D_ID, "zen_wu"), STORED(SPLIT, "web"));
	recorded_file(r, "/home/u/.config/systemd/user/q.service", "ExecStart=podman run x\n");
	r->owner = 0;
}

static void docker_config(const struct recorded *r, const char *id, const char *name,
			  const char *labels)
{
	char path[512];

	snprintf(path, sizeof(path), "/var/lib/docker/containers/%s/config.v2.json", id);
	recorded_file(r, path,
		      "{\"ID\":\"%s\",\"Path\":\"entry.sh\",\"Config\":{\"Image\":\"redis:7\","
		      "\"Labels\":{%s}},\"Image\":\"sha256:cafe\",\"Name\":\"/%s\"}",
		      id, labels, name);
}

#define COMPOSED "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\""
#define OFF	 "\"io.tamis.policy\":\"off\""

static void record_others(struct recorded *r)
{
	docker_config(r, A_ID, "redis", "");
	docker_config(r, B_ID, "shop-web-1", COMPOSED "," OFF);
	docker_config(r, MADE, "happy_curie7", "");
	docker_config(r, C_ID, "own", "\"io.tamis.policy\":\"on\"");
	recorded_bundle(r, CRIO_RUN SANDBOX USERDATA, "x", "/pause",
			"\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.ContainerType\":"
			"\"sandbox\",\"io.kubernetes.cri-o.Labels\":\"{\\\"pod-template-hash\\\":"
			"\\\"7d4b9c6f5d\\\"}\",\"io.kubernetes.cri-o.Annotations\":"
			"\"{\\\"io.tamis.policy\\\":\\\"off\\\"}\"");
	recorded_file(r, "/etc/hostname", "node1\n");
}

static void record(struct recorded *r)
{
	assert_int_equal(chmod(r->dir, 0755), 0);
	record_podman(r);
	record_others(r);
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

#define PODMAN(store, id) store "/overlay-containers/" id USERDATA
#define NERDCTL(name)	  "\"nerdctl/name\":\"" name "\",\"nerdctl/namespace\":\"default\""
#define CRI(field, value) "\"io.kubernetes.cri." field "\":\"" value "\""
#define NAMED                                                                                      \
	CRI("container-type", "container")                                                         \
	"," CRI("sandbox-name", "web-7d4b9c6f5d-x2vqz") "," CRI(                                   \
		"sandbox-namespace", "shop") "," CRI("sandbox-id",                                 \
						     SANDBOX) "," CRI("container-name",            \
								      "app") "," CRI("image-name", \
										     "reg/app:1")
#define CRIO                                                                                    \
	"\"io.container.manager\":\"cri-o\",\"io.kubernetes.container.name\":\"app\","          \
	"\"io.kubernetes.pod.name\":\"web-7d4b9c6f5d-x2vqz\",\"io.kubernetes.cri-o.Namespace\"" \
	":\"shop\",\"io.kubernetes.cri-o.ImageName\":\"reg/app:1\",\"io.kubernetes.cri-o."      \
	"SandboxID\":\"" SANDBOX "\",\"io.kubernetes.cri-o.ContainerType\":\"container\""

struct row {
	const char *path;   /* of the running container */
	const char *bundle; /* where its engine keeps config.json */
	const char *cgroup, *annotations;
	const char *key; /* NULL: nobody's */
	uid_t uid;
	bool hook; /* podman's: neither id nor bundle are told */
	bool off;  /* opted out */
	bool refused;
	const char *id; /* NULL: the bundle's last part, or the one before /userdata */
};

static const struct row rows[] = {
	/* podman: systemd's cgroups and cgroupfs, pods, split, a parent of one's own. */
	{ "/machine.slice/libpod-" A_ID ".scope", PODMAN(STORE, A_ID), "machine.slice:libpod:" A_ID,
	  "", "podman/redis", .hook = true },
	{ "/machine.slice/libpod-" A_ID ".scope", PODMAN(STORE, A_ID), "machine.slice:libpod:" A_ID,
	  OFF, "podman/redis", .off = true },
	{ "/libpod_parent/libpod-" B_ID, PODMAN(STORE, B_ID), "/libpod_parent/libpod-" B_ID, "",
	  "podman/cache", .hook = true },
	{ "/own/parent/libpod-" MADE, PODMAN(STORE, MADE), "/own/parent/libpod-" MADE, "",
	  "podman/" IMAGE "#server", .hook = true },
	{ "/system.slice/web.service/libpod-payload-" QUADLET, PODMAN(STORE, QUADLET),
	  "/system.slice/web.service/libpod-payload-" QUADLET, "", "podman/systemd-web",
	  .hook = true },
	{ "/machine.slice/machine-libpod_pod_" POD ".slice/libpod-" MEMBER ".scope",
	  PODMAN(STORE, MEMBER), "machine-libpod_pod_" POD ".slice:libpod:" MEMBER, "",
	  "podman/brief", .hook = true },
	{ "/libpod_parent/" POD "/libpod-" MEMBER, PODMAN(STORE, MEMBER),
	  "/libpod_parent/" POD "/libpod-" MEMBER, "", "podman/brief", .hook = true },
	{ "/machine.slice/libpod-" NO_ID ".scope", PODMAN(STORE, NO_ID),
	  "machine.slice:libpod:" NO_ID, "", "podman/id:0123fedc0123", .hook = true,
	  .refused = true },
	{ "/machine.slice/libpod-" A_ID ".scope", PODMAN(STORE, A_ID), "machine.slice:libpod:" A_ID,
	  "\"run.oci.handler\":\"krun\"", "podman/redis", .hook = true, .refused = true },
	/* Rootless. */
	{ USER_AT "/user.slice/libpod-" C_ID ".scope", PODMAN(USERS, C_ID),
	  "user.slice:libpod:" C_ID, "", "podman/~1000/redis", USER, .hook = true },
	{ USER_AT "/app.slice/q.service/libpod-payload-" D_ID, PODMAN(USERS, D_ID),
	  USER_AT "/app.slice/q.service/libpod-payload-" D_ID, "", "podman/~1000/" IMAGE "#server",
	  USER, .hook = true },
	{ USER_AT "/user.slice/user-libpod_pod_" POD ".slice/libpod-" SPLIT ".scope",
	  PODMAN(USERS, SPLIT), "user-libpod_pod_" POD ".slice:libpod:" SPLIT, OFF,
	  "podman/~1000/web", USER, .hook = true, .off = true },

	/* docker. */
	{ "/system.slice/docker-" A_ID ".scope", SHIM "moby/" A_ID, "system.slice:docker:" A_ID, "",
	  "docker/redis" },
	{ "/docker/" B_ID, SHIM "moby/" B_ID, "/docker/" B_ID, "", "docker/shop/web", .off = true },
	{ "/system.slice/docker-" MADE ".scope", SHIM "moby/" MADE, "system.slice:docker:" MADE, "",
	  "docker/redis:7#server" },
	{ "/own/" C_ID, SHIM "moby/" C_ID, "/own/" C_ID, "", "docker/own" },
	{ "/a.slice/a-b.slice/docker-" A_ID ".scope", SHIM "moby/" A_ID, "a-b.slice:docker:" A_ID,
	  OFF, "docker/redis", .off = true },

	/* containerd: ctr, nerdctl. */
	{ "/default/t1", SHIM "default/t1", "/default/t1", "", "containerd/default/t1" },
	{ "/default/t1", SHIM "default/t1", "/default/t1", OFF, "containerd/default/t1",
	  .off = true },
	{ "/my-ns/t1", SHIM "my-ns/t1", "/my-ns/t1", "", "containerd/my-ns/t1" },
	{ "/system.slice/nerdctl-" D_ID ".scope", SHIM "default/" D_ID,
	  "system.slice:nerdctl:" D_ID, NERDCTL("web"), "containerd/default/web" },
	{ "/default/" D_ID, SHIM "default/" D_ID, "/default/" D_ID,
	  NERDCTL("shop-web-1") "," COMPOSED, "containerd/default/shop/web" },
	{ "/default/" D_ID, SHIM "default/" D_ID, "/default/" D_ID, "",
	  "containerd/id:dddd0004dddd", .refused = true },

	/* Kubernetes. */
	{ SURE "cri-containerd-" A_ID ".scope", SHIM "k8s.io/" A_ID,
	  "kubepods-pod" PODUID ".slice:cri-containerd:" A_ID, NAMED,
	  "kubernetes/shop/web-7d4b9c6f5d-x2vqz/app" },
	{ "/kubepods/burstable/pod" DASHED "/" A_ID, SHIM "k8s.io/" A_ID,
	  "/kubepods/burstable/pod" DASHED "/" A_ID, NAMED "," OFF,
	  "kubernetes/shop/web-7d4b9c6f5d-x2vqz/app", .off = true },
	{ SURE "cri-containerd-" SANDBOX ".scope", SHIM "k8s.io/" SANDBOX,
	  "kubepods-pod" PODUID ".slice:cri-containerd:" SANDBOX, CRI("container-type", "sandbox"),
	  NULL },
	{ SURE "crio-" A_ID ".scope", CRIO_RUN A_ID USERDATA,
	  "kubepods-pod" PODUID ".slice:crio:" A_ID, CRIO, "kubernetes/shop/web/app", .off = true },
	{ "/kubepods/pod" DASHED "/crio-" A_ID, CRIO_RUN A_ID USERDATA,
	  "/kubepods/pod" DASHED "/crio-" A_ID, CRIO, "kubernetes/shop/web/app", .off = true },
	{ SURE "crio-" SANDBOX ".scope", CRIO_RUN SANDBOX USERDATA,
	  "kubepods-pod" PODUID ".slice:crio:" SANDBOX,
	  "\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"",
	  NULL },
};

static const char *id_of(const struct row *w, char id[PLACE_ID_LEN + 1])
{
	const char *end = strstr(w->bundle, USERDATA), *from;

	if (!end)
		end = w->bundle + strlen(w->bundle);
	for (from = end; from[-1] != '/'; from--)
		;
	assert_in_range(end - from, 1, PLACE_ID_LEN);
	snprintf(id, PLACE_ID_LEN + 1, "%.*s", (int)(end - from), from);
	return id;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return is_same_text(a->key, b->key) && is_same_text(a->engine, b->engine) &&
	       is_same_text(a->owner, b->owner) && is_same_text(a->name, b->name) &&
	       is_same_text(a->image, b->image) && is_same_text(a->image_digest, b->image_digest) &&
	       is_same_text(a->container, b->container) && is_same_text(a->pod, b->pod) &&
	       is_same_text(a->namespace, b->namespace) && is_same_text(a->why_not, b->why_not) &&
	       a->enforceable == b->enforceable && a->opted_out == b->opted_out &&
	       a->owner_len == b->owner_len;
}

/* As whoever starts it: root, a user, or a user's engine in a user namespace of its own. */
static bool become(uid_t uid, bool namespace)
{
	char map[32];
	int fd, len = snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)uid);
	bool mapped;

	if (uid && setresuid(uid, uid, uid) < 0)
		return false;
	if (!namespace)
		return true;
	/* Its own files in /proc are root's else. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0 || unshare(CLONE_NEWUSER) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	mapped = fd >= 0 && write(fd, map, (size_t)len) == len;
	close(fd);
	return mapped && geteuid() == 0;
}

/* Never fails the test itself: it may be the child that asks. */
static bool starts_alike(const struct recorded *r, const struct row *w, const char *text,
			 size_t len, const struct identity *running)
{
	const struct identity_options o = { .root = r->dir };
	struct identity i = IDENTITY_INIT;
	char id[PLACE_ID_LEN + 1];
	const struct identity_start s = {
		.text = text,
		.len = len,
		.id = w->hook ? NULL : id_of(w, id),
		.bundle = w->hook ? NULL : w->bundle,
	};
	_free_ char *path = NULL;
	bool alike = identity_start_cgroup(&s, &path) == 0 && strcmp(path, w->path) == 0;
	int e = identity_of_start(&o, &s, &i);

	alike = alike && (w->key ? e == 0 && is_same(running, &i) : e == -ENOENT);
	if (!alike)
		fprintf(stderr, "%s: %d, %s, opted out %d, why not: %s\n", path ? path : "no path",
			e, i.key ? i.key : "no key", i.opted_out, i.why_not ? i.why_not : "");
	identity_done(&i);
	return alike;
}

static void start_as(const struct recorded *r, const struct row *w, const char *text, size_t len,
		     const struct identity *running, bool namespace)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(become(w->uid, namespace) && starts_alike(r, w, text, len, running) ? 7 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
		fail_msg("%s: not as uid %u%s", w->path, (unsigned)w->uid,
			 namespace ? " in a namespace" : "");
}

/* What a bundle that isn't there any more holds. */
static char *take_bundle(struct recorded *r, const struct row *w, size_t *ret_len)
{
	char path[4096], *text = NULL, *exact;

	snprintf(path, sizeof(path), "%s%s/config.json", r->dir, w->bundle);
	assert_int_equal(file_read(path, 1u << 20, &text, ret_len), 0);
	assert_int_equal(unlink(path), 0);
	exact = malloc(*ret_len);
	assert_non_null(exact);
	memcpy(exact, text, *ret_len);
	free(text);
	return exact;
}

static void check(struct recorded *r, const struct row *w)
{
	const struct identity_options o = { .root = r->dir };
	struct identity running = IDENTITY_INIT;
	_free_ char *text = NULL;
	size_t len = 0;

	r->owner = w->uid;
	recorded_bundle(r, w->bundle, w->cgroup, "/usr/bin/server", w->annotations);
	r->owner = 0;
	assert_int_equal(identity_of_path(&o, w->path, &running), w->key ? 0 : -ENOENT);
	same_text(w->path, "key", running.key, w->key);
	assert_int_equal(running.opted_out, w->off);
	assert_int_equal(running.enforceable, w->key && !w->refused);
	text = take_bundle(r, w, &len);
	start_as(r, w, text, len, &running, false);
	if (w->uid != 0)
		start_as(r, w, text, len, &running, true);
	identity_done(&running);
}

static void is_who_it_will_be(void **state)
{
	struct recorded *r = recorded_need(state);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(r, &rows[i]);
}

/* --- runc and crun by themselves --------------------------------------------------------- */

static const struct {
	const char *id, *cgroup; /* NULL: none in config.json */
	bool systemd;
	const char *path, *state, *format; /* what the runtime writes once it runs */
	const char *annotations, *labels;
	bool off;
} bare[] = {
	{ "web", NULL, false, "/web", "/run/runc/web/state.json",
	  "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/unified/web\"},\"config\":{\"labels\":[%s]}}",
	  "", "\"bundle=/x\"", false },
	{ "web", NULL, false, "/web", "/run/runc/web/state.json",
	  "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/unified/web\"},\"config\":{\"labels\":[%s]}}",
	  OFF, "\"io.tamis.policy=offer\",\"io.tamis.policy=off\"", true },
	{ "u1", NULL, true, "/system.slice/runc-u1.scope", "/run/runc/u1/state.json",
	  "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/system.slice/runc-u1.scope\"},\"x\":[%s]}", "",
	  "", false },
	{ "u2", "jobs.slice:crun:u2", true, "/jobs.slice/crun-u2.scope", "/run/crun/u2/status",
	  "{\"cgroup-path\":\"/jobs.slice/crun-u2.scope/container\",\"x\":[%s]}", "", "", false },
	{ "deep", "/jobs/a/deep", false, "/jobs/a/deep", "/run/crun/deep/status",
	  "{\"cgroup-path\":\"/jobs/a/deep\",\"x\":[%s]}", OFF, "", true },
};

static void bare_ones_too(void **state)
{
	struct recorded *r = recorded_need(state);
	const struct identity_options o = { .root = r->dir };

	for (size_t n = 0; n < ARRAY_SIZE(bare); n++) {
		struct identity running = IDENTITY_INIT, starting = IDENTITY_INIT;
		_free_ char *text = NULL, *path = NULL;
		char full[512];
		int len =
			asprintf(&text, "{\"annotations\":{%s},\"linux\":{%s%s%s}}",
				 bare[n].annotations, bare[n].cgroup ? "\"cgroupsPath\":\"" : "",
				 bare[n].cgroup ? bare[n].cgroup : "", bare[n].cgroup ? "\"" : "");
		const struct identity_start s = { .text = text,
						  .len = (size_t)len,
						  .id = bare[n].id,
						  .bundle = "/srv/bundle",
						  .systemd = bare[n].systemd };

		assert_true(len > 0);
		assert_int_equal(identity_start_cgroup(&s, &path), 0);
		assert_string_equal(path, bare[n].path);
		assert_int_equal(identity_of_start(&o, &s, &starting), 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		recorded_file(r, bare[n].state, bare[n].format, bare[n].labels);
		recorded_bundle(r, "/run/crun/deep", "/jobs/a/deep", "/x", OFF);
#pragma GCC diagnostic pop
		assert_int_equal(identity_of_path(&o, bare[n].path, &running), 0);
		assert_int_equal(running.opted_out, bare[n].off);
		assert_true(is_same(&running, &starting));
		snprintf(full, sizeof(full), "%s%s", r->dir, bare[n].state);
		assert_int_equal(unlink(full), 0);
		identity_done(&running);
		identity_done(&starting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_who_it_will_be),
		cmocka_unit_test(bare_ones_too),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
