/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every engine: outermost first, nobody speaks for another, hostile files. */
#include <limits.h>

#include "recorded.h"
#include "unit/less.h"

#define STORE	    "/var/lib/containers/storage"
#define PATH	    "/machine.slice/libpod-" A_ID ".scope"
#define USERS	    USER_AT "/user.slice/libpod-" A_ID ".scope"
#define NAMED(name) "[{\"id\":\"" A_ID "\",\"names\":[\"" name "\"]}]"
#define BY_ID	    "podman/id:aaaa0001aaaa"

static const struct whose unknown = { PATH, "podman", BY_ID, .refused = true };

static void record(struct recorded *r)
{
	recorded_file(r, "/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n");
}

static int setup(void **state)
{
	return recorded_setup(state, record);
}

static void full(const struct recorded *r, const char *path, char ret[512])
{
	assert_in_range(snprintf(ret, 512, "%s%s", r->dir, path), 1, 511);
}

static void containers(struct recorded *r, const char *text)
{
	recorded_file(r, STORE "/overlay-containers/containers.json", "%s", text);
}

static void forget(const struct recorded *r, const char *path)
{
	char file[512];

	full(r, path, file);
	assert_int_equal(unlink(file), 0);
}

/* --- whose it is -------------------------------------------------------------------------- */

#define DOCKER(id) "/system.slice/docker-" id ".scope"

static void the_outermost_owns(void **state)
{
	static const char *const all[] = { "*", NULL };
	static const struct whose rows[] = {
		{ DOCKER(B_ID) PATH, "docker", "docker/id:bbbb0002bbbb", .refused = true,
		  .inside = PATH, .inner = "podman/aaaa0001aaaa" },
		{ PATH DOCKER(B_ID), "podman", BY_ID, .refused = true, .inside = DOCKER(B_ID),
		  .inner = "docker/bbbb0002bbbb" },
		{ "/lxc.payload.a/docker/" B_ID, "lxc", "lxc/a", "a", .inside = "/docker/" B_ID,
		  .inner = "docker/bbbb0002bbbb" },
		{ "/lxc.payload.a/lxc.monitor.b", "lxc", "lxc/a", "a", .inside = "/lxc.monitor.b" },
		{ "/system.slice/a.service" PATH, "systemd", "systemd/a.service", "a.service",
		  .inside = PATH, .inner = "podman/aaaa0001aaaa" },
		/* A watched directory isn't a unit: the containers in it are their own. */
		{ "/docker/" B_ID, "docker", "docker/id:bbbb0002bbbb", .refused = true },
		{ "/docker/buildkit/x", "cgroup", "cgroup/docker", "/docker",
		  .inside = "/buildkit/x" },
	};

	check_all(recorded_need(state), all, rows, ARRAY_SIZE(rows));
}

static void plain_cgroups_are_watched_by_name(void **state)
{
	static const char *const watch[] = { "/jobs/*", "/x y", NULL };
	static const struct whose rows[] = {
		{ "/jobs/a", "cgroup", "cgroup/jobs/a", "/jobs/a" },
		{ "/jobs/a/b", "cgroup", "cgroup/jobs/a", "/jobs/a", .inside = "/b" },
		{ "/x y", "cgroup", "cgroup/x%20y", "/x y" },
		{ "/jobs" },
		{ "/" },
		{ "/jobs/" },
		{ "/jobs/../x y" },
		{ "" },
		{ "jobs/a" },
	};

	check_all(recorded_need(state), watch, rows, ARRAY_SIZE(rows));
}

/* As deep as a path can be: nothing there is asked for one by one. */
static void depth_costs_nothing(void **state)
{
	static const char *const watch[] = { "*/zz", NULL };
	const struct recorded *r = recorded_need(state);
	struct identity_options o = { .root = r->dir, .watch = watch };
	struct identity i = IDENTITY_INIT;
	char path[PATH_MAX] = "";
	unsigned rounds = less(300);
	size_t at;

	for (at = 0; at + 3 < sizeof(path) - 1; at += 3)
		strcpy(path + at, at == 30 || at > 3000 ? "/zz" : "/aa");
	assert_int_equal(identity_of_path(&o, path, &i), 0);
	assert_int_equal(i.owner_len, 33);
	identity_done(&i);
	strcpy(path + 30, "/aa");
	path[33] = '/';
	/* Every component of it would be some ten opens: minutes for all. */
	for (unsigned n = 0; n < rounds; n++)
		assert_int_equal(identity_of_path(&o, path, &i), -ENOENT);
}

