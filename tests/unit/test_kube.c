/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/kube.h"

#include "recorded.h"

#define HASH "7d4b9c6f5d"

static const struct {
	const char *pod, *labels, *annotations, *owner;
} owners[] = {
	{ "web-" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "web" },
	{ "web-" HASH "-x2vqz", "{}", "", "web-" HASH "-x2vqz" }, /* looks like it: no evidence */
	{ "web-" HASH "-x2vqz", "", "", "web-" HASH "-x2vqz" },
	{ "web-" HASH "-x2vqz", "{\"pod-template-hash\":\"0000000000\"}", "",
	  "web-" HASH "-x2vqz" },
	{ "web-" HASH "-abcde", "{\"pod-template-hash\":\"" HASH "\"}", "", "web-" HASH "-abcde" },
	{ "web" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "web" HASH "-x2vqz" },
	{ "-" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "-" HASH "-x2vqz" },
	{ "db-0", "{\"statefulset.kubernetes.io/pod-name\":\"db-0\"}", "", "db" },
	{ "db-0", "{\"statefulset.kubernetes.io/pod-name\":\"db-1\"}", "", "db-0" },
	{ "db-0", "{\"controller-revision-hash\":\"db-abc\"}", "", "db-0" },
	{ "agent-x2vqz", "{\"controller-revision-hash\":\"5b\",\"pod-template-generation\":\"1\"}",
	  "", "agent" },
	{ "agent-x2vqz", "{\"controller-revision-hash\":\"5b\"}", "", "agent-x2vqz" },
	{ "backup-x2vqz", "{\"job-name\":\"backup\"}", "", "backup" },
	{ "backup-3-x2vqz", "{\"batch.kubernetes.io/job-name\":\"backup\"}", "", "backup" },
	{ "backups-x2vqz", "{\"job-name\":\"backup\"}", "", "backups-x2vqz" },
	{ "etcd-node1", "", "{\"kubernetes.io/config.source\":\"file\"}", "etcd" },
	{ "etcd-node2", "", "{\"kubernetes.io/config.source\":\"file\"}", "etcd-node2" },
	{ "etcd-node1", "", "{\"kubernetes.io/config.source\":\"api\"}", "etcd-node1" },
	{ "a", "{\"pod-template-hash\":\"" HASH "\"}", "", "a" },
	{ "", "{\"pod-template-hash\":\"\",\"job-name\":\"\"}", "", "" },
	{ "x-bcdfg", "not json", "[]", "x-bcdfg" },
};

static struct slice as_slice(const char *text)
{
	return (struct slice){ *text ? text : NULL, strlen(text) };
}

static void drops_suffixes_on_evidence(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		_free_ char *owner = kube_owner(owners[i].pod, as_slice(owners[i].labels),
						as_slice(owners[i].annotations), "node1");

		same_text(owners[i].pod, "owner", owner, owners[i].owner);
	}
}

static const struct {
	const char *link, *pod, *namespace, *container;
} links[] = {
	{ "web-1_shop_app-" A_ID ".log", "web-1", "shop", "app" },
	{ "web_shop_my-app-" A_ID ".log", "web", "shop", "my-app" },
	{ "web_shop_app-aaaa0001aaaa0001.log", "web", "shop", "app" }, /* cut to fit */
	{ "web_shop_app-aaaa0001.log", NULL, NULL, NULL },
	{ "web_shop_app-" B_ID ".log", NULL, NULL, NULL },
	{ "web_shop_app-" A_ID "00.log", NULL, NULL, NULL },
	{ "web_shop_app-" A_ID, NULL, NULL, NULL },
	{ "web_shop_app-" A_ID ".txt", NULL, NULL, NULL },
	{ "web_shop-" A_ID ".log", NULL, NULL, NULL },
	{ "a_b_c_d-" A_ID ".log", NULL, NULL, NULL },
	{ "a_b_-" A_ID ".log", NULL, NULL, NULL },
	{ "a-b-" A_ID ".l_o_g", NULL, NULL, NULL },
	{ "-.log", NULL, NULL, NULL },
	{ ".log", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
};

static void reads_log_links(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(links); i++) {
		_free_ char *pod = NULL, *namespace = NULL, *container = NULL;

		assert_int_equal(
			kube_parse_log_link(links[i].link, A_ID, &pod, &namespace, &container),
			links[i].pod ? 0 : -ENOENT);
		same_text(links[i].link, "pod", pod, links[i].pod);
		same_text(links[i].link, "namespace", namespace, links[i].namespace);
		same_text(links[i].link, "container", container, links[i].container);
	}
}

static const struct {
	const char *path;
	bool in_pod;
} pods[] = {
	{ "/kubepods.slice/kubepods-pod1_2.slice/x", true },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/x", true },
	{ "/kubepods/besteffort/pod1-2/x", true },
	{ "/kubepods/pod1/x", true },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/x", true },
	{ "/kubepods/pod1", false },
	{ "/kubepods/pod1/x/y", false },
	{ "/kubepods/burstable/x", false },
	{ "/machine.slice/kubepods-pod1.slice/x", false },
	{ "/pod1/x", false },
};

static void knows_pods(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pods); i++) {
		struct place p, last = { 0 };

		assert_int_equal(place_begin(&p, pods[i].path), 0);
		while (place_next(&p))
			last = p;
		if (kube_in_pod(&last) != pods[i].in_pod)
			fail_msg("%s", pods[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_suffixes_on_evidence),
		cmocka_unit_test(reads_log_links),
		cmocka_unit_test(knows_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
