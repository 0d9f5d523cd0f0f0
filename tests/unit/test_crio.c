/* SPDX-License-Identifier: Apache-2.0 */
/* CRI-O's bundles, beside podman's: names from its annotations, owners from the sandbox's labels. */
#include "recorded.h"
#include "unit/skip.h"

#define RUN	 "/run/containers/storage/overlay-containers/"
#define LIB	 "/var/lib/containers/storage/overlay-containers/"
#define SANDBOX	 ID("1111cccc")
#define STATIC	 ID("2222cccc")
#define NODE_BOX ID("3333cccc")
#define PODMANS	 ID("4444cccc")
#define LONE	 ID("5555cccc")
#define SET	 ID("6666cccc")
#define SET_BOX	 ID("7777cccc")
#define CRON	 ID("8888cccc")
#define CRON_BOX ID("9999cccc")
#define DAEMON	 ID("aaaacccc")
#define DAEM_BOX ID("bbbbcccc")
#define IN_VM	 ID("ccccccdd")
#define VM_BOX	 ID("ddddcccc")

#define KUBE(field, value) "\"io.kubernetes." field "\":\"" value "\""
#define O(field, value)	   KUBE("cri-o." field, value)
#define CRIO		   "\"io.container.manager\":\"cri-o\","
#define OF(pod, type) \
	CRIO KUBE("pod.name", pod) "," O("Namespace", "shop") "," O("ContainerType", type)
#define NAMED(container, pod, box)                                                   \
	OF(pod, "container")                                                         \
	"," KUBE("container.name", container) "," O("ImageName", "reg/app:1") "," O( \
		"ImageRef", "cafe") "," O("SandboxID", box) "," O("Created",         \
								  "2023-12-25T00:00:02.5Z")
#define BOX(pod, labels) \
	OF(pod, "sandbox") "," KUBE("container.name", "POD") "," O("Labels", labels)
#define L(name, value) "{\\\"" name "\\\":\\\"" value "\\\"}"

#define UID_	    "7a172e54_1111_2222_3333_444455556666"
#define BURSTABLE   "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"
#define BEST	    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/"
#define SURE	    "/kubepods.slice/kubepods-pod" UID_ ".slice/"
#define POD_FS	    "pod7a172e54-1111-2222-3333-444455556666/"
#define SD(qos, id) "kubepods-" qos "pod" UID_ ".slice:crio:" id
#define SCOPE(id)   "crio-" id ".scope"
#define PODNAME	    "web-7d4b9c6f5d-x2vqz"

static void one(const struct recorded *r, const char *id, const char *cgroup, const char *program,
		const char *annotations)
{
	char dir[512];

	snprintf(dir, sizeof(dir), RUN "%s/userdata", id);
	recorded_bundle(r, dir, cgroup, program, annotations);
}

static void record_owned(struct recorded *r)
{
	one(r, SANDBOX, SD("", SANDBOX), "/pause",
	    BOX(PODNAME, L("pod-template-hash", "7d4b9c6f5d")));
	one(r, SET, "/kubepods/" POD_FS "crio-" SET, "/db", NAMED("db", "db-0", SET_BOX));
	one(r, SET_BOX, "/kubepods/" POD_FS "crio-" SET_BOX, "/pause",
	    BOX("db-0", L("statefulset.kubernetes.io/pod-name", "db-0")));
	one(r, CRON, "/kubepods/burstable/" POD_FS "crio-" CRON, "/tidy",
	    NAMED("tidy", "tidy-28391040-x2vqz", CRON_BOX));
	one(r, CRON_BOX, "x", "/pause", BOX("tidy-28391040-x2vqz", L("job-name", "tidy-28391040")));
	one(r, DAEMON, SD("besteffort-", DAEMON), "/agent",
	    NAMED("agent", "agent-x2vqz", DAEM_BOX));
	one(r, DAEM_BOX, "x", "/pause",
	    BOX("agent-x2vqz", "{\\\"controller-revision-hash\\\":\\\"5b\\\","
			       "\\\"pod-template-generation\\\":\\\"1\\\"}"));
	one(r, STATIC, SD("", STATIC), "/etcd", NAMED("etcd", "etcd-node1", NODE_BOX));
	one(r, NODE_BOX, "x", "/pause",
	    CRIO O("Annotations", L("kubernetes.io/config.source", "file")));
	recorded_file(r, "/etc/hostname", "node1\n");
}

