/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes over containerd: both cgroup drivers, every QoS class, with and without names. */
#include "recorded.h"

#define SHIM	 "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"
#define K3S	 "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/"
#define SANDBOX	 ID("1111cccc")
#define OLD	 ID("2222cccc") /* containerd 1.4: no names in the bundle */
#define DIGESTED ID("3333cccc")
#define VM	 ID("4444cccc")
#define DOCKER	 ID("5555cccc")
#define NO_NS	 ID("6666cccc")

#define CRI(field, value) "\"io.kubernetes.cri." field "\":\"" value "\""
#define NAMED(container, image)                                                               \
	CRI("container-type", "container")                                                    \
	"," CRI("container-name", container) "," CRI("image-name", image) "," CRI(            \
		"sandbox-name", "web-7d4b9c6f5d-x2vqz") "," CRI("sandbox-namespace",          \
								"shop") "," CRI("sandbox-id", \
										SANDBOX)

#define UID_	  "7a172e54_1111_2222_3333_444455556666"
#define DASHED	  "7a172e54-1111-2222-3333-444455556666"
#define BURSTABLE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"
#define BEST	  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/"
#define SURE	  "/kubepods.slice/kubepods-pod" UID_ ".slice/"
#define KIND	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/"

static int setup(void **state)
{
	struct recorded *r;

	if (geteuid() != 0)
		return 0;
	r = recorded_new();
	recorded_bundle(r, SHIM A_ID, "kubepods-burstable-pod" UID_ ".slice:cri-containerd:" A_ID,
			"/bin/app", NAMED("app", "reg/app:1"));
	recorded_bundle(r, SHIM B_ID, "/kubepods/besteffort/pod" DASHED "/" B_ID, "/bin/sh",
			NAMED("init-db", "reg/app:1"));
	recorded_bundle(r, K3S C_ID, "kubepods-pod" UID_ ".slice:cri-containerd:" C_ID, "/bin/sh",
			NAMED("side/car", "reg/app:1"));
	recorded_bundle(r, SHIM SANDBOX, "kubepods-pod" UID_ ".slice:cri-containerd:" SANDBOX,
			"/pause",
			CRI("container-type", "sandbox") "," CRI("sandbox-name", "web-0") "," CRI(
				"sandbox-namespace", "shop"));
	recorded_bundle(r, SHIM OLD, "/kubepods/pod" DASHED "/" OLD, "/bin/sh",
			CRI("container-type", "container"));
	recorded_bundle(r, SHIM DIGESTED, "/k8s.io/" DIGESTED, "/bin/sh",
			NAMED("app", "reg/app@sha256:beef"));
	recorded_bundle(r, SHIM VM, "kubepods-pod" UID_ ".slice:cri-containerd:" VM, "/bin/sh",
			NAMED("app", "reg/app:1"));
	recorded_file(r, SHIM VM "/shim-binary-path", "/usr/local/bin/containerd-shim-runsc-v1");
	recorded_bundle(r, SHIM NO_NS, "kubepods-pod" UID_ ".slice:cri-containerd:" NO_NS,
			"/bin/sh", CRI("container-name", "app") "," CRI("sandbox-name", "web-0"));
	recorded_mkdirs(r, "/var/log/containers/");
	recorded_file(r, "/var/log/containers/old-pod_shop_app-" OLD ".log", "%s", "");
	recorded_file(r, "/var/log/containers/dock_shop_app-" DOCKER ".log", "%s", "");
	recorded_file(r, "/var/log/containers/wrong_wrong_wrong-" A_ID ".log", "%s", "");
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	if (*state)
		recorded_free(*state);
	return 0;
}

#define POD "web-7d4b9c6f5d-x2vqz", "shop"
#define APP "kubernetes/shop/web-7d4b9c6f5d-x2vqz/app"

static const struct whose rows[] = {
	{ BURSTABLE "cri-containerd-" A_ID ".scope", "kubernetes", APP, "app", "reg/app:1", NULL,
	  POD },
	{ BURSTABLE "cri-containerd-" A_ID ".scope/a", "kubernetes", APP, "app", "reg/app:1", NULL,
	  POD, .inside = "/a" },
	{ "/kubepods/besteffort/pod" DASHED "/" B_ID, "kubernetes",
	  "kubernetes/shop/web-7d4b9c6f5d-x2vqz/init-db", "init-db", "reg/app:1", NULL, POD },
	{ SURE "cri-containerd-" C_ID ".scope", "kubernetes",
	  "kubernetes/shop/web-7d4b9c6f5d-x2vqz/side%2Fcar", "side/car", "reg/app:1", NULL, POD },
	{ SURE "cri-containerd-" SANDBOX ".scope", "kubernetes", "kubernetes/shop/web-0/POD", "POD",
	  .pod = "web-0", .namespace = "shop" },
	{ "/kubepods/pod" DASHED "/" OLD, "kubernetes", "kubernetes/shop/old-pod/app", "app",
	  .pod = "old-pod", .namespace = "shop" },
	{ "/k8s.io/" DIGESTED, "kubernetes", APP, "app", "reg/app@sha256:beef", "sha256:beef",
	  POD },
	{ SURE "cri-containerd-" VM ".scope", "kubernetes", APP, "app", "reg/app:1", NULL, POD,
	  .refused = true },
	{ SURE "docker-" DOCKER ".scope", "kubernetes", "kubernetes/shop/dock/app", "app",
	  .pod = "dock", .namespace = "shop" },
	{ SURE "cri-containerd-" NO_NS ".scope", "kubernetes", "kubernetes/id:6666cccc6666", "app",
	  .pod = "web-0", .refused = true },
	{ BEST "cri-containerd-" NO_ID ".scope", "kubernetes", "kubernetes/id:0123fedc0123",
	  .refused = true },
	{ KIND "cri-containerd-" NO_ID ".scope", "kubernetes", "kubernetes/id:0123fedc0123",
	  .refused = true },
	{ "/kubepods/burstable/pod" DASHED "/" NO_ID, "kubernetes", "kubernetes/id:0123fedc0123",
	  .refused = true },
	/* Where the kubelet has put another, or nobody. */
	{ BEST "cri-containerd-" A_ID ".scope" },
	{ "/kubepods/besteffort/pod" DASHED "/" A_ID },
	{ "/k8s.io/" NO_ID },
	{ "/give/kubepods/pod" DASHED "/" B_ID },
	{ "/give/kubepods/pod" DASHED "/" NO_ID },
	{ "/system.slice/a.service/kubepods/pod" DASHED "/" B_ID },
	{ "/user.slice/user-1000.slice/cri-containerd-" A_ID ".scope" },
	{ USER_AT "/cri-containerd-" A_ID ".scope", "kubernetes",
	  "kubernetes/~1000/id:aaaa0001aaaa", .refused = true },
	{ "/kubepods/burstable/pod" DASHED },
};

static void knows_its_containers(void **state)
{
	if (!*state)
		skip();
	check_all(*state, NULL, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(knows_its_containers) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
