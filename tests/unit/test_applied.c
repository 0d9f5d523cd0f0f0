/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/applied.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/key.h"

#define KEY "podman/web"

static struct generation generation_of(uint32_t number)
{
	struct generation g = { .number = number, .created = 1700000000, .maker = strdup("root") };

	sysset_add(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 0);
	sysset_add(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 202 + number);
	g.evidence.starts = number;
	assert_int_equal(generation_digest(&g), 0);
	return g;
}

static struct applied applied_of(const char *key)
{
	return (struct applied){
		.key = strdup(key), .mode = MODE_ENFORCE, .now = generation_of(2), .trial_s = 60
	};
}

/* Everything that a file can hold. */
static struct applied fullest(void)
{
	struct applied a = applied_of("kubernetes/ns/web/main%2Fx#sh");
	struct generation *g = &a.now;

	a.has_good = a.replace = a.unconfined = a.keep_new_image = true;
	a.mode = MODE_SHADOW;
	a.trial_s = 5;
	a.good = generation_of(1);
	a.good.state = GENERATION_GOOD;
	g->state = GENERATION_FAILED;
	g->failed = strdup("killed by \"signal\" 31\n");
	g->descendants = true;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		sysset_add(&g->learned.set[TAMIS_SESSION][abi], 1);
		sysset_add(&g->learned.set[TAMIS_GATE][abi], TAMIS_CALLS - 1);
		sysset_add(&g->denied[abi], 2);
	}
	for (size_t i = 0; i < sizeof(g->evidence) / 8; i++)
		((uint64_t *)&g->evidence)[i] = INT64_MAX - i;
	assert_int_equal(generation_add_image(g, "sha256:aa"), 0);
	assert_int_equal(generation_add_image(g, "sha256:bb"), 0);
	assert_int_equal(generation_digest(g), 0);
	return a;
}

static char *print_of(const struct applied *a)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(applied_print(a, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	return text;
}

static void assert_same_text(const char *a, const char *b)
{
	assert_true((!a && !b) || (a && b && strcmp(a, b) == 0));
}

static void assert_same_generation(const struct generation *a, const struct generation *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->created, b->created);
	assert_same_text(a->maker, b->maker);
	assert_same_text(a->failed, b->failed);
	assert_string_equal(a->digest, b->digest);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->descendants, b->descendants);
	assert_int_equal(a->image_cnt, b->image_cnt);
	for (size_t i = 0; i < a->image_cnt; i++)
		assert_string_equal(a->image[i], b->image[i]);
	assert_memory_equal(&a->learned, &b->learned, sizeof(a->learned));
	assert_memory_equal(a->denied, b->denied, sizeof(a->denied));
	assert_memory_equal(&a->evidence, &b->evidence, sizeof(a->evidence));
}

static void assert_same(const struct applied *a, const struct applied *b)
{
	assert_string_equal(a->key, b->key);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->replace, b->replace);
	assert_int_equal(a->unconfined, b->unconfined);
	assert_int_equal(a->keep_new_image, b->keep_new_image);
	assert_int_equal(a->trial_s, b->trial_s);
	assert_int_equal(a->has_good, b->has_good);
	assert_same_generation(&a->now, &b->now);
	assert_same_generation(&a->good, &b->good);
}

/* --- text -------------------------------------------------------------------------------- */

static void comes_back(void **state)
{
	struct applied all[] = { applied_of(KEY), fullest() };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_free_ char *text = print_of(&all[i]), *again = NULL, *why = NULL;
		_applied_ struct applied back = { 0 };

		assert_int_equal(applied_parse(text, strlen(text), &back, &why), 0);
		assert_null(why);
		assert_same(&all[i], &back);
		again = print_of(&back);
		assert_string_equal(text, again);
		applied_done(&all[i]);
	}
}