static void record(struct recorded *r)
{
	record_owned(r);
	one(r, A_ID, SD("burstable-", A_ID), "/bin/app", NAMED("app", PODNAME, SANDBOX));
	recorded_bundle(r, LIB B_ID "/userdata", "/kubepods/besteffort/" POD_FS "crio-" B_ID,
			"/bin/app", NAMED("side", PODNAME, SANDBOX));
	one(r, LONE, SD("", LONE), "/bin/app", NAMED("app", PODNAME, "../" SANDBOX));
	one(r, IN_VM, SD("", IN_VM), "/bin/app", NAMED("app", "vm-0", VM_BOX));
	one(r, VM_BOX, SD("", VM_BOX), "/pause",
	    BOX("vm-0", "{}") "," O("RuntimeHandler", "kata-qemu"));
	/* podman run --annotation ...: not CRI-O's word. */
	recorded_bundle(r, LIB PODMANS "/userdata", "/libpod_parent/libpod-" PODMANS, "/bin/sh",
			"\"io.container.manager\":\"libpod\"," KUBE(
				"container.name", "forged") "," KUBE("pod.name", "forged"));
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

#define IMAGE "reg/app:1", "cafe"
#define K8S   "kubernetes/shop/"

static const struct whose rows[] = {
	{ BURSTABLE SCOPE(A_ID) "/container", "crio", K8S "web/app", "app", IMAGE, PODNAME, "shop",
	  .inside = "/container", .owner = "kubernetes/shop" },
	{ "/kubepods/besteffort/" POD_FS "crio-" B_ID, "crio", K8S "web/side", "side", IMAGE,
	  PODNAME, "shop" },
	{ "/kubepods/" POD_FS "crio-" SET, "crio", K8S "db/db", "db", IMAGE, "db-0", "shop" },
	{ "/kubepods/burstable/" POD_FS "crio-" CRON, "crio", K8S "tidy/tidy", "tidy", IMAGE,
	  "tidy-28391040-x2vqz", "shop" },
	{ BEST SCOPE(DAEMON), "crio", K8S "agent/agent", "agent", IMAGE, "agent-x2vqz", "shop" },
	{ SURE SCOPE(STATIC), "crio", K8S "etcd/etcd", "etcd", IMAGE, "etcd-node1", "shop" },
	{ SURE SCOPE(LONE), "crio", K8S PODNAME "/app", "app", IMAGE, PODNAME, "shop" },
	{ SURE SCOPE(PODMANS), "crio", "kubernetes/id:4444cccc4444", .refused = true },
	{ "/crio/crio-" NO_ID, "crio", "kubernetes/id:0123fedc0123", .refused = true },
	{ SURE SCOPE(IN_VM), "crio", K8S "vm-0/app", "app", IMAGE, "vm-0", "shop",
	  .refused = true },
	{ SURE SCOPE(VM_BOX), "crio", K8S "vm-0/POD", "POD", .pod = "vm-0", .namespace = "shop",
	  .refused = true },
	{ USER_AT "/" SCOPE(A_ID), "crio", "kubernetes/~1000/id:aaaa0001aaaa", .refused = true,
	  .owner = "kubernetes/~1000" },
};

static const char *const nobodys[] = {
	SURE SCOPE(SANDBOX),
	SURE SCOPE(SANDBOX) "/container",
	"/kubepods/" POD_FS "crio-" SET_BOX,
	SURE "crio-conmon-" A_ID ".scope",
	"/kubepods/" POD_FS "crio-conmon-" SET,
	SURE SCOPE(A_ID),
	"/give/crio-" A_ID,
	"/give/" SCOPE(NO_ID),
	"/give/kubepods/" POD_FS "crio-" SET,
	"/system.slice/a.service/" SCOPE(A_ID),
	"/user.slice/user-1000.slice/" SCOPE(A_ID),
	"/user.slice/user-1000.slice/session-1.scope/" SCOPE(A_ID),
};

static void knows_its_containers(void **state)
{
	check_all(recorded_need(state), NULL, rows, ARRAY_SIZE(rows));
}

static void knows_what_it_did_not_make(void **state)
{
	check_nobodys(recorded_need(state), NULL, nobodys, ARRAY_SIZE(nobodys));
}

/* storage.conf and crio.conf, which goes before it. */
static void follows_its_configuration(void **state)
{
	static const struct whose moved = { SURE SCOPE(A_ID), "crio", K8S "web-0/app", "app", IMAGE,
					    "web-0",	      "shop" };
	struct recorded *r;

	need_root();
	r = recorded_new();
	recorded_file(r, "/etc/containers/storage.conf",
		      "[storage]\nrunroot = \"/run/c\"\ndriver = \"vfs\"\n");
	recorded_bundle(r, "/run/c/vfs-containers/" A_ID "/userdata", SD("", A_ID), "/bin/app",
			NAMED("app", "web-0", SANDBOX));
	check_whose(r, NULL, &moved);
	recorded_file(r, "/etc/crio/crio.conf", "[crio]\nrunroot = \"/run/other\"\n");
	check_whose(r, NULL,
		    &(struct whose){ SURE SCOPE(A_ID), "crio", "kubernetes/id:aaaa0001aaaa",
				     .refused = true });
	recorded_bundle(r, "/run/other/vfs-containers/" A_ID "/userdata", SD("", A_ID), "/bin/app",
			NAMED("app", "web-0", SANDBOX));
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
