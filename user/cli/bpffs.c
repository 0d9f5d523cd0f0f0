/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "sensor/probe.h"
#include "sensor/sensor.h"

#define HOST_BPFFS "/sys/fs/bpf"
#define HOST_PINS  HOST_BPFFS "/tamis"
#define OWN_BPFFS  "/run/tamis/bpf"

static const char *default_dir(void)
{
	return probe_is_bpffs(HOST_BPFFS) ? HOST_PINS : OWN_BPFFS;
}

/* A fresh bpffs may hold the kernel's own iterators (CONFIG_BPF_PRELOAD). */
static bool is_kernels(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "maps.debug") ||
	       !strcmp(name, "progs.debug");
}

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e = NULL;

	if (!d)
		return false;
	while ((e = readdir(d)) && is_kernels(e->d_name))
		;
	closedir(d);
	return !e;
}

/* Mounted: whoever follows from another directory sees another device. */
static bool is_mount_point(const char *dir)
{
	char up[PATH_MAX];
	struct stat here, above;

	if (snprintf(up, sizeof(up), "%s/..", dir) >= (int)sizeof(up))
		return false;
	return stat(dir, &here) == 0 && stat(up, &above) == 0 && here.st_dev != above.st_dev;
}

int bpffs_prepare(const char *dir, char **ret)
{
	int r;

	dir = dir ? dir : default_dir();
	r = file_mkdirs(dir, 0700);
	if (r < 0)
		return log_err_errno(r, "can't make %s", dir);
	if (!probe_is_bpffs(dir)) {
		if (!is_empty(dir)) {
			log_err("%s is not on a bpffs, and not empty: nothing mounted there", dir);
			return -ENOTEMPTY;
		}
		if (mount("tamis", dir, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
			return log_err_errno(-errno, "can't mount a bpffs on %s", dir);
	}
	*ret = strdup(dir);
	return *ret ? 0 : -ENOMEM;
}

int bpffs_clear(const char *dir)
{
	int r;

	dir = dir ? dir : default_dir();
	if (!probe_is_bpffs(dir))
		return 0;
	r = sensor_unpin(dir);
	if (r < 0)
		return log_err_errno(r, "can't remove the pins in %s", dir);
	if (is_mount_point(dir) && strcmp(dir, HOST_BPFFS) != 0 && is_empty(dir) &&
	    umount2(dir, UMOUNT_NOFOLLOW) < 0)
		return log_err_errno(-errno, "can't unmount %s", dir);
	(void)rmdir(dir); /* ours, unless something else is in it or mounted there */
	return 0;
}
