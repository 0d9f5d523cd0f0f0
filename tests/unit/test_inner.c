/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/inner.h"

#include "recorded.h"

#define DEEP(n) "/a/a/a/a/a/a/a/a" n

static const struct {
	const char *rest, *label;
} rows[] = {
	{ "", NULL },
	{ "/", NULL },
	{ "/init.scope", NULL },
	{ "/system.slice/ssh.service", NULL },
	{ "/docker/" A_ID, "docker/aaaa0001aaaa" },
	{ "/container/docker/" A_ID, "docker/aaaa0001aaaa" },
	{ "/system.slice/docker-" A_ID ".scope/x", "docker/aaaa0001aaaa" },
	/* The outermost, and no monitor. */
	{ "/docker/" A_ID "/docker/" B_ID, "docker/aaaa0001aaaa" },
	{ "/machine.slice/libpod-conmon-" A_ID ".scope", NULL },
	{ "/machine.slice/libpod-" A_ID ".scope/container", "podman/aaaa0001aaaa" },
	{ "/libpod_parent/libpod-" A_ID, "podman/aaaa0001aaaa" },
	{ "/w.service/libpod-payload-" A_ID, "podman/aaaa0001aaaa" },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-" A_ID
	  ".scope",
	  "kubernetes/aaaa0001aaaa" },
	{ "/kubepods/burstable/pod1/" A_ID, "kubernetes/aaaa0001aaaa" },
	{ "/kubepods/burstable/pod1/crio-" A_ID, "crio/aaaa0001aaaa" },
	{ "/system.slice/nerdctl-" A_ID ".scope", "containerd/aaaa0001aaaa" },
	{ "/default/t1", NULL }, /* no shape of its own */
	{ "/lxc.payload.web/init.scope", "lxc/web" },
	{ "/container/lxc.monitor.web", NULL },
	{ "/machine.slice/machine-my\\x2dbox.scope/payload", "nspawn/my\\x2dbox" },
	{ "/system.slice/runc-c1.scope", "oci/c1" },
	{ "/lxc.payload.a\nb c\x1b[m/x", "lxc/a%0Ab%20c%1B%5Bm" },
	{ "/lxc.payload.~0", "lxc/%7E0" },
	{ "/runc-...scope", "oci/%2E%2E" },
	{ DEEP(DEEP(DEEP("/docker-" A_ID ".scope"))), "docker/aaaa0001aaaa" },
	{ DEEP(DEEP(DEEP(DEEP("/docker-" A_ID ".scope")))), NULL },
};

static void labels_by_shape(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *label = NULL;

		assert_int_equal(inner_label(rows[i].rest, &label), 0);
		same_text(rows[i].rest, "label", label, rows[i].label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(labels_by_shape) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
