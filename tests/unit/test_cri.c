/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes over containerd: both cgroup drivers, every QoS class, with and without names. */
#include "recorded.h"

#define SHIM	 "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"
#define K3S	 "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/"
#define MOVED	 "/data/state/io.containerd.runtime.v2.task/k8s.io/"
#define SANDBOX	 ID("1111cccc")
#define OLD	 ID("2222cccc") /* containerd 1.4: no names in the bundle */
#define DIGESTED ID("3333cccc")
#define VM	 ID("4444cccc")
#define DOCKER	 ID("5555cccc")
#define NO_NS	 ID("6666cccc")
#define VM_BOX	 ID("7777cccc")
#define IN_VM	 ID("8888cccc")
#define STATIC	 ID("9999cccc")
#define CLIENTS	 ID("aaaacccc")
#define BOX_FS	 ID("bbbbcccc")
#define SURE_FS	 ID("cccccccc")
#define BURST_FS ID("ddddcccc")
#define BEST_SD	 ID("eeeecccc")
#define DEBUG	 ID("ffffcccc")
#define ELSE	 ID("0000cccc")

#define CRI(field, value) "\"io.kubernetes.cri." field "\":\"" value "\""
#define IN_POD(type, pod)                                                                       \
	CRI("container-type", type)                                                             \
	"," CRI("sandbox-name", pod) "," CRI("sandbox-namespace", "shop") "," CRI("sandbox-id", \
										  SANDBOX)
#define NAMED(container, image)                     \
	IN_POD("container", "web-7d4b9c6f5d-x2vqz") \
	"," CRI("container-name", container) "," CRI("image-name", image)
#define APP_1(container) NAMED(container, "reg/app:1")

#define UID_	    "7a172e54_1111_2222_3333_444455556666"
#define DASHED	    "7a172e54-1111-2222-3333-444455556666"
#define HASHED	    "0123456789abcdef0123456789abcdef"
#define BURSTABLE   "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"
#define BEST	    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/"
#define SURE	    "/kubepods.slice/kubepods-pod" UID_ ".slice/"
#define FILES	    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASHED ".slice/"
#define KIND	    "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/"
#define SD(qos, id) "kubepods-" qos "pod" UID_ ".slice:cri-containerd:" id
#define SCOPE(id)   "cri-containerd-" id ".scope"

/* Init containers, restartable ones and those for debugging are containers as all are. */
static void record_containers(struct recorded *r)
{
	recorded_bundle(r, SHIM A_ID, SD("burstable-", A_ID), "/bin/app", APP_1("app"));
	recorded_bundle(r, SHIM BEST_SD, SD("besteffort-", BEST_SD), "/bin/sh", APP_1("init-db"));
	recorded_bundle(r, K3S C_ID, SD("", C_ID), "/bin/sh", APP_1("side/car"));
	recorded_bundle(r, SHIM B_ID, "/kubepods/besteffort/pod" DASHED "/" B_ID, "/bin/sh",
			APP_1("init-db"));
	recorded_bundle(r, SHIM BURST_FS, "/kubepods/burstable/pod" DASHED "/" BURST_FS, "/bin/sh",
			APP_1("proxy"));
	recorded_bundle(r, SHIM SURE_FS, "/kubepods/pod" DASHED "/" SURE_FS, "/bin/sh",
			APP_1("app"));
	recorded_bundle(r, MOVED DEBUG, SD("", DEBUG), "/bin/sh", APP_1("debugger-x2vqz"));
	recorded_bundle(r, SHIM OLD, "/kubepods/pod" DASHED "/" OLD, "/bin/sh",
			CRI("container-type", "container"));
	recorded_bundle(r, SHIM DIGESTED, "/k8s.io/" DIGESTED, "/bin/sh",
			NAMED("app", "reg/app@sha256:beef"));
	recorded_bundle(r, SHIM NO_NS, SD("", NO_NS), "/bin/sh",
			CRI("container-name", "app") "," CRI("sandbox-name", "web-0"));
	recorded_bundle(r, SHIM STATIC,
			"kubepods-burstable-pod" HASHED ".slice:cri-containerd:" STATIC, "/etcd",
			IN_POD("container", "etcd-node1") "," CRI("container-name", "etcd"));
}