/* What is no text is shown escaped and still read back. */
static void escapes_what_is_no_text(void **state)
{
	_applied_ struct applied a = applied_of(KEY), back = { 0 };
	_free_ char *text = NULL, *why = NULL;

	free(a.now.maker);
	a.now.maker = strdup("auto: \xff\xfe*");
	a.now.failed = malloc(70000);
	memset(a.now.failed, 'x', 69999);
	a.now.failed[69999] = '\0';
	text = print_of(&a);
	assert_int_equal(applied_parse(text, strlen(text), &back, &why), 0);
	assert_string_equal(back.now.maker, "auto: \\xff\\xfe*");
	assert_in_range(strlen(back.now.failed), 100, 200);
}

static const struct breakage {
	const char *from, *to;
	int r;
	const char *why;
} breakages[] = {
	{ "\"version\": 1", "\"version\": 2", -EPROTO, "version 2" },
	{ "\"version\": 1", "\"version\": 18446744073709551615", -EPROTO, "version" },
	{ "\"version\": 1", "\"version\": 0", -EINVAL, "version 0" },
	{ "\"version\": 1", "\"version\": \"1\"", -EINVAL, "version" },
	{ "\"version\": 1", "\"versions\": 1", -EINVAL, "version: missing" },
	{ "\"key\": \"podman/web\"", "\"key\": 3", -EINVAL, "key: a number" },
	{ "\"key\": \"podman/web\"", "\"kee\": 3", -EINVAL, "key: missing" },
	{ "\"key\": \"podman/web\"", "\"key\": \"a\", \"key\": \"b\"", -EINVAL, "duplicate" },
	{ "\"mode\": \"enforce\"", "\"mode\": \"observe\"", -EINVAL, "mode" },
	{ "\"mode\": \"enforce\"", "\"mode\": null", -EINVAL, "mode" },
	{ "\"replace\": false", "\"replace\": 0", -EINVAL, "replace: not a boolean" },
	{ "\"unconfined\": false", "\"unconfined\": null", -EINVAL, "unconfined" },
	{ "\"keep_new_image\": false", "\"k\": false", -EINVAL, "keep_new_image: missing" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": -1", -EINVAL, "trial_seconds" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": 86401", -EINVAL, "trial_seconds" },
	{ "\"trial_seconds\": 60", "\"trial_seconds\": 1e1", -EINVAL, "trial_seconds" },
	{ "\"generation\": {", "\"generations\": {", -EINVAL, "generation: missing" },
	{ "\"generation\": {", "\"generation\": 7, \"x\": {", -EINVAL, "generation: a number" },
	{ "\"good\": null", "\"good\": []", -EINVAL, "good: an array" },
	{ "\"good\": null", "\"good\": {}", -EINVAL, "good.number: missing" },
	{ "\"number\": 2", "\"number\": 0", -EINVAL, "generation.number" },
	{ "\"number\": 2", "\"number\": 4294967296", -EINVAL, "generation.number" },
	{ "\"created\": 1700000000", "\"created\": -5", -EINVAL, "generation.created" },
	{ "\"maker\": \"root\"", "\"maker\": {}", -EINVAL, "generation.maker" },
	{ "\"state\": \"trial\"", "\"state\": \"best\"", -EINVAL, "generation.state" },
	{ "\"failed\": null", "\"failed\": 31", -EINVAL, "generation.failed" },
	{ "\"images\": []", "\"images\": [1]", -EINVAL, "generation.images[0]" },
	{ "\"images\": []", "\"images\": {}", -EINVAL, "generation.images" },
	{ "\"descendants\": false", "\"descendants\": \"no\"", -EINVAL, "descendants" },
	{ "\"learned\": {", "\"learnt\": {", -EINVAL, "generation.learned: missing" },
	{ "\"session\": {}", "\"session\": []", -EINVAL, "generation.learned.session" },
	{ "\"session\": {}", "\"x\": {}", -EINVAL, "learned.session: missing" },
	{ "\"read\"", "\"raed\"", -EINVAL, "no call of that name: raed" },
	{ "\"read\"", "\"#9999\"", -EINVAL, "no call of that name" },
	{ "\"read\"", "7", -EINVAL, "workload.x86_64[0]: a number" },
	{ "\"read\"", "\"write\"", -EUCLEAN, "generation.digest" },
	{ "\"session\": {}", "\"session\": {\"arm\": [\"read\"]}", -EUCLEAN, "digest" },
	{ "\"denied\": {}", "\"denied\": {\"x86_64\": [\"read\"]}", -EUCLEAN, "digest" },
	{ "\"descendants\": false", "\"descendants\": true", -EUCLEAN, "digest" },
	{ "\"digest\": \"sha256:", "\"digest\": \"md5:", -EUCLEAN, "digest" },
	{ "\"digest\": \"", "\"digest\": null, \"d\": \"", -EINVAL, "digest: missing" },
	{ "\"starts\": 2", "\"starts\": -2", -EINVAL, "evidence.starts: negative" },
	{ "\"starts\": 2", "\"start\": 2", -EINVAL, "evidence.starts: missing" },
	{ "\"evidence\": {", "\"evidence\": null, \"e\": {", -EINVAL, "evidence" },
	{ "{\n", "[\n", -EINVAL, "line" },
	{ "\"root\"", "\"\\u0000\"", -EINVAL, "line" },
	{ "\"root\"", "\"\xff\"", -EINVAL, "line" },
};

