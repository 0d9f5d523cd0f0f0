/* SPDX-License-Identifier: Apache-2.0 */
/* Directory trees as engines leave them, recorded below a temporary directory, and what
 * identity_of_path makes of paths with such a tree as its root. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "identity/identity.h"
#include "unit/skip.h"

/* Container ids: 64 digits out of eight. */
#define ID(eight)    eight eight eight eight eight eight eight eight
#define A_ID	     ID("aaaa0001")
#define B_ID	     ID("bbbb0002")
#define C_ID	     ID("cccc0003")
#define D_ID	     ID("dddd0004")
#define NO_ID	     ID("0123fedc")
#define SHORT(eight) eight "aaaa"

/* The user whose home the recorded etc/passwd names. */
#define USER	1000
#define USER_AT "/user.slice/user-1000.slice/user@1000.service"

struct recorded {
	char dir[32];
	uid_t owner; /* of the files written from here on */
};

static inline struct recorded *recorded_new(void)
{
	struct recorded *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	strcpy(r->dir, "/tmp/recorded-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	return r;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void recorded_free(struct recorded *r)
{
	assert_int_equal(nftw(r->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(r);
}

/* A test's tree; NULL without root, who alone can give files away. */
static inline int recorded_setup(void **state, void (*record)(struct recorded *r))
{
	struct recorded *r;

	if (geteuid() != 0)
		return 0;
	r = recorded_new();
	record(r);
	r->owner = 0;
	*state = r;
	return 0;
}

static inline int recorded_teardown(void **state)
{
	if (*state)
		recorded_free(*state);
	return 0;
}

static inline struct recorded *recorded_need(void **state)
{
	if (!*state)
		skip_because("needs root");
	return *state;
}

/* Directories on the way to path get the owner, those that were there keep theirs. */
static inline void recorded_mkdirs(const struct recorded *r, const char *path)
{
	char full[4096];
	char *slash;

	assert_in_range(snprintf(full, sizeof(full), "%s%s", r->dir, path), 1, sizeof(full) - 1);
	slash = full + strlen(r->dir);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(full, 0755) == 0)
			assert_int_equal(chown(full, r->owner, r->owner), 0);
		*slash = '/';
	}
}

__attribute__((format(printf, 3, 4))) static inline void
recorded_file(const struct recorded *r, const char *path, const char *fmt, ...)
{
	char full[4096];
	va_list ap;
	FILE *f;

	recorded_mkdirs(r, path);
	snprintf(full, sizeof(full), "%s%s", r->dir, path);
	f = fopen(full, "we");
	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chown(full, r->owner, r->owner), 0);
}

/* A bundle's config.json: what of it matters here. */
static inline void recorded_bundle(const struct recorded *r, const char *dir, const char *cgroup,
				   const char *program, const char *annotations)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/config.json", dir);
	recorded_file(
		r, path,
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0},\"args\":[\"%s\","
		"\"--flag\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"annotations\":{%s},"
		"\"linux\":{\"cgroupsPath\":\"%s\",\"namespaces\":[{\"type\":\"pid\"}]}}\n",
		program, annotations, cgroup);
}

/* One row: what a path must come to. NULL fields must be NULL; key NULL: nobody's. */
struct whose {
	const char *path;
	const char *engine, *key, *name, *image, *digest, *pod, *namespace;
	const char *inside; /* the end of the path that isn't the owner's, NULL for none */
	bool refused;
	const char *inner;
	const char *owner; /* NULL: not looked at */
};

static inline void same_text(const char *path, const char *field, const char *got, const char *want)
{
	if (want ? got && strcmp(got, want) == 0 : !got)
		return;
	fail_msg("%s: %s is %s, not %s", path, field, got ? got : "NULL", want ? want : "NULL");
}

static inline void check_whose(const struct recorded *r, const char *const *watch,
			       const struct whose *w)
{
	struct identity_options o = { .root = r->dir, .watch = watch };
	struct identity i = IDENTITY_INIT;
	int e = identity_of_path(&o, w->path, &i);

	same_text(w->path, "key", e == 0 ? i.key : NULL, w->key);
	assert_int_equal(e, w->key ? 0 : -ENOENT);
	same_text(w->path, "engine", i.engine, w->engine);
	same_text(w->path, "name", i.name, w->name);
	same_text(w->path, "image", i.image, w->image);
	same_text(w->path, "digest", i.image_digest, w->digest);
	same_text(w->path, "pod", i.pod, w->pod);
	same_text(w->path, "namespace", i.namespace, w->namespace);
	same_text(w->path, "inner", i.inner, w->inner);
	if (w->owner)
		same_text(w->path, "owner", i.owner, w->owner);
	if (w->key) {
		same_text(w->path, "inside", w->path + i.owner_len, w->inside ? w->inside : "");
		assert_non_null(i.owner);
	}
	assert_int_equal(i.enforceable, w->key && !w->refused);
	if (w->refused)
		assert_non_null(i.why_not);
	identity_done(&i);
}

/* Paths that nobody owns. */
static inline void check_nobodys(const struct recorded *r, const char *const *watch,
				 const char *const *paths, size_t cnt)
{
	size_t n;

	for (n = 0; n < cnt; n++)
		check_whose(r, watch, &(struct whose){ .path = paths[n] });
}

static inline void check_all(const struct recorded *r, const char *const *watch,
			     const struct whose *rows, size_t cnt)
{
	size_t n;

	for (n = 0; n < cnt; n++)
		check_whose(r, watch, &rows[n]);
}
