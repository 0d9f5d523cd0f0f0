/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "filters.h"

/* --- names ------------------------------------------------------------------------------- */

static const struct {
	const char *key, *name; /* NULL: refused */
} names[] = {
	{ "systemd/nginx.service", "nginx.service" },
	{ "systemd/foo@bar.service", "foo@bar.service" },
	{ "systemd/sshd@.service", "sshd@.service" },
	{ "systemd/systemd-fsck@dev-disk-by\\x2duuid.service",
	  "systemd-fsck@dev-disk-by\\x2duuid.service" },
	{ "systemd/%69d:a.service", "id:a.service" },
	/* a user's: "~" can't begin a part of a name */
	{ "systemd/~1000/nginx.service", NULL },
	{ "podman/web", NULL },
	{ "systemd", NULL },
	{ "systemd/", NULL },
	{ "systemd/.service", NULL },
	{ "systemd/@.service", NULL },
	{ "systemd/nginx", NULL },
	{ "systemd/nginx.scope", NULL },
	{ "systemd/nginx.socket", NULL },
	{ "systemd/nginx.service/sub", NULL },
	{ "systemd/..%2F..%2Fetc.service", NULL },
	{ "systemd/a%0A.service", NULL },
	{ "systemd/a%00b.service", NULL },
	{ "systemd/a b.service", NULL },
	{ "systemd/a%.service", NULL },
	{ "systemd/a%2.service", NULL },
	{ "systemd/aaaaaaaa%+0123456789abcdef", NULL },
};

static void reads_names_of_services_from_keys(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *name = NULL, *why = NULL;
		int r = unit_name(names[i].key, &name, &why);

		if (names[i].name) {
			assert_int_equal(r, 0);
			assert_string_equal(name, names[i].name);
		} else {
			if (r != -EINVAL)
				fail_msg("%s: %d %s", names[i].key, r, name ? name : "");
			assert_null(name);
			assert_non_null(why);
		}
	}
}

static void refuses_names_that_are_too_long(void **state)
{
	_free_ char *key = text_format("systemd/%0245d.service", 7); /* 253 */
	_free_ char *longer = text_format("systemd/%0248d.service", 7);
	_free_ char *name = NULL, *why = NULL;

	assert_int_equal(unit_name(key, &name, &why), 0);
	free(TAKE_PTR(name));
	assert_int_equal(unit_name(longer, &name, &why), -EINVAL);
}

/* --- text -------------------------------------------------------------------------------- */

static const struct unit_options plain = { .state = "/var/lib/tamis",
					   .start = "/usr/libexec/tamis-start" };

static struct applied applied_of(const char *key, enum generation_state now)
{
	struct applied a = { .key = (char *)key, .mode = MODE_ENFORCE };

	a.now.number = 3;
	a.now.state = now;
	strcpy(a.now.digest, "sha256:abc");
	sysset_add(&a.now.learned.set[TAMIS_WORKLOAD][abi_native()],
		   (unsigned)calls_number(abi_native(), "sendto"));
	a.good = a.now;
	a.good.number = 2;
	a.good.state = GENERATION_GOOD;
	return a;
}

static void watches_over_a_trial(void **state)
{
	struct applied a = applied_of("systemd/dev\\x2dsda.service", GENERATION_TRIAL);
	_free_ char *text = NULL;

	assert_int_equal(unit_print(&a, &a.now, &plain, &text), 0);
	assert_non_null(strstr(text, "generation 3 of systemd/dev\\x2dsda.service\n"));
	assert_non_null(strstr(text, "\n[Service]\n"));
	assert_non_null(strstr(text, " sendto"));
	assert_non_null(strstr(text, "\nExecStartPre=-+/usr/libexec/tamis-start unit-started "
				     "\"dev\\\\x2dsda.service\" --state /var/lib/tamis\n"));
	assert_non_null(strstr(text, "\nExecStopPost=-+/usr/libexec/tamis-start unit-stopped "
				     "\"dev\\\\x2dsda.service\" --state /var/lib/tamis\n"));
}

