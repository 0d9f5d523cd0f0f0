/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/wrapper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apply/runtime_conf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"

#define PROGRAM_MAX (64u << 20) /* bytes */
#define SHIM_MAX    8192
#define LABEL	    "security.selinux"

static const char shim_head[] =
	"#!/bin/sh\n"
	"# A wrapper of tamis was here; containers may have this path as their runtime.\n";

/* --- what is there ----------------------------------------------------------------------- */

static char *conf_path(const char *path)
{
	return text_format("%s.conf", path);
}

static bool is_shim(const char *path)
{
	_free_ char *text = NULL;

	return file_read_at(AT_FDCWD, path, SHIM_MAX, &text, NULL) == 0 &&
	       strncmp(text, shim_head, strlen(shim_head)) == 0;
}

enum wrapper_kind wrapper_kind(const char *path)
{
	_free_ char *conf = conf_path(path);

	if (access(path, F_OK) < 0)
		return WRAPPER_NONE;
	if (is_shim(path))
		return WRAPPER_SHIM;
	return conf && access(conf, F_OK) == 0 ? WRAPPER_OURS : WRAPPER_OTHER;
}

static int refuse(int r, char **ret_why, const char *path, const char *why)
{
	*ret_why = text_format("%s: %s", path, why);
	return *ret_why ? r : -ENOMEM;
}

/* A directory that anyone may add to is fine where nobody may take others' files away. */
static int check_mode(const char *path, const struct stat *st, char **ret_why)
{
	bool others = st->st_mode & (S_IWGRP | S_IWOTH);

	if (st->st_uid != 0)
		return refuse(-EPERM, ret_why, path, "is not root's");
	if (others && !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return refuse(-EPERM, ret_why, path, "others may write to it");
	return 0;
}

int wrapper_check_program(const char *path, char **ret_why)
{
	_free_ char *real = realpath(path, NULL), *dir = NULL;
	struct stat st;
	int r;

	if (*path != '/')
		return refuse(-EINVAL, ret_why, path, "not an absolute path");
	if (!real || stat(real, &st) < 0)
		return refuse(-errno, ret_why, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || access(real, X_OK) < 0)
		return refuse(-EINVAL, ret_why, path, "no program");
	r = check_mode(real, &st, ret_why);
	if (r < 0)
		return r;
	dir = strndup(real, (size_t)(strrchr(real, '/') - real) + 1);
	if (!dir)
		return -ENOMEM;
	if (stat(dir, &st) < 0)
		return refuse(-errno, ret_why, dir, strerror(errno));
	return check_mode(dir, &st, ret_why);
}

/* --- put it there ------------------------------------------------------------------------ */

static int make_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = strndup(path, (size_t)(slash - path) + (slash == path));

	return dir ? file_mkdirs(dir, 0755) : -ENOMEM;
}

/* 1: it was there. */
static int put_file(const char *path, const char *text, size_t len, mode_t mode)
{
	_free_ char *old = NULL;
	size_t old_len;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == mode &&
	    st.st_uid == geteuid() &&
	    file_read_at(AT_FDCWD, path, PROGRAM_MAX, &old, &old_len) == 0 && old_len == len &&
	    memcmp(old, text, len) == 0)
		return 1;
	return file_replace(path, text, len, mode);
}

/* SELinux knows a runtime by its label (container_runtime_exec_t); most hosts have none. */
static void copy_label(const char *from, const char *to)
{
	char label[4096];
	ssize_t n = getxattr(from, LABEL, label, sizeof(label));

	if (n > 0)
		(void)setxattr(to, LABEL, label, (size_t)n, 0);
}

int wrapper_put(const char *path, const char *start, const char *runtime, const char *state)
{
	_free_ char *conf = conf_path(path), *program = NULL,
		    *text = text_format("runtime = %s\nstate = %s\n", runtime, state);
	size_t len;
	int had_conf, had;

	if (!conf || !text)
		return -ENOMEM;
	had = file_read_at(AT_FDCWD, start, PROGRAM_MAX, &program, &len);
	if (had == 0)
		had = make_parent(path);
	if (had < 0)
		return had;
	/* A wrapper that is there never lacks it. */
	had_conf = put_file(conf, text, strlen(text), 0644);
	if (had_conf < 0)
		return had_conf;
	had = put_file(path, program, len, 0755);
	if (had == 0)
		copy_label(runtime, path);
	return had < 0 ? had : had & had_conf;
}

/* --- take it out of use ------------------------------------------------------------------ */

/* In single quotes for the shell. Caller frees. */
static char *quoted(const char *s)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return NULL;
	fputc('\'', f);
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	}
	fputc('\'', f);
	return fclose(f) == 0 ? TAKE_PTR(text) : NULL;
}

static int put_shim(const char *path, const char *runtime)
{
	_free_ char *program = quoted(runtime);
	_free_ char *text = program ? text_format("%sexec %s \"$@\"\n", shim_head, program) : NULL;
	int r = text ? put_file(path, text, strlen(text), 0755) : -ENOMEM;

	if (r == 0)
		copy_label(runtime, path);
	return r < 0 ? r : 0;
}

int wrapper_disable(const char *path, char **ret_why)
{
	_runtime_conf_ struct runtime_conf c = { 0 };
	_free_ char *conf = conf_path(path);
	int r;

	switch (wrapper_kind(path)) {
	case WRAPPER_NONE:
		return refuse(-ENOENT, ret_why, path, "nothing is there");
	case WRAPPER_OTHER:
		return refuse(-EINVAL, ret_why, path, "no wrapper of tamis");
	case WRAPPER_SHIM:
		(void)unlink(conf ? conf : "");
		return 1;
	case WRAPPER_OURS:
		break;
	}
	r = runtime_conf_read(path, &c, ret_why);
	if (r < 0)
		return r;
	r = put_shim(path, c.runtime);
	if (r < 0)
		return refuse(r, ret_why, path, strerror(-r));
	return conf && unlink(conf) < 0 ? -errno : 0;
}

int wrapper_remove(const char *path)
{
	enum wrapper_kind kind = wrapper_kind(path);
	_free_ char *conf = conf_path(path);

	if (kind == WRAPPER_OTHER)
		return -EINVAL;
	if (!conf)
		return -ENOMEM;
	if (kind != WRAPPER_NONE && unlink(path) < 0)
		return -errno;
	if (unlink(conf) < 0 && errno != ENOENT)
		return -errno;
	return kind == WRAPPER_NONE;
}