static void record_sandboxes(struct recorded *r)
{
	recorded_bundle(r, SHIM SANDBOX, SD("", SANDBOX), "/pause", IN_POD("sandbox", "web-0"));
	recorded_bundle(r, SHIM BOX_FS, "/kubepods/pod" DASHED "/" BOX_FS, "/pause",
			IN_POD("sandbox", "web-0"));
	recorded_bundle(r, SHIM ELSE, SD("", ELSE), "/pause", IN_POD("sandbox", "web-0"));
	recorded_bundle(r, SHIM VM, SD("", VM), "/bin/sh", APP_1("app"));
	recorded_file(r, SHIM VM "/shim-binary-path", "/usr/local/bin/containerd-shim-runsc-v1");
	recorded_bundle(r, SHIM VM_BOX, SD("", VM_BOX), "/pause", IN_POD("sandbox", "vm-0"));
	recorded_file(r, SHIM VM_BOX "/shim-binary-path", "/opt/kata/bin/containerd-shim-kata-v2");
	recorded_bundle(r, SHIM IN_VM, SD("", IN_VM), "/bin/sh",
			CRI("container-name", "app") "," CRI("sandbox-name", "vm-0") "," CRI(
				"sandbox-namespace", "shop") "," CRI("sandbox-id", VM_BOX));
}

