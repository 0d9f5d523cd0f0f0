/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define PASSWD_MAX  (1U << 20)
#define PASSWD_LINE 4096

static int open_path(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* --- user namespaces --------------------------------------------------------------------- */

#define MAP_LINES 340 /* user_namespaces(7) */

static FILE *open_proc(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f && errno == ENOMEM)
		memory_failed();
	return f;
}

/* Finds `uid` of the host (or with `host`, what here is called `uid`) in the map. */
static bool look_up(uid_t uid, bool host, uid_t *ret)
{
	_fclose_ FILE *f = open_proc("/proc/self/uid_map");
	unsigned here, there, cnt, n;

	for (n = 0; f && n < MAP_LINES && fscanf(f, "%u %u %u", &here, &there, &cnt) == 3; n++) {
		unsigned from = host ? here : there, to = host ? there : here;

		if (uid >= from && uid - from < cnt) {
			*ret = to + (uid - from);
			return true;
		}
	}
	return false;
}

static uid_t overflow_uid(void)
{
	_fclose_ FILE *f = open_proc("/proc/sys/kernel/overflowuid");
	unsigned uid;

	return f && fscanf(f, "%u", &uid) == 1 ? uid : 65534;
}

uid_t state_uid_here(uid_t uid)
{
	uid_t here;

	return look_up(uid, false, &here) ? here : overflow_uid();
}

uid_t state_uid_of_host(void)
{
	uid_t uid = geteuid(), host;

	return look_up(uid, true, &host) ? host : uid;
}

/* --- files ------------------------------------------------------------------------------- */

static int check_owner(int fd, mode_t type, uid_t uid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != type)
		return type == S_IFDIR ? -ENOTDIR : -EINVAL;
	return st.st_uid == state_uid_here(uid) ? 0 : -EPERM;
}

int state_open(const char *root, uid_t uid, const char *path, struct state *ret)
{
	_close_ int top = open(root && *root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int dir = -1;
	int r;

	if (top < 0)
		return -errno;
	dir = open_path(top, path, O_DIRECTORY, RESOLVE_IN_ROOT);
	if (dir < 0)
		return dir;
	r = check_owner(dir, S_IFDIR, uid);
	if (r < 0)
		return r;
	*ret = (struct state){ .dir = TAKE_FD(dir), .uid = uid };
	return 0;
}

void state_done(struct state *s)
{
	if (s->dir >= 0)
		close(s->dir);
	*s = STATE_INIT;
}

static int open_below(const struct state *s, const char *path, mode_t type)
{
	_close_ int fd = open_path(s->dir, path, type == S_IFDIR ? O_DIRECTORY : 0,
				   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	int r;

	if (fd < 0)
		return fd;
	r = check_owner(fd, type, s->uid);
	return r < 0 ? r : TAKE_FD(fd);
}

/* Not a byte of what is too large is read, however often somebody has it asked for. */
static int check_size(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size < 0 || (uint64_t)st.st_size > max ? -EFBIG : 0;
}

int state_read(const struct state *s, const char *path, size_t max, char **ret, size_t *ret_len)
{
	/* O_PATH first: to open a device or a fifo is to do something. */
	_close_ int fd = open_below(s, path, S_IFREG);
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int r = fd;

	if (s->uid != 0)
		max /= STATE_USERS_SHARE;
	if (r >= 0)
		r = check_size(fd, max);
	if (r < 0)
		return r;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	/* Never waits: its owner may hold a lease on it, for 45 s. */
	return file_read_at(AT_FDCWD, link, max, ret, ret_len);
}

bool state_has_dir(const struct state *s, const char *path)
{
	_close_ int fd = open_below(s, path, S_IFDIR);

	return fd >= 0;
}

DIR *state_list(const struct state *s)
{
	_close_ int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)TAKE_FD(fd);
	else if (fd >= 0)
		memory_failed();
	return dir;
}

int state_read_at(const char *root, uid_t uid, const char *dir, const char *path, size_t max,
		  char **ret, size_t *ret_len)
{
	_state_ struct state s = STATE_INIT;
	int r = state_open(root, uid, dir, &s);

	return r < 0 ? r : state_read(&s, path, max, ret, ret_len);
}

static int take_home(int err, const struct passwd *found, char **ret)
{
	char *home;

	if (err == ENOMEM)
		memory_failed();
	if (!found)
		return err ? -err : -ENOENT;
	if (found->pw_dir[0] != '/')
		return -EINVAL;
	home = strdup(found->pw_dir);
	if (!home)
		memory_failed();
	if (!home)
		return -ENOMEM;
	*ret = home;
	return 0;
}

static int home_in_file(const char *root, uid_t uid, char **ret)
{
	_free_ char *text = NULL;
	_fclose_ FILE *f = NULL;
	char line[PASSWD_LINE];
	struct passwd p, *found = NULL;
	size_t len;
	int r = state_read_at(root, 0, "/etc", "passwd", PASSWD_MAX, &text, &len);

	if (r < 0)
		return r;
	f = fmemopen(text, len, "r");
	if (!f)
		memory_failed();
	if (!f)
		return -errno;
	do
		r = fgetpwent_r(f, &p, line, sizeof(line), &found);
	while (r == 0 && p.pw_uid != uid);
	return take_home(r == 0 ? 0 : ENOENT, r == 0 ? found : NULL, ret);
}

int state_home(const char *root, uid_t uid, char **ret)
{
	char line[PASSWD_LINE];
	struct passwd p, *found = NULL;
	int r;

	if (root && *root)
		return home_in_file(root, uid, ret);
	r = getpwuid_r(uid, &p, line, sizeof(line), &found);
	return take_home(r, found, ret);
}
