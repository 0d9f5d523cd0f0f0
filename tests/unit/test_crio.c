/* SPDX-License-Identifier: Apache-2.0 */
/* CRI-O's bundles, beside podman's: names from its annotations, owners from the sandbox's labels. */
#include "recorded.h"

#define RUN	 "/run/containers/storage/overlay-containers/"
#define LIB	 "/var/lib/containers/storage/overlay-containers/"
#define SANDBOX	 ID("1111cccc")
#define STATIC	 ID("2222cccc")
#define NODE_BOX ID("3333cccc")
#define PODMANS	 ID("4444cccc")
#define LONE	 ID("5555cccc")

#define ANN(field, value) "\"io.kubernetes." field "\":\"" value "\""
#define CRIO		  "\"io.container.manager\":\"cri-o\","
#define NAMED(container, pod, box)                                                                 \
	CRIO ANN("container.name", container) "," ANN("pod.name", pod) "," ANN(                    \
		"pod.namespace",                                                                   \
		"shop") "," ANN("cri-o.ContainerType",                                             \
				"container") "," ANN("cri-o.ImageName",                            \
						     "reg/app:1") "," ANN("cri-o.ImageRef",        \
									  "cafe") "," ANN("cri-o." \
											  "Sandbo" \
											  "xID",   \
											  box)

#define UID_	   "7a172e54_1111_2222_3333_444455556666"
#define BOX(slice) slice ".slice/" slice "-pod" UID_ ".slice/"
#define BURSTABLE  "/kubepods.slice/" BOX("kubepods-burstable")
#define SURE	   "/kubepods.slice/kubepods-pod" UID_ ".slice/"
#define CGROUPFS   "/kubepods/besteffort/pod7a172e54-1111-2222-3333-444455556666/"
#define PODNAME	   "web-7d4b9c6f5d-x2vqz"

static int setup(void **state)
{
	struct recorded *r;

	if (geteuid() != 0)
		return 0;
	r = recorded_new();
	recorded_bundle(r, RUN A_ID "/userdata", "kubepods-burstable-pod" UID_ ".slice:crio:" A_ID,
			"/bin/app", NAMED("app", PODNAME, SANDBOX));
	recorded_bundle(r, LIB B_ID "/userdata", CGROUPFS "crio-" B_ID, "/bin/app",
			NAMED("side", PODNAME, SANDBOX));
	recorded_bundle(
		r, RUN SANDBOX "/userdata", "kubepods-pod" UID_ ".slice:crio:" SANDBOX, "/pause",
		CRIO ANN("pod.name", PODNAME) "," ANN("cri-o.Namespace", "shop") "," ANN(
			"cri-o.ContainerType",
			"sandbox") "," ANN("container.name",
					   "POD") "," ANN("cri-o.Labels",
							  "{\\\"app\\\":\\\"web\\\",\\\"pod-"
							  "template-hash\\\":\\\"7d4b9c6f5d\\\"}"));
	recorded_bundle(r, RUN STATIC "/userdata", "kubepods-pod" UID_ ".slice:crio:" STATIC,
			"/etcd", NAMED("etcd", "etcd-node1", NODE_BOX));
	recorded_bundle(r, RUN NODE_BOX "/userdata", "x", "/pause",
			CRIO ANN("cri-o.Annotations",
				 "{\\\"kubernetes.io/config.source\\\":\\\"file\\\"}"));
	recorded_bundle(r, RUN LONE "/userdata", "kubepods-pod" UID_ ".slice:crio:" LONE,
			"/bin/app", NAMED("app", PODNAME, "../" SANDBOX));
	/* podman run --annotation ...: not CRI-O's word. */
	recorded_bundle(
		r, LIB PODMANS "/userdata", "/libpod_parent/libpod-" PODMANS, "/bin/sh",
		"\"io.container.manager\":\"libpod\"," ANN("container.name", "forged") "," ANN(
			"pod.name", "forged") "," ANN("pod.namespace", "forged"));
	recorded_file(r, "/etc/hostname", "node1\n");
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	if (*state)
		recorded_free(*state);
	return 0;
}

#define IMAGE "reg/app:1", "cafe"

static const struct whose rows[] = {
	{ BURSTABLE "crio-" A_ID ".scope/container", "crio", "kubernetes/shop/web/app", "app",
	  IMAGE, PODNAME, "shop", .inside = "/container" },
	{ CGROUPFS "crio-" B_ID, "crio", "kubernetes/shop/web/side", "side", IMAGE, PODNAME,
	  "shop" },
	{ SURE "crio-" SANDBOX ".scope", "crio", "kubernetes/shop/web/POD", "POD", .pod = PODNAME,
	  .namespace = "shop" },
	{ SURE "crio-" STATIC ".scope", "crio", "kubernetes/shop/etcd/etcd", "etcd", IMAGE,
	  "etcd-node1", "shop" },
	{ SURE "crio-" LONE ".scope", "crio", "kubernetes/shop/" PODNAME "/app", "app", IMAGE,
	  PODNAME, "shop" },
	{ SURE "crio-" PODMANS ".scope", "crio", "kubernetes/id:4444cccc4444", .refused = true },
	{ "/crio/crio-" NO_ID, "crio", "kubernetes/id:0123fedc0123", .refused = true },
	{ SURE "crio-conmon-" A_ID ".scope" },
	{ SURE "crio-" A_ID ".scope" },
	{ "/give/crio-" A_ID },
	{ "/give/crio-" NO_ID ".scope" },
	{ "/system.slice/a.service/crio-" A_ID ".scope" },
	{ USER_AT "/crio-" A_ID ".scope", "crio", "kubernetes/~1000/id:aaaa0001aaaa",
	  .refused = true },
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