/* Who fills up an owner's room hurts nobody else. */
static void owners_have_their_own_room(void **state)
{
	static const char *const watch[] = { "/jobs/*",		"/x y",
					     "*.service",	"/user.slice/*.scope",
					     "*/app.slice/*/w", "/system.slice/given.service/*",
					     "/user.slice/odd", NULL };
	static const struct whose rows[] = {
		{ PATH, "podman", BY_ID, .refused = true, .owner = "podman" },
		{ USERS, "podman", "podman/~1000/id:aaaa0001aaaa", .refused = true,
		  .owner = "podman/~1000" },
		{ DOCKER(B_ID), "docker", "docker/id:bbbb0002bbbb", .refused = true,
		  .owner = "docker" },
		{ "/lxc.payload.a", "lxc", "lxc/a", "a", .owner = "lxc" },
		{ USER_AT "/lxc.payload.a", "lxc", "lxc/~1000/a", "a", .owner = "lxc/~1000" },
		{ "/machine.slice/machine-a.scope/payload", "nspawn", "nspawn/a", "a",
		  .owner = "nspawn" },
		{ "/kubepods/pod1/" B_ID, "kubernetes", "kubernetes/id:bbbb0002bbbb",
		  .refused = true, .owner = "kubernetes" },
		{ "/kubepods/pod1/crio-" B_ID, "crio", "kubernetes/id:bbbb0002bbbb",
		  .refused = true, .owner = "kubernetes" },
		{ "/system.slice/a.service", "systemd", "systemd/a.service", "a.service",
		  .owner = "systemd" },
		{ USER_AT "/app.slice/a.service", "systemd", "systemd/~1000/a.service", "a.service",
		  .owner = "systemd/~1000" },
		{ "/x y", "cgroup", "cgroup/x%20y", "/x y", .owner = "cgroup" },
		{ "/jobs/a", "cgroup", "cgroup/jobs/a", "/jobs/a", .owner = "cgroup/jobs" },
		{ "/user.slice/odd", "cgroup", "cgroup/user.slice/odd", "/user.slice/odd",
		  .refused = true, .owner = "cgroup" },
		{ "/user.slice/user-1000.slice/s.scope", "cgroup",
		  "cgroup/user.slice/user-1000.slice/s.scope",
		  "/user.slice/user-1000.slice/s.scope", .refused = true, .owner = "cgroup/~1000" },
		{ "/user.slice/odd.slice/s.scope", "cgroup", "cgroup/user.slice/odd.slice/s.scope",
		  "/user.slice/odd.slice/s.scope", .refused = true, .owner = "cgroup" },
		{ USER_AT "/app.slice/d/w", "cgroup",
		  "cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/d/w",
		  USER_AT "/app.slice/d/w", .owner = "cgroup/~1000" },
	};

	check_all(recorded_need(state), watch, rows, ARRAY_SIZE(rows));
}

/* --- hostile files ------------------------------------------------------------------------ */

static void names_cannot_leave_their_key(void **state)
{
	static const struct {
		const char *json, *key, *name;
	} rows[] = {
		{ "../../etc/x", "podman/..%2F..%2Fetc%2Fx", "../../etc/x" },
		{ "..", "podman/%2E%2E", ".." },
		{ "a\\nfake line", "podman/a%0Afake%20line", "a\nfake line" },
		{ "~1000/redis", "podman/%7E1000%2Fredis", "~1000/redis" },
		{ "id:aaaa0001aaaa", "podman/%69d:aaaa0001aaaa", "id:aaaa0001aaaa" },
		{ "\\u001b[31m", "podman/%1B%5B31m", "\x1b[31m" },
	};
	struct recorded *r = recorded_need(state);
	char text[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct whose w = { PATH, "podman", rows[i].key, rows[i].name };

		snprintf(text, sizeof(text), "[{\"id\":\"" A_ID "\",\"names\":[\"%s\"]}]",
			 rows[i].json);
		containers(r, text);
		check_whose(r, NULL, &w);
	}
}

static void what_makes_no_sense_is_unknown(void **state)
{
	static const char *const texts[] = {
		"",
		"\0",
		"[",
		"[{\"id\":\"" A_ID "\"",
		"[{\"id\":\"" A_ID "\"}]",
		"{\"id\":\"" A_ID "\",\"names\":[\"x\"]}",
		"[{\"id\":\"" A_ID "\",\"names\":[\"a\xff\xfe\"]}]",
		"[{\"id\":\"" A_ID "\",\"names\":[\"a\\u0000b\"]}]",
		"[{\"id\":\"" A_ID "\",\"names\":{\"0\":\"x\"}}]",
		"[{\"id\":\"" A_ID "\",\"names\":[[\"x\"]]}]",
	};
	struct recorded *r = recorded_need(state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		containers(r, texts[i]);
		check_whose(r, NULL, &unknown);
	}
}

/* A name of n letters, as the engine's file has it. */
static void name_of_length(struct recorded *r, size_t n)
{
	char *text = malloc(n + 256);

	assert_non_null(text);
	sprintf(text, "[{\"id\":\"%s\",\"names\":[\"%*d\"]}]", A_ID, (int)n, 7);
	containers(r, text);
	free(text);
}

