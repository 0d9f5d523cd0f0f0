/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/key.h"
#include "unit/applied_fixture.h"

/* --- names ------------------------------------------------------------------------------- */

static void names_files(void **state)
{
	static const struct {
		const char *key, *path;
		int r;
	} t[] = {
		{ "podman/web", "applied/podman/web.json", 0 },
		{ "podman/~1000/web", "applied/podman/~1000/web.json", 0 },
		{ "docker/a.b:c@d+e=f,g-h\\x2d%2F#sh",
		  "applied/docker/a.b:c@d+e=f,g-h\\x2d%2F#sh.json", 0 },
		{ "podman/...", "applied/podman/....json", 0 },
		{ "", NULL, -EINVAL },
		{ "/etc/passwd", NULL, -EINVAL },
		{ "podman/", NULL, -EINVAL },
		{ "podman//web", NULL, -EINVAL },
		{ "podman/../../etc/x", NULL, -EINVAL },
		{ "podman/.", NULL, -EINVAL },
		{ "..", NULL, -EINVAL },
		{ "podman/a b", NULL, -EINVAL },
		{ "podman/a\nb", NULL, -EINVAL },
		{ "podman/\xc3\xa9", NULL, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_free_ char *path = NULL;

		if (applied_path(t[i].key, &path) != t[i].r)
			fail_msg("%s", t[i].key);
		assert_same_text(path, t[i].path);
	}
}

static void names_have_an_end(void **state)
{
	char key[KEY_MAX + 8] = "podman/";
	_free_ char *path = NULL;

	memset(key + 7, 'x', 250);
	assert_int_equal(applied_path(key, &path), 0);
	key[7 + 250] = 'x';
	assert_int_equal(applied_path(key, &path), 0 - ENAMETOOLONG);
	for (size_t i = 7; i < sizeof(key) - 1; i++)
		key[i] = i % 2 ? 'x' : '/';
	key[KEY_MAX] = '\0';
	assert_int_equal(applied_path(key, &path), 0 - ENAMETOOLONG);
}

/* --- files ------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

/* In a directory that has "state", and "outside", where nothing may ever be written. */
static int enter(void **state)
{
	char dir[] = "/tmp/tamis-applied-XXXXXX";

	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 && chmod(".", 0755) == 0 &&
			       mkdir("state", 0700) == 0 && mkdir("outside", 0755) == 0
		       ? 0
		       : -1;
}

static int leave(void **state)
{
	_free_ char *dir = getcwd(NULL, 0);

	return dir && chdir("/") == 0 ? nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

static int write_it(const char *at)
{
	_applied_ struct applied a = applied_of(KEY);

	return applied_write(at, &a);
}

static int read_it(const char *at, char **ret_why)
{
	_applied_ struct applied a = { 0 };
	int r = applied_read(at, KEY, &a, ret_why);

	if (r == 0)
		assert_int_equal(a.now.number, 2);
	return r;
}

static void assert_read(int r)
{
	_free_ char *why = NULL;
	int is = read_it("state", &why);

	if (is != r)
		fail_msg("%d: %s", is, why);
	assert_true((r == 0 || r == -ENOENT) == !why);
}

static void writes_and_reads(void **state)
{
	_applied_ struct applied full = fullest(), back = { 0 };
	_free_ char *why = NULL;

	umask(077);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(mode_of("state"), 0711);
	assert_int_equal(mode_of("state/applied"), 0755);
	assert_int_equal(mode_of("state/applied/podman"), 0755);
	assert_int_equal(mode_of("state/applied/podman/web.json"), 0644);
	assert_read(0);
	assert_int_equal(applied_write("state", &full), 0);
	assert_int_equal(applied_read("state", full.key, &back, &why), 0);
	assert_same(&full, &back);
}

static void is_not_there(void **state)
{
	assert_read(-ENOENT);
	assert_int_equal(mkdir("state/applied", 0755), 0);
	assert_read(-ENOENT);
	assert_int_equal(rename("state", "away"), 0);
	assert_read(-ENOENT);
	assert_int_equal(write_it("state"), -ENOENT);
}

static void removes(void **state)
{
	_applied_ struct applied other = applied_of("podman/~1000/web");

	assert_int_equal(applied_remove("state", KEY), 0);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(applied_write("state", &other), 0);
	assert_int_equal(applied_remove("state", KEY), 0);
	assert_read(-ENOENT);
	assert_int_equal(mode_of("state/applied/podman/~1000/web.json"), 0644);
	assert_int_equal(applied_remove("state", other.key), 0);
	/* Nothing is left where nothing is applied. */
	assert_int_equal(access("state/applied", F_OK), -1);
	assert_int_equal(mode_of("state"), 0711);
	assert_int_equal(applied_remove("state", "podman/../../outside"), -EINVAL);
}

static void assert_nothing_outside(void)
{
	assert_int_equal(rmdir("outside"), 0); /* it is empty */
	assert_int_equal(mkdir("outside", 0755), 0);
}

/* A way in for others: nothing is read, nothing is written. */
static void spoils(const char *how)
{
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(system(how), 0);
	assert_read(-EPERM);
	assert_int_equal(write_it("state"), -EPERM);
	assert_int_equal(applied_remove("state", KEY), -EPERM);
	assert_nothing_outside();
	assert_int_equal(system("rm -rf state real; mkdir state"), 0);
}

static void refuses_the_ways_of_others(void **state)
{
	spoils("chmod 1777 state");
	spoils("chmod 0775 state");
	spoils("chown 1000 state");
	spoils("chmod o+w state/applied");
	spoils("chmod g+w state/applied/podman");
	spoils("chown 1000 state/applied/podman");
	spoils("mv state real; ln -s real state; rm -rf outside/*");
	spoils("mv state/applied real; ln -s ../outside state/applied; rm -rf real");
	spoils("rm -rf state/applied/podman; ln -s ../../outside state/applied/podman");
	spoils("rm -rf state/applied/podman; touch state/applied/podman");
}

/* A slash at its end would have a link followed. */
static void refuses_a_link_with_a_slash(void **state)
{
	_free_ char *why = NULL;

	assert_int_equal(write_it("state"), 0);
	assert_int_equal(symlink("state", "link"), 0);
	assert_int_equal(read_it("link//", &why), -EPERM);
	assert_int_equal(write_it("link/"), -EPERM);
	free(why);
	why = NULL;
	assert_int_equal(read_it("state//", &why), 0);
}

/* The file itself: what is put in its place is never read, and replaced by the next write. */
static void spoils_file(const char *how, int r)
{
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(system(how), 0);
	assert_read(r);
	assert_int_equal(write_it("state"), 0);
	assert_read(0);
	assert_int_equal(system("rm -rf state outside; mkdir state outside"), 0);
}

static void refuses_the_files_of_others(void **state)
{
	static const char file[] = "f=state/applied/podman/web.json; ";
	static const struct {
		const char *how;
		int r;
	} t[] = {
		{ "chmod o+w $f", -EPERM },
		{ "chmod g+w $f", -EPERM },
		{ "chown 1000 $f", -EPERM },
		{ "mv $f outside/x; ln -s $PWD/outside/x $f", -EPERM },
		{ "rm $f; ln -s /etc/passwd $f", -EPERM },
		{ "rm $f; ln -s nowhere $f", -EPERM },
		{ "rm $f; mkfifo $f", -EPERM },
		{ ": >$f", -EINVAL },
		{ "head -c 100 $f >x; cat x >$f", -EINVAL },
		{ "yes ' ' | head -c 1048577 >$f", -EINVAL },
		{ "sed -i 's/\"version\": 1/\"version\": 9/' $f", -EPROTO },
		{ "sed -i 's/\"read\"/\"write\"/' $f", -EUCLEAN },
		{ "sed -i 's,podman/web,podman/shop,' $f", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_free_ char *how = text_format("%s%s", file, t[i].how);

		spoils_file(how, t[i].r);
	}
}

/* A link in its place is replaced: what it led to is as it was. */
static void writes_through_no_link(void **state)
{
	_free_ char *text = NULL;

	assert_int_equal(write_it("state"), 0);
	assert_int_equal(system("echo mine >outside/x;"
				"ln -sf $PWD/outside/x state/applied/podman/web.json"),
			 0);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(file_read("outside/x", 100, &text, NULL), 0);
	assert_string_equal(text, "mine\n");
	assert_read(0);
}

/* --- what was there before ----------------------------------------------------------------- */

static void keeps_and_puts_back(void **state)
{
	_applied_ struct applied other = applied_of(KEY), back = { 0 };
	_free_ char *why = NULL;

	assert_int_equal(applied_keep("state", KEY), 0); /* nothing */
	assert_int_equal(applied_back("state", KEY), -ENOENT);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(applied_keep("state", KEY), 0);
	other.trial_s = 9;
	assert_int_equal(applied_write("state", &other), 0);
	assert_int_equal(applied_back("state", KEY), 0);
	assert_int_equal(applied_read("state", KEY, &back, &why), 0);
	assert_int_equal(back.trial_s, 60);
	assert_int_equal(applied_back("state", KEY), -ENOENT);
	/* nothing came in between */
	assert_int_equal(applied_keep("state", KEY), 0);
	assert_int_equal(applied_back("state", KEY), 0);
	assert_int_equal(applied_back("state", KEY), -ENOENT);
	assert_read(0);
}

static void keeps_no_longer(void **state)
{
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(applied_keep("state", KEY), 0);
	assert_int_equal(applied_keep("state", KEY), 0);
	assert_int_equal(applied_remove("state", KEY), 0);
	assert_read(-ENOENT);
	applied_drop("state", KEY);
	assert_int_equal(access("state/applied", F_OK), -1);
	assert_int_equal(applied_back("state", KEY), -ENOENT);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(applied_keep("state", KEY), 0);
	applied_drop("state", KEY);
	assert_int_equal(applied_back("state", KEY), -ENOENT);
	assert_read(0);
	applied_drop("state", KEY);
}

/* A person, or a disk check, took it: that isn't the same as none. */
static void tells_gone_from_none(void **state)
{
	_free_ char *path = NULL, *full = NULL;

	assert_int_equal(applied_path(KEY, &path), 0);
	full = text_format("state/%s", path);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(unlink(full), 0);
	assert_read(-ENODATA);
	assert_int_equal(applied_remove("state", KEY), 0);
	assert_read(-ENOENT);
	assert_int_equal(write_it("state"), 0);
	assert_int_equal(applied_keep("state", KEY), 0);
	assert_int_equal(applied_remove("state", KEY), 0);
	assert_read(-ENOENT);
	assert_int_equal(applied_back("state", KEY), 0);
	assert_read(0);
	assert_int_equal(unlink(full), 0);
	assert_read(-ENODATA);
}

/* --- in a user namespace -------------------------------------------------------------------- */

/* What a rootless engine's hook sees: exit status of reading there, as a negative errno. */
static int read_mapped(const char *map)
{
	int ready[2], go[2], status;
	char path[64], c = 0;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		_free_ char *why = NULL;

		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], &c, 1) != 1 ||
		    read(go[0], &c, 1) != 1)
			_exit(200);
		_exit(-read_it("state", &why));
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	{
		_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

		assert_int_equal(write(fd, map, strlen(map)), strlen(map));
	}
	assert_int_equal(write(go[1], &c, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void reads_as_a_user(void **state)
{
	assert_int_equal(write_it("state"), 0);
	/* root's files are nobody's there, and are believed */
	assert_int_equal(read_mapped("0 1000 1\n"), 0);
	assert_int_equal(read_mapped("0 0 1\n"), 0);
	assert_int_equal(read_mapped("7 0 1\n"), 0);
	/* the user's own are uid 0's there, and are not */
	assert_int_equal(chown("state/applied/podman/web.json", 1000, 1000), 0);
	assert_int_equal(read_mapped("0 1000 1\n"), -EPERM);
	assert_int_equal(read_mapped("0 0 1\n"), -EPERM);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_files),
		cmocka_unit_test(names_have_an_end),
		IN_DIR(writes_and_reads),
		IN_DIR(is_not_there),
		IN_DIR(removes),
		IN_DIR(refuses_the_ways_of_others),
		IN_DIR(refuses_a_link_with_a_slash),
		IN_DIR(refuses_the_files_of_others),
		IN_DIR(writes_through_no_link),
		IN_DIR(keeps_and_puts_back),
		IN_DIR(keeps_no_longer),
		IN_DIR(tells_gone_from_none),
		IN_DIR(reads_as_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
