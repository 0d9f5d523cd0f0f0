/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/kube.h"

#include "recorded.h"
#include "unit/skip.h"

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

static const struct {
	const char *path;
	bool is_static;
} files[] = {
	{ "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/x", true },
	{ "/kubepods.slice/kubepods-pod0123456789abcdef0123456789abcdef.slice/x", true },
	{ "/kubepods/pod7a172e54-1111-2222-3333-444455556666/x", false },
	{ "/kubepods.slice/kubepods-pod7a172e54_1111_2222_3333_444455556666.slice/x", false },
	{ "/kubepods/pod0123456789abcdef0123456789abcdef0/x", false },
	{ "/kubepods/pod/x", false },
	{ "/given/pod0123456789abcdef0123456789abcdef/x", false },
};

static struct place last_of(const char *path)
{
	struct place p, last = { 0 };

	assert_int_equal(place_begin(&p, path), 0);
	while (place_next(&p))
		last = p;
	return last;
}

static void knows_pods_of_files(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct place p = last_of(files[i].path);

		if (kube_is_static(&p) != files[i].is_static)
			fail_msg("%s", files[i].path);
	}
}

static void knows_its_node(void **state)
{
	struct recorded *r;
	char *host;

	need_root();
	r = recorded_new();
	assert_null(kube_host(r->dir));
	recorded_file(r, "/etc/hostname", "Node-1.Example\nrest\n");
	host = kube_host(r->dir);
	assert_string_equal(host, "node-1.example");
	free(host);
	recorded_file(r, "/etc/hostname", "%1000d", 1);
	assert_null(kube_host(r->dir));
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_log_links),
		cmocka_unit_test(knows_pods),
		cmocka_unit_test(knows_pods_of_files),
		cmocka_unit_test(knows_its_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