static void long_names_are_dropped(void **state)
{
	struct identity_options o = { .root = recorded_need(state)->dir };
	struct identity i = IDENTITY_INIT;

	name_of_length(recorded_need(state), IDENTITY_TEXT_MAX);
	check_whose(recorded_need(state), NULL, &unknown);
	name_of_length(recorded_need(state), IDENTITY_TEXT_MAX - 1);
	assert_int_equal(identity_of_path(&o, PATH, &i), 0);
	assert_int_equal(strlen(i.name), IDENTITY_TEXT_MAX - 1);
	assert_in_range(strlen(i.key), 1, 1024);
	identity_done(&i);
}

static void large_files_are_not_read(void **state)
{
	static const char *const files[] = { STORE "/overlay-containers/containers.json", STORE
					     "/overlay-containers/" A_ID "/userdata/config.json" };
	struct recorded *r = recorded_need(state);
	char file[512];
	size_t i;

	containers(r, NAMED("x"));
	recorded_file(r, files[1], "{}");
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		full(r, files[i], file);
		assert_int_equal(truncate(file, 100 << 20), 0);
	}
	check_whose(r, NULL, &unknown);
	forget(r, files[1]);
}

/* As large as is still read, and no deeper or wider for a parser to drown in. */
static void large_texts_stay_flat(void **state)
{
	static const char *const parts[] = { "[", "0,", "{\"a\":", "\"\\", "\"a\",", " ", "[]," };
	struct recorded *r = recorded_need(state);
	const size_t len = 16 << 20;
	char *text = malloc(len + 1);
	size_t i, at;

	assert_non_null(text);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		text[0] = '[';
		for (at = 1; at < len; at++)
			text[at] = parts[i][(at - 1) % strlen(parts[i])];
		text[len] = '\0';
		containers(r, text);
		check_whose(r, NULL, &unknown);
	}
	free(text);
}

static void only_plain_files_of_the_owner_count(void **state)
{
	static const char file_at[] = STORE "/overlay-containers/containers.json";
	struct recorded *r = recorded_need(state);
	char file[512], outside[] = "/tmp/recorded-outside-XXXXXX";
	int fd = mkstemp(outside);

	assert_int_equal(write(fd, NAMED("outside"), strlen(NAMED("outside"))),
			 strlen(NAMED("outside")));
	close(fd);
	full(r, file_at, file);

	unlink(file);
	assert_int_equal(symlink(outside, file), 0);
	check_whose(r, NULL, &unknown);

	unlink(file);
	assert_int_equal(mkfifo(file, 0644), 0);
	check_whose(r, NULL, &unknown);

	unlink(file);
	r->owner = USER;
	containers(r, NAMED("users"));
	r->owner = 0;
	check_whose(r, NULL, &unknown);
	forget(r, file_at);
	assert_int_equal(unlink(outside), 0);
}

/* root's file in a user's home, and a home that leads elsewhere. */
static void users_files_are_the_users(void **state)
{
	static const char file_at[] =
		"/home/u/.local/share/containers/storage/overlay-containers/containers.json";
	static const struct whose nameless = { USERS, "podman", "podman/~1000/id:aaaa0001aaaa",
					       .refused = true };
	static const struct whose mine = { USERS, "podman", "podman/~1000/redis", "redis" };
	struct recorded *r = recorded_need(state);

	r->owner = USER;
	recorded_mkdirs(r, file_at);
	r->owner = 0;
	recorded_file(r, file_at, NAMED("roots"));
	check_whose(r, NULL, &nameless);
	forget(r, file_at);
	r->owner = USER;
	recorded_file(r, file_at, NAMED("redis"));
	r->owner = 0;
	check_whose(r, NULL, &mine);
	/* The user's store led to root's: its owner isn't the user. */
	r->owner = USER;
	recorded_file(r, "/home/u/.config/containers/storage.conf",
		      "[storage]\ngraphroot = \"" STORE "\"\n");
	r->owner = 0;
	containers(r, NAMED("secret"));
	check_whose(r, NULL, &nameless);
	forget(r, STORE "/overlay-containers/containers.json");
	forget(r, "/home/u/.config/containers/storage.conf");
}

static void no_files_at_all(void **state)
{
	static const struct identity_options nowhere = { .root = "/nonexistent" };
	struct identity i = IDENTITY_INIT;

	assert_int_equal(identity_of_path(&nowhere, PATH, &i), 0);
	assert_string_equal(i.key, BY_ID);
	assert_false(i.enforceable);
	identity_done(&i);
	assert_null(i.key);
	identity_done(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_outermost_owns),
		cmocka_unit_test(plain_cgroups_are_watched_by_name),
		cmocka_unit_test(depth_costs_nothing),
		cmocka_unit_test(owners_have_their_own_room),
		cmocka_unit_test(names_cannot_leave_their_key),
		cmocka_unit_test(what_makes_no_sense_is_unknown),
		cmocka_unit_test(long_names_are_dropped),
		cmocka_unit_test(large_files_are_not_read),
		cmocka_unit_test(large_texts_stay_flat),
		cmocka_unit_test(only_plain_files_of_the_owner_count),
		cmocka_unit_test(users_files_are_the_users),
		cmocka_unit_test(no_files_at_all),
	};

	return cmocka_run_group_tests(tests, setup, recorded_teardown);
}