static void record(struct recorded *r)
{
	record_containers(r);
	record_sandboxes(r);
	/* nerdctl -n k8s.io run: the labels of a hostile image. */
	recorded_bundle(r, SHIM CLIENTS, "/k8s.io/" CLIENTS, "/bin/sh",
			APP_1("app") ",\"nerdctl/namespace\":\"k8s.io\",\"nerdctl/name\":\"mine\"");
	recorded_bundle(r, SHIM D_ID, "/k8s.io/" D_ID, "/bin/sh", CRI("container-name", "app"));
	recorded_file(r, "/etc/containerd/config.toml", "version = 2\nstate = \"/data/state\"\n");
	recorded_file(r, "/etc/hostname", "node1\n");
	recorded_mkdirs(r, "/var/log/containers/");
	recorded_file(r, "/var/log/containers/old-pod_shop_app-" OLD ".log", "%s", "");
	recorded_file(r, "/var/log/containers/dock_shop_app-" DOCKER ".log", "%s", "");
	recorded_file(r, "/var/log/containers/wrong_wrong_wrong-" A_ID ".log", "%s", "");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

#define K8S   "kubernetes"
#define WEB   K8S "/shop/web-7d4b9c6f5d-x2vqz/"
#define POD   NULL, "web-7d4b9c6f5d-x2vqz", "shop"
#define REG   "reg/app:1"
#define SHOP  .owner = K8S "/shop"
#define BY_ID K8S "/id:0123fedc0123", .refused = true, .owner = K8S

static const struct whose rows[] = {
	{ SURE SCOPE(C_ID), K8S, WEB "side%2Fcar", "side/car", REG, POD, SHOP },
	{ BURSTABLE SCOPE(A_ID), K8S, WEB "app", "app", REG, POD, SHOP },
	{ BURSTABLE SCOPE(A_ID) "/a", K8S, WEB "app", "app", REG, POD, .inside = "/a" },
	{ BEST SCOPE(BEST_SD), K8S, WEB "init-db", "init-db", REG, POD },
	{ "/kubepods/pod" DASHED "/" SURE_FS, K8S, WEB "app", "app", REG, POD, SHOP },
	{ "/kubepods/burstable/pod" DASHED "/" BURST_FS, K8S, WEB "proxy", "proxy", REG, POD },
	{ "/kubepods/besteffort/pod" DASHED "/" B_ID, K8S, WEB "init-db", "init-db", REG, POD },
	{ SURE SCOPE(DEBUG), K8S, WEB "debugger-x2vqz", "debugger-x2vqz", REG, POD },
	{ "/kubepods/pod" DASHED "/" OLD, K8S, K8S "/shop/old-pod/app", "app", .pod = "old-pod",
	  .namespace = "shop", SHOP },
	{ "/k8s.io/" DIGESTED, K8S, WEB "app", "app", "reg/app@sha256:beef", "sha256:beef",
	  "web-7d4b9c6f5d-x2vqz", "shop" },
	{ FILES SCOPE(STATIC), K8S, K8S "/shop/etcd/etcd", "etcd", .pod = "etcd-node1",
	  .namespace = "shop" },
	{ SURE "docker-" DOCKER ".scope", K8S, K8S "/shop/dock/app", "app", .pod = "dock",
	  .namespace = "shop" },
	{ SURE SCOPE(NO_NS), K8S, K8S "/id:6666cccc6666", "app", .pod = "web-0", .refused = true,
	  .owner = K8S },
	{ BEST SCOPE(NO_ID), K8S, BY_ID },
	{ KIND SCOPE(NO_ID), K8S, BY_ID },
	{ "/kubepods/burstable/pod" DASHED "/" NO_ID, K8S, BY_ID },
	/* What waits for the pod is nobody's; a machine for all of it is somebody's. */
	{ SURE SCOPE(SANDBOX) },
	{ SURE SCOPE(SANDBOX) "/a" },
	{ "/kubepods/pod" DASHED "/" BOX_FS },
	{ SURE SCOPE(VM), K8S, WEB "app", "app", REG, POD, .refused = true },
	{ SURE SCOPE(VM_BOX), K8S, K8S "/shop/vm-0/POD", "POD", .pod = "vm-0", .namespace = "shop",
	  .refused = true },
	{ SURE SCOPE(IN_VM), K8S, K8S "/shop/vm-0/app", "app", .pod = "vm-0", .namespace = "shop",
	  .refused = true },
	/* Made by a client beside the kubelet, whatever its annotations say. */
	{ "/k8s.io/" CLIENTS, "containerd", "containerd/k8s.io/mine", "mine",
	  .namespace = "k8s.io" },
	{ "/k8s.io/" D_ID, "containerd", "containerd/id:dddd0004dddd", .namespace = "k8s.io",
	  .refused = true },
	{ USER_AT "/cri-containerd-" A_ID ".scope", K8S, K8S "/~1000/id:aaaa0001aaaa",
	  .refused = true, .owner = K8S "/~1000" },
};

/* Where the kubelet has put another, or nobody. */
static const char *const nobodys[] = {
	BEST SCOPE(A_ID),
	"/kubepods/besteffort/pod" DASHED "/" A_ID,
	"/k8s.io/" NO_ID,
	"/k8s.io/" A_ID,
	"/give/kubepods/pod" DASHED "/" B_ID,
	"/give/kubepods/pod" DASHED "/" NO_ID,
	"/system.slice/a.service/kubepods/pod" DASHED "/" B_ID,
	"/user.slice/user-1000.slice/cri-containerd-" A_ID ".scope",
	("/kubepods/burstable/pod" DASHED),
	"/kubepods",
};

static void knows_its_containers(void **state)
{
	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
}

static void knows_what_it_did_not_make(void **state)
{
	check_nobodys(recorded_need(state), NULL, nobodys, ARRAY_SIZE(nobodys));
}

/* A sandbox is passed over where it is the engine's, not where somebody says so elsewhere. */
static void sandboxes_hide_nobody(void **state)
{
	static const char *const all[] = { "*", NULL };
	static const struct whose forged = { "/give/cri-containerd-" ELSE ".scope",
					     "cgroup",
					     "cgroup/give",
					     "/give",
					     .inside = "/cri-containerd-" ELSE ".scope",
					     .inner = "kubernetes/0000cccc0000" };

	check_nobodys(recorded_need(state), all, (const char *[]){ SURE SCOPE(ELSE) }, 1);
	check_whose(recorded_need(state), all, &forged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_containers),
		cmocka_unit_test(knows_what_it_did_not_make),
		cmocka_unit_test(sandboxes_hide_nobody),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
