/* SPDX-License-Identifier: Apache-2.0 */
/* Every file that is read to know a container, replaced by what it should not be: as if it weren't
 * there, at once; with contents that nobody should write: a safe key, or none. */
#include <pthread.h>

#include "identity/key.h"
#include "recorded.h"
#include "unit/skip.h"

#define STORE "/var/lib/containers/storage/"
#define USERS "/home/u/.local/share/containers/storage/"
#define SHIM  "/run/containerd/io.containerd.runtime.v2.task/"
#define POD   "/kubepods/pod7a172e54-1111-2222-3333-444455556666/"

#define PODMAN "/machine.slice/libpod-" A_ID ".scope"
#define MINE   USER_AT "/user.slice/libpod-" A_ID ".scope"
#define DOCKER "/system.slice/docker-" A_ID ".scope"

static const struct {
	const char *path, *file;
	uid_t owner;
} files[] = {
	{ PODMAN, STORE "overlay-containers/" A_ID "/userdata/config.json", 0 },
	{ PODMAN, STORE "overlay-containers/containers.json", 0 },
	{ PODMAN, STORE "overlay-containers/volatile-containers.json", 0 },
	{ PODMAN, STORE "overlay-images/images.json", 0 },
	{ PODMAN, "/etc/containers/storage.conf", 0 },
	{ MINE, USERS "overlay-containers/" A_ID "/userdata/config.json", USER },
	{ MINE, USERS "overlay-containers/containers.json", USER },
	{ MINE, USERS "overlay-images/images.json", USER },
	{ MINE, "/home/u/.config/containers/storage.conf", USER },
	{ DOCKER, "/var/lib/docker/containers/" A_ID "/config.v2.json", 0 },
	{ DOCKER, "/var/lib/docker/containers/" A_ID "/hostconfig.json", 0 },
	{ DOCKER, "/etc/docker/daemon.json", 0 },
	{ DOCKER, SHIM "moby/" A_ID "/config.json", 0 },
	{ DOCKER, SHIM "moby/" A_ID "/shim-binary-path", 0 },
	{ DOCKER, "/etc/containerd/config.toml", 0 },
	{ "/default/t1", SHIM "default/t1/config.json", 0 },
	{ POD A_ID, SHIM "k8s.io/" A_ID "/config.json", 0 },
	{ POD "crio-" A_ID, STORE "overlay-containers/" A_ID "/userdata/config.json", 0 },
	{ POD "crio-" A_ID, "/etc/crio/crio.conf", 0 },
	{ "/kubepods/pod0123456789abcdef0123456789abcdef/" A_ID, "/etc/hostname", 0 },
	{ "/c1", "/run/runc/c1/state.json", 0 },
	{ "/c1", "/run/crun/c1/status", 0 },
	{ "/lxc.payload.c1-1", "/var/lib/lxc/c1/config", 0 },
	{ "/system.slice/a.service", "/etc/systemd/system/a.service", 0 },
	{ USER_AT "/app.slice/a.service", "/home/u/.config/systemd/user/a.service", USER },
	{ "/system.slice/a@1-2-3.service", "/etc/systemd/system/a.socket", 0 },
	{ MINE, "/etc/passwd", 0 },
};

#define TEXTS 12

/* A text that asks much of whoever reads it; caller frees. */
static char *make_text(size_t which, size_t *ret_len)
{
	static const char *const units[] = {
		"[",
		"{\"a\":",
		"[[],",
		"\"\\",
		"{\"id\":\"" A_ID "\",",
		"\xff\xfe",
		"\xed\xa0\x80",
		"\x1b[31m\n",
		"../",
		"\"annotations\":{",
		"= \"",
		"\n[storage]\ngraphroot=\"/../..\"",
	};
	const char *unit = units[which % TEXTS];
	size_t len = strlen(unit), room = 200000, at;
	char *text = malloc(room + 1);

	assert_non_null(text);
	for (at = 0; at < room; at++)
		text[at] = unit[at % len];
	text[room] = '\0';
	*ret_len = room;
	return text;
}

static const char *full(const struct recorded *r, const char *path)
{
	static char file[512];

	assert_in_range(snprintf(file, sizeof(file), "%s%s", r->dir, path), 1, sizeof(file) - 1);
	return file;
}