static void leaves_a_good_one_alone(void **state)
{
	struct applied a = applied_of("systemd/nginx.service", GENERATION_GOOD);
	_free_ char *text = NULL, *again = NULL;

	assert_int_equal(unit_print(&a, &a.now, &plain, &text), 0);
	assert_null(strstr(text, "Exec"));
	assert_non_null(strstr(text, " sendto"));
	assert_null(strstr(text, "connect"));
	assert_int_equal(unit_print(&a, &a.now, &plain, &again), 0);
	assert_string_equal(text, again);
}

static void needs_paths_that_a_unit_can_have(void **state)
{
	static const char *const bad[] = { "relative",	"",	     "/a b",	"/a\nExecStart=/b",
					   "/a%h",	"/a$HOME",   "/a\"",	"/a\\x41",
					   "/a;/bin/b", "/a'b c'/d", "/a#comm", "/\303\244" };
	struct applied a = applied_of("systemd/nginx.service", GENERATION_TRIAL);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct unit_options start = { .state = "/s", .start = bad[i] };
		struct unit_options dir = { .state = bad[i], .start = "/s" };
		_free_ char *text = NULL, *why = NULL;

		assert_int_equal(unit_print(&a, &a.now, &start, &text), -EINVAL);
		assert_int_equal(unit_print(&a, &a.now, &dir, &text), -EINVAL);
		assert_null(text);
		assert_int_equal(unit_text(&a, &a.now, &dir, &text, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void says_whose_unit_it_is(void **state)
{
	struct applied a = applied_of("systemd/~1000/nginx.service", GENERATION_TRIAL);
	_free_ char *text = NULL, *why = NULL;

	assert_int_equal(unit_text(&a, &a.now, &plain, &text, &why), -EINVAL);
	assert_non_null(strstr(why, "a user's unit"));
}

static void chooses_what_is_in_force(void **state)
{
	struct applied a = applied_of("systemd/nginx.service", GENERATION_TRIAL);

	assert_ptr_equal(unit_choose(&a), &a.now);
	a.now.state = GENERATION_FAILED;
	assert_null(unit_choose(&a));
	a.has_good = true;
	assert_ptr_equal(unit_choose(&a), &a.good);
	a.mode = MODE_SHADOW;
	assert_null(unit_choose(&a));
}

/* --- file -------------------------------------------------------------------------------- */

#define KEY  "systemd/a@b.service"
#define DROP "/a@b.service.d"

struct place {
	char dir[64];
	struct unit_options o;
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/tamis-unit.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->o = (struct unit_options){ .dir = p->dir, .state = "/s", .no_reload = true };
	umask(077);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	_free_ char *command = text_format("rm -rf '%s'", p->dir);

	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static char *below(const struct place *p, const char *rest)
{
	char *path = text_format("%s%s", p->dir, rest);

	assert_non_null(path);
	return path;
}

static void puts_replaces_and_removes(void **state)
{
	struct place *p = *state;
	_free_ char *file = below(p, DROP "/" UNIT_DROP_IN), *dir = below(p, DROP);
	_free_ char *text = NULL, *why = NULL;
	struct stat st;

	assert_int_equal(unit_place(KEY, "one", &p->o, &why), 0);
	assert_int_equal(unit_place(KEY, "two", &p->o, &why), 0);
	assert_int_equal(file_read(file, 100, &text, NULL), 0);
	assert_string_equal(text, "two");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(unit_place(KEY, NULL, &p->o, &why), 0);
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(unit_place(KEY, NULL, &p->o, &why), 0);
}

static void leaves_what_others_put_there(void **state)
{
	struct place *p = *state;
	_free_ char *own = below(p, DROP "/override.conf"), *why = NULL;

	assert_int_equal(unit_place(KEY, "one", &p->o, &why), 0);
	assert_int_equal(file_write_atomic(own, "x", 1, 0644), 0);
	assert_int_equal(unit_place(KEY, NULL, &p->o, &why), 0);
	assert_int_equal(access(own, F_OK), 0);
}

static void puts_and_removes_through_the_whole(void **state)
{
	struct place *p = *state;
	struct applied a = applied_of(KEY, GENERATION_GOOD);
	_free_ char *file = below(p, DROP "/" UNIT_DROP_IN), *text = NULL, *why = NULL;

	assert_int_equal(unit_put(&a, &p->o, &why), 0);
	assert_int_equal(file_read(file, 1 << 20, &text, NULL), 0);
	assert_non_null(strstr(text, "sendto"));
	assert_int_equal(unit_remove(KEY, &p->o, &why), 0);
	assert_int_equal(access(file, F_OK), -1);
	/* nothing to be in force: as removed */
	assert_int_equal(unit_put(&a, &p->o, &why), 0);
	a.mode = MODE_SHADOW;
	assert_int_equal(unit_put(&a, &p->o, &why), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(unit_remove("systemd/some.scope", &p->o, &why), 0);
	assert_null(why);
}

static void follows_no_link(void **state)
{
	struct place *p = *state;
	_free_ char *dir = below(p, DROP), *other = below(p, "/other"), *why = NULL;
	_free_ char *theirs = below(p, "/other/" UNIT_DROP_IN);

	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(file_write_atomic(theirs, "x", 1, 0644), 0);
	assert_int_equal(symlink("other", dir), 0);
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), -ENOTDIR);
	assert_non_null(strstr(why, "a link"));
	free(TAKE_PTR(why));
	assert_int_not_equal(unit_place(KEY, NULL, &p->o, &why), 0);
	assert_int_equal(access(theirs, F_OK), 0);
}

static void a_link_in_its_place_is_replaced(void **state)
{
	struct place *p = *state;
	_free_ char *dir = below(p, DROP), *file = below(p, DROP "/" UNIT_DROP_IN), *why = NULL;
	_free_ char *victim = below(p, "/victim"), *text = NULL;

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(file_write_atomic(victim, "x", 1, 0600), 0);
	assert_int_equal(symlink("../victim", file), 0);
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), 0);
	assert_int_equal(file_read(victim, 10, &text, NULL), 0);
	assert_string_equal(text, "x");
}

static void wants_directories_of_root_alone(void **state)
{
	struct place *p = *state;
	_free_ char *dir = below(p, DROP), *file = below(p, DROP "/" UNIT_DROP_IN), *why = NULL;

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chmod(dir, 0775), 0);
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), -EPERM);
	assert_non_null(strstr(why, DROP));
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(dir, 0757), 0);
	free(TAKE_PTR(why));
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), -EPERM);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chown(dir, 12345, 0), 0);
	free(TAKE_PTR(why));
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), -EPERM);
	assert_int_equal(chown(dir, 0, 0), 0);
	assert_int_equal(chmod(p->dir, 01777), 0);
	free(TAKE_PTR(why));
	assert_int_equal(unit_place(KEY, "one", &p->o, &why), -EPERM);
}

static void says_when_there_is_no_systemd(void **state)
{
	struct place *p = *state;
	_free_ char *dir = below(p, "/none"), *why = NULL;
	struct applied a = applied_of(KEY, GENERATION_GOOD);

	p->o.dir = dir;
	assert_int_equal(unit_put(&a, &p->o, &why), -ENOENT);
	assert_non_null(strstr(why, "/none"));
	assert_int_equal(unit_remove(KEY, &p->o, &why), 0);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_names_of_services_from_keys),
		cmocka_unit_test(refuses_names_that_are_too_long),
		cmocka_unit_test(watches_over_a_trial),
		cmocka_unit_test(leaves_a_good_one_alone),
		cmocka_unit_test(needs_paths_that_a_unit_can_have),
		cmocka_unit_test(says_whose_unit_it_is),
		cmocka_unit_test(chooses_what_is_in_force),
		PLACED(puts_replaces_and_removes),
		PLACED(leaves_what_others_put_there),
		PLACED(puts_and_removes_through_the_whole),
		PLACED(follows_no_link),
		PLACED(a_link_in_its_place_is_replaced),
		PLACED(wants_directories_of_root_alone),
		PLACED(says_when_there_is_no_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