static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *s;

	if (!at)
		fail_msg("there is no %s in %s", from, text);
	s = text_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_non_null(s);
	return s;
}

static void refuses_what_is_broken(void **state)
{
	_applied_ struct applied a = applied_of(KEY);
	_free_ char *text = print_of(&a);

	for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
		const struct breakage *b = &breakages[i];
		_free_ char *broken = replaced(text, b->from, b->to), *why = NULL;
		struct applied back = { .trial_s = 77 };
		int r = applied_parse(broken, strlen(broken), &back, &why);

		if (r != b->r || !why || !strstr(why, b->why))
			fail_msg("%s: %d, %s", b->to, r, why);
		assert_null(back.key);
		assert_int_equal(back.trial_s, 77);
	}
}

static void refuses_what_is_cut(void **state)
{
	_applied_ struct applied a = fullest();
	_free_ char *text = print_of(&a);

	/* But for the newline at its end. */
	for (size_t len = 0; len + 1 < strlen(text); len++) {
		_free_ char *why = NULL;
		struct applied back = { 0 };

		assert_int_equal(applied_parse(text, len, &back, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void refuses_what_is_too_much(void **state)
{
	_free_ char *large = calloc(1, APPLIED_MAX + 1), *why = NULL, *deep = NULL;
	struct applied back = { 0 };

	memset(large, ' ', APPLIED_MAX + 1);
	assert_int_equal(applied_parse(large, APPLIED_MAX + 1, &back, &why), -EINVAL);
	assert_non_null(strstr(why, "larger"));
	memset(large, '[', APPLIED_MAX);
	assert_int_equal(applied_parse(large, APPLIED_MAX, &back, &deep), -EINVAL);
	assert_non_null(strstr(deep, "deeper"));
}

static void refuses_many_images(void **state)
{
	_applied_ struct applied a = applied_of(KEY);
	_free_ char *text = print_of(&a), *broken = NULL, *why = NULL;
	char list[GENERATION_IMAGES_MAX * 12 + 64] = "\"images\": [";
	struct applied back = { 0 };

	for (unsigned i = 0; i <= GENERATION_IMAGES_MAX; i++)
		sprintf(list + strlen(list), "%s\"i%u\"", i ? "," : "", i);
	broken = replaced(text, "\"images\": [", list);
	assert_int_equal(applied_parse(broken, strlen(broken), &back, &why), -EINVAL);
	assert_non_null(strstr(why, "images"));
}

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
		cmocka_unit_test(comes_back),
		cmocka_unit_test(escapes_what_is_no_text),
		cmocka_unit_test(refuses_what_is_broken),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(refuses_what_is_too_much),
		cmocka_unit_test(refuses_many_images),
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
