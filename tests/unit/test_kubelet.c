/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/kubelet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "filters.h"

#define KEY   "kubernetes/shop/web/app"
#define FILE_ "/shop/web/app.json"

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/tamis-kubelet.XXXXXX");

	assert_non_null(mkdtemp(dir));
	umask(077);
	*state = dir;
	return 0;
}

static int remove_dir(void **state)
{
	_free_ char *dir = *state, *command = text_format("rm -rf '%s'", dir);

	assert_int_equal(system(command), 0);
	return 0;
}

static char *path_of(const char *dir, const char *rest)
{
	char *path = text_format("%s%s", dir, rest);

	assert_non_null(path);
	return path;
}

/* The file as a runtime reads it. */
static struct filter *filter_of(const char *dir)
{
	_free_ char *path = path_of(dir, FILE_), *why = NULL;
	struct filter *f = NULL;
	unsigned unknown = 0;

	if (oci_read(path, NULL, &f, &unknown, &why) < 0)
		fail_msg("%s", why);
	filter_sort(f);
	return f;
}

static enum filter_action action_of(const struct filter *f, const char *name, uint64_t first)
{
	const uint64_t args[FILTER_ARGS] = { first };
	int nr = calls_number(abi_native(), name);

	assert_true(nr >= 0);
	return filter_verdict(f, abi_native(), (uint32_t)nr, args).action;
}

static struct generation generation_of(const char *name)
{
	struct generation g = { .number = 1 };

	sysset_add(&g.learned.set[TAMIS_WORKLOAD][abi_native()],
		   (unsigned)calls_number(abi_native(), name));
	return g;
}