static void write_bytes(const struct recorded *r, size_t n, const char *data, size_t len)
{
	int fd = open(full(r, files[n].file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchown(fd, files[n].owner, files[n].owner), 0);
	close(fd);
}

static void check_key(const char *path, const struct identity *i)
{
	const char *s;

	assert_true(i->key[0] != '/' && strlen(i->key) < KEY_MAX && strlen(i->owner) < KEY_MAX);
	for (s = i->key; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			fail_msg("%s: %s", path, i->key);
	assert_null(strstr(i->key, "/../"));
	assert_null(strstr(i->key, "//"));
	assert_true(!i->name || strlen(i->name) < IDENTITY_TEXT_MAX);
}

/* The key, "" for none. */
static void ask(const struct recorded *r, size_t n, char ret[KEY_MAX])
{
	static const char *const all[] = { "*", NULL };
	struct identity_options o = { .root = r->dir, .watch = all };
	struct identity i = IDENTITY_INIT;

	*ret = '\0';
	if (identity_of_path(&o, files[n].path, &i) == 0) {
		check_key(files[n].path, &i);
		strcpy(ret, i.key);
	}
	identity_done(&i);
}

static struct recorded *begin(size_t n)
{
	struct recorded *r = recorded_new();

	if (strcmp(files[n].file, "/etc/passwd") != 0)
		recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
	r->owner = files[n].owner;
	recorded_mkdirs(r, files[n].file);
	return r;
}

static void survives_any_text(void **state)
{
	char key[KEY_MAX];
	size_t n, which;

	need_root();
	for (n = 0; n < ARRAY_SIZE(files); n++) {
		struct recorded *r = begin(n);

		for (which = 0; which < TEXTS; which++) {
			size_t len;
			char *text = make_text(which, &len);

			write_bytes(r, n, text, len);
			ask(r, n, key);
			memset(text + len / 3, '\0', 100);
			write_bytes(r, n, text, len);
			ask(r, n, key);
			free(text);
		}
		recorded_free(r);
	}
}

static void make_fifo(const char *file)
{
	assert_int_equal(mkfifo(file, 0644), 0);
}

static void make_zero(const char *file)
{
	assert_int_equal(mknod(file, S_IFCHR | 0644, 1 << 8 | 5), 0);
}

static void make_link(const char *file)
{
	assert_int_equal(symlink("/etc/passwd", file), 0);
}

static void make_loop(const char *file)
{
	assert_int_equal(symlink("config.json", file), 0);
}

static void make_huge(const char *file)
{
	assert_int_equal(mknod(file, S_IFREG | 0644, 0), 0);
	assert_int_equal(truncate(file, 100 << 20), 0);
}

static void make_strange(const char *file)
{
	assert_int_equal(mknod(file, S_IFREG | 0644, 0), 0);
	assert_int_equal(chown(file, 4242, 4242), 0);
}

static void is_as_if_it_were_not_there(void **state)
{
	static void (*const kinds[])(const char *file) = { make_fifo, make_zero, make_link,
							   make_loop, make_huge, make_strange };
	char without[KEY_MAX], with[KEY_MAX];
	size_t n, kind;

	need_root();
	for (n = 0; n < ARRAY_SIZE(files); n++) {
		struct recorded *r = begin(n);

		ask(r, n, without);
		for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			kinds[kind](full(r, files[n].file));
			if (kinds[kind] != make_strange && files[n].owner)
				(void)lchown(full(r, files[n].file), USER, USER);
			ask(r, n, with);
			same_text(files[n].file, "key", with, without);
			assert_int_equal(unlink(full(r, files[n].file)), 0);
		}
		recorded_free(r);
	}
}

/* --- a file that changes while it is read ------------------------------------------------- */

#define NAMED(name) "[{\"id\":\"" A_ID "\",\"names\":[\"" name "\"]}]"

static const char *const versions[] = { NAMED("one"), NAMED("another-name"), "[" };

struct writer {
	const struct recorded *r;
	bool stop;
};

static void *rewrite(void *arg)
{
	struct writer *w = arg;
	size_t i;

	for (i = 0; !__atomic_load_n(&w->stop, __ATOMIC_RELAXED); i++) {
		const char *text = versions[i % ARRAY_SIZE(versions)];
		char file[512];
		int fd;

		snprintf(file, sizeof(file), "%s%s", w->r->dir, files[1].file);
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
	return NULL;
}

static void reads_one_version_or_none(void **state)
{
	static const char *const keys[] = { "podman/one", "podman/another-name",
					    "podman/id:aaaa0001aaaa" };
	struct writer w = { 0 };
	struct recorded *r;
	pthread_t thread;
	size_t i, k;

	need_root();
	w.r = r = begin(1);
	write_bytes(r, 1, versions[0], strlen(versions[0]));
	assert_int_equal(pthread_create(&thread, NULL, rewrite, &w), 0);
	for (i = 0; i < 2000; i++) {
		char key[KEY_MAX];

		ask(r, 1, key);
		for (k = 0; k < ARRAY_SIZE(keys) && strcmp(keys[k], key) != 0; k++)
			;
		if (k == ARRAY_SIZE(keys))
			fail_msg("%s", key);
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	recorded_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_any_text),
		cmocka_unit_test(is_as_if_it_were_not_there),
		cmocka_unit_test(reads_one_version_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
