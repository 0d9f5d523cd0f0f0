/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/shim.h"

#include "recorded.h"

#define V2 "/io.containerd.runtime.v2.task/"

static const struct {
	const char *runtime;
	bool vm;
} runtimes[] = {
	{ "io.containerd.kata.v2", true },
	{ "kata-qemu", true },
	{ "/usr/local/bin/containerd-shim-runsc-v1", true },
	{ "gvisor", true },
	{ "krun", true },
	{ "io.containerd.runc.v2", false },
	{ "/usr/bin/crun", false },
	{ "", false },
};

static void knows_other_kernels(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (shim_is_vm(runtimes[i].runtime) != runtimes[i].vm)
			fail_msg("%s", runtimes[i].runtime);
}

static void record(struct recorded *r)
{
	recorded_bundle(r, "/run/containerd" V2 "default/a", "/default/a", "/bin/a", "");
	recorded_bundle(r, "/run/k0s/containerd" V2 "k8s.io/b", "/b", "/bin/b", "");
	recorded_bundle(r, "/var/snap/microk8s/common/run/containerd" V2 "k8s.io/c", "/c", "/c",
			"");
	recorded_bundle(r, "/moved" V2 "default/a", "/moved/a", "/bin/a", "");
	recorded_file(r, "/run/runsc/a_sandbox:a.state", "{}");
	recorded_file(r, "/run/runsc/b.state", "{}");
	r->owner = USER;
	recorded_bundle(r, "/run/user/1000/containerd" V2 "default/u", "/u", "/bin/u", "");
	recorded_file(r, "/run/user/1000/runsc/u_sandbox:u.state", "{}");
	recorded_bundle(r, "/run/containerd" V2 "default/forged", "/f", "/bin/f", "");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static const struct {
	uid_t uid;
	const char *namespace, *id, *found; /* the namespace, NULL: there is none */
} bundles[] = {
	{ 0, "default", "a", "default" }, { 0, NULL, "a", "default" },
	{ 0, "k8s.io", "b", "k8s.io" },	  { 0, NULL, "c", "k8s.io" },
	{ 0, "k8s.io", "a", NULL },	  { 0, NULL, "forged", NULL },
	{ 0, NULL, "u", NULL },		  { USER, "default", "u", "default" },
	{ USER, NULL, "a", NULL },	  { 0, "..", "default", NULL },
	{ 0, "default", "../a", NULL },	  { 0, "default", "..", NULL },
};

static void finds_bundles(void **state)
{
	const struct recorded *r = recorded_need(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bundles); i++) {
		_bundle_ struct bundle b = BUNDLE_INIT;
		_free_ char *namespace = NULL;
		bool vm = false;
		int e = shim_read(r->dir, bundles[i].uid, bundles[i].namespace, bundles[i].id, &b,
				  &vm, &namespace);

		same_text(bundles[i].id, "namespace", namespace, bundles[i].found);
		assert_int_equal(e, bundles[i].found ? 0 : -ENOENT);
		assert_int_equal(b.text != NULL, bundles[i].found != NULL);
	}
}

static void goes_where_it_was_moved(void **state)
{
	struct recorded *r = recorded_need(state);
	_bundle_ struct bundle b = BUNDLE_INIT;
	bool vm = false;

	recorded_file(r, "/etc/containerd/config.toml", "state = '/moved'\n");
	assert_int_equal(shim_read(r->dir, 0, "default", "a", &b, &vm, NULL), 0);
	assert_non_null(strstr(b.text, "/moved/a"));
}

static void finds_gvisors(void **state)
{
	const struct recorded *r = recorded_need(state);

	assert_true(shim_is_gvisor(r->dir, 0, "a"));
	assert_false(shim_is_gvisor(r->dir, 0, "b"));
	assert_false(shim_is_gvisor(r->dir, 0, "u"));
	assert_true(shim_is_gvisor(r->dir, USER, "u"));
	assert_false(shim_is_gvisor(r->dir, 1001, "u"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_other_kernels),
		cmocka_unit_test(finds_bundles),
		cmocka_unit_test(goes_where_it_was_moved),
		cmocka_unit_test(finds_gvisors),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
