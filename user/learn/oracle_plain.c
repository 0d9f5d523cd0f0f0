/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/oracle_plain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "model/policy.h"
#include "policy/generations.h"

#define EXE_MAX	  (256 << 20)
#define CHUNK	  (1 << 20)
#define PROC_MAX  (8u << 20) /* maps */
#define PLAIN_MAX (256u << 10)
#define PROCS_MAX 256

/* ASAN_OPTIONS and its likes are in every run time, libasan.so and its likes in what is linked with one;
 * clang calls its own libclang_rt. */
static const char *const marks[] = { "SAN_OPTIONS", "san.so", "libclang_rt." };
#define MARK_MAX 12

static bool has_mark(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (memmem(text, len, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* --- executables ------------------------------------------------------------------------- */

static int scan(int fd)
{
	_free_ char *buf = malloc(CHUNK + MARK_MAX);
	size_t kept = 0;
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	while ((n = read(fd, buf + kept, CHUNK)) > 0) {
		size_t len = kept + (size_t)n;

		if (has_mark(buf, len))
			return 0;
		kept = len < MARK_MAX ? len : MARK_MAX;
		memmove(buf, buf + len - kept, kept);
	}
	return n < 0 ? -errno : 1;
}

int oracle_plain_exe(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_close_ int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > EXE_MAX)
		return -EINVAL;
	return scan(fd);
}

/* --- processes --------------------------------------------------------------------------- */

/* One that has gone meanwhile is. */
static bool is_clean_file(int pid, const char *name)
{
	_free_ char *path = text_format("/proc/%d/%s", pid, name), *text = NULL;
	size_t len = 0;
	int r = path ? file_read(path, PROC_MAX, &text, &len) : -ENOMEM;

	if (r < 0)
		return r == -ENOENT || r == -ESRCH;
	return !has_mark(text, len);
}

struct procs {
	const char *mount;
	int root; /* of one of them; -1: none runs */
	unsigned cnt;
	bool dirty; /* one has a sanitizer, or can't be looked at */
};

static void look_at(struct procs *p, int pid)
{
	_free_ char *root = text_format("/proc/%d/root", pid);

	p->dirty |= ++p->cnt > PROCS_MAX || !is_clean_file(pid, "maps") ||
		    !is_clean_file(pid, "environ");
	if (p->root < 0 && root)
		p->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void look_below(struct procs *p, const char *path, const char *below)
{
	_free_ char *file = text_format("%s%s%s/cgroup.procs", p->mount, path, below);
	_fclose_ FILE *f = file ? fopen(file, "re") : NULL;
	int pid;

	while (f && !p->dirty && fscanf(f, "%d", &pid) == 1)
		if (pid > 0)
			look_at(p, pid);
}

static int look_at_all(struct store *s, const char *key, struct procs *p)
{
	struct store_running *list = NULL;
	size_t cnt = 0;
	int r = store_running(s, &list, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		if (!list[i].path || strcmp(list[i].key, key) != 0)
			continue;
		look_below(p, list[i].path, "");
		look_below(p, list[i].path, "/container"); /* crun's */
	}
	store_running_free(list, cnt);
	return r;
}

/* --- what is kept ------------------------------------------------------------------------ */

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; len && (at = strstr(at, line)); at += len)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static bool is_made(const struct policy_origin *o)
{
	return o->stage == TAMIS_WORKLOAD || o->stage == TAMIS_SESSION;
}

/* `done`: those that were looked at. */
static void write_exe(FILE *f, int root, const char *exe, char **done)
{
	char *more;

	if (!exe || *exe != '/' || strchr(exe, '\n') || (*done && has_line(*done, exe)))
		return;
	more = text_format("%s%s\n", *done ?: "", exe);
	if (!more)
		return;
	free(*done);
	*done = more;
	if (strlen(more) < PLAIN_MAX && oracle_plain_exe(root, exe) > 0)
		fprintf(f, "%s\n", exe);
}

static int write_exes(struct store *s, const char *key, int root, FILE *f)
{
	struct policy_origin *o = NULL;
	_free_ char *done = NULL;
	int64_t workload = 0;
	size_t cnt = 0;
	int r = store_workload_id(s, key, &workload);

	if (r == 0)
		r = store_origins(s, workload, &o, &cnt);
	for (size_t i = 0; i < cnt; i++)
		if (is_made(&o[i]))
			write_exe(f, root, o[i].exe, &done);
	store_origins_free(o, cnt);
	return r;
}

int oracle_plain_note(struct store *s, const char *key, const char *path)
{
	_free_ char *mount = NULL, *text = NULL;
	struct procs p = { .root = -1 };
	size_t len = 0;
	int r = cgroups_find(&mount);
	FILE *f;

	p.mount = mount;
	if (r >= 0 && mount)
		r = look_at_all(s, key, &p);
	f = r >= 0 && p.root >= 0 && !p.dirty ? stream_open(&text, &len) : NULL;
	if (f)
		r = write_exes(s, key, p.root, f);
	if (f && fclose(f) == 0 && r >= 0)
		r = file_replace(path, text, len, 0600);
	if (p.root >= 0)
		(void)close(p.root);
	return r < 0 ? r : 0;
}

int oracle_plain_calls(struct store *s, int64_t workload, const char *path,
		       struct sysset ret[TAMIS_ABI_MAX])
{
	struct sysset others[TAMIS_ABI_MAX] = { 0 };
	struct policy_origin *o = NULL;
	_free_ char *text = NULL;
	size_t cnt = 0;
	int r = file_read_at(AT_FDCWD, path, PLAIN_MAX, &text, NULL);

	memset(ret, 0, TAMIS_ABI_MAX * sizeof(*ret));
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = store_origins(s, workload, &o, &cnt);
	for (size_t i = 0; i < cnt; i++)
		if (is_made(&o[i]))
			sysset_add(has_line(text, o[i].exe ?: "") ? &ret[o[i].abi]
								  : &others[o[i].abi],
				   o[i].nr);
	store_origins_free(o, cnt);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		sysset_remove(&ret[abi], &others[abi]);
	return r;
}