static void holds_the_place(void **state)
{
	_free_ char *path = path_of(*state, FILE_), *why = NULL;
	_cleanup_(filter_free) struct filter *f = NULL;
	struct stat st;

	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	f = filter_of(*state);
	assert_int_equal(action_of(f, "sendto", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "execve", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "clone", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "clone", 0x10000000), FILTER_ERRNO);
	assert_int_equal(action_of(f, "bpf", 0), FILTER_ERRNO);
	assert_int_equal(action_of(f, "mount", 0), FILTER_ERRNO);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void readable_for_who_reads_it(void **state)
{
	_free_ char *owner = path_of(*state, "/shop/web"), *namespace = path_of(*state, "/shop");
	_free_ char *why = NULL;
	struct stat st;

	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	assert_int_equal(stat(owner, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(namespace, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void applies_and_releases(void **state)
{
	struct generation g = generation_of("sendto");
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	_cleanup_(filter_free) struct filter *f = NULL, *after = NULL;
	_free_ char *why = NULL;

	sysset_add(&gate[abi_native()], (unsigned)calls_number(abi_native(), "capset"));
	assert_int_equal(kubelet_put(*state, KEY, &g, gate, &why), 0);
	f = filter_of(*state);
	assert_int_equal(action_of(f, "sendto", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "capset", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "exit_group", 0), FILTER_ALLOW);
	assert_int_equal(action_of(f, "connect", 0), FILTER_ERRNO);
	assert_int_equal(kubelet_release(*state, KEY, &why), 0);
	after = filter_of(*state);
	assert_int_equal(action_of(after, "connect", 0), FILTER_ALLOW);
}

static void a_placeholder_replaces_nothing(void **state)
{
	struct generation g = generation_of("sendto");
	_cleanup_(filter_free) struct filter *f = NULL;
	_free_ char *why = NULL;

	assert_int_equal(kubelet_put(*state, KEY, &g, NULL, &why), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	f = filter_of(*state);
	assert_int_equal(action_of(f, "connect", 0), FILTER_ERRNO);
}

/* An empty file would keep a pod from starting. */
static void an_empty_file_is_no_profile(void **state)
{
	_free_ char *path = path_of(*state, FILE_), *why = NULL;
	_cleanup_(filter_free) struct filter *f = NULL;

	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	f = filter_of(*state);
	assert_int_equal(action_of(f, "connect", 0), FILTER_ALLOW);
}

static void makes_the_directory(void **state)
{
	_free_ char *dir = path_of(*state, "/seccomp/tamis"), *why = NULL;

	assert_int_equal(kubelet_placeholder(dir, KEY, &why), 0);
	filter_free(filter_of(dir));
}

/* Whoever has the file open reads all of the old one. */
static void is_never_seen_half(void **state)
{
	struct generation g = generation_of("sendto");
	_free_ char *path = path_of(*state, FILE_), *why = NULL, *text = NULL;
	_close_ int fd = -1;

	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(kubelet_put(*state, KEY, &g, NULL, &why), 0);
	assert_int_equal(file_read_fd(fd, 1 << 20, &text, NULL), 0);
	assert_non_null(strstr(text, "\"connect\""));
}

static const char *const bad_keys[] = {
	"podman/web",
	"kubernetes",
	"kubernetes/",
	"kubernetes/shop/web",
	"kubernetes/shop/web/app/more",
	"kubernetes/shop//app",
	"kubernetes//web/app",
	"kubernetes/shop/web/",
	"kubernetes/shop/../app",
	"kubernetes/../../app",
	"kubernetes/shop/web/..",
	"kubernetes/shop/web/.app",
	"kubernetes/shop/-web/app",
	"kubernetes/shop/web/a%2Fb",
	"kubernetes/shop/web/a\nb",
	"kubernetes/~1000/web/app",
	"kubernetes/shop/image#entry/app",
};

static void refuses_what_is_no_pods(void **state)
{
	_free_ char *longest = text_format("kubernetes/shop/web/%0254d", 1);
	_free_ char *command = text_format("test -z \"$(ls -A '%s')\"", (char *)*state);
	_free_ char *why = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++) {
		if (kubelet_placeholder(*state, bad_keys[i], &why) != -EINVAL)
			fail_msg("%s", bad_keys[i]);
		assert_non_null(why);
		free(TAKE_PTR(why));
	}
	assert_int_equal(kubelet_placeholder(*state, longest, &why), -EINVAL);
	assert_int_equal(system(command), 0);
}

static void follows_no_link(void **state)
{
	_free_ char *link = path_of(*state, "/shop"), *other = path_of(*state, "/other");
	_free_ char *made = path_of(*state, "/other/web"), *why = NULL;

	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(symlink("other", link), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), -ENOTDIR);
	assert_non_null(strstr(why, "a link"));
	assert_int_equal(access(made, F_OK), -1);
}

static void a_link_in_its_place_is_replaced(void **state)
{
	_free_ char *path = path_of(*state, FILE_), *victim = path_of(*state, "/victim");
	_free_ char *why = NULL, *text = NULL;

	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_write_atomic(victim, "x", 1, 0600), 0);
	assert_int_equal(symlink("../../victim", path), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), 0);
	assert_int_equal(file_read(victim, 10, &text, NULL), 0);
	assert_string_equal(text, "x");
	filter_free(filter_of(*state));
}

static void wants_directories_of_root_alone(void **state)
{
	_free_ char *namespace = path_of(*state, "/shop"), *path = path_of(*state, FILE_);
	_free_ char *why = NULL;

	assert_int_equal(mkdir(namespace, 0755), 0);
	assert_int_equal(chown(namespace, 12345, 0), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), -EPERM);
	free(TAKE_PTR(why));
	assert_int_equal(chown(namespace, 0, 0), 0);
	assert_int_equal(chmod(*state, 0777), 0);
	assert_int_equal(kubelet_placeholder(*state, KEY, &why), -EPERM);
	assert_non_null(why);
	assert_int_equal(access(path, F_OK), -1);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(holds_the_place),
		IN_DIR(readable_for_who_reads_it),
		IN_DIR(applies_and_releases),
		IN_DIR(a_placeholder_replaces_nothing),
		IN_DIR(an_empty_file_is_no_profile),
		IN_DIR(makes_the_directory),
		IN_DIR(is_never_seen_half),
		IN_DIR(refuses_what_is_no_pods),
		IN_DIR(follows_no_link),
		IN_DIR(a_link_in_its_place_is_replaced),
		IN_DIR(wants_directories_of_root_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
