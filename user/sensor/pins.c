/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives the daemon: DIR/vN/{sets,cgroups,...,missed} are maps, DIR/vN/on_NAME links. DIR/vN-legacy
 * has the legacy door's: its sets are no one else's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/file.h"
#include "base/text.h"
#include "sensor/probe.h"
#include "sensor/sensor_internal.h"

#define PINS_MAX 64 /* entries looked at in a directory: we make 18 */

static char *version_dir(const struct sensor *s, const char *dir)
{
	return text_format("%s/v%d%s", dir, TAMIS_ABI_VERSION,
			   s->door == DOOR_LEGACY ? "-legacy" : "");
}

static int check_dir(const char *dir, char **ret_why)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return -errno;
	if (!probe_is_bpffs(dir)) {
		*ret_why = text_format("%s is not on a bpffs", dir);
		return -EMEDIUMTYPE;
	}
	if (st.st_uid != geteuid() || st.st_mode & 022) {
		*ret_why = text_format("%s is not ours alone: owner %u, mode %o", dir, st.st_uid,
				       st.st_mode & 07777);
		return -EUCLEAN;
	}
	return 0;
}

/* A pinned map is used only when it is the one that would be made; its room may differ. */
static int adopt(struct bpf_map *map, const char *path, bool *ret_found, char **ret_why)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	_close_ int fd = bpf_obj_get(path);

	*ret_found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || info.type != bpf_map__type(map) ||
	    info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map)) {
		*ret_why = text_format("%s is not a map of this version (remove it, or use another "
				       "--bpffs)",
				       path);
		return -EUCLEAN;
	}
	return bpf_map__set_max_entries(map, info.max_entries);
}

/* The state comes first in a pin directory: magic and version vouch for the rest. */
static int check_state(const char *path, char **ret_why)
{
	struct tamis_state state;
	uint32_t zero = 0;
	_close_ int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &zero, &state) == 0 && state.magic == TAMIS_MAGIC &&
	    state.version == TAMIS_ABI_VERSION)
		return 0;
	*ret_why = text_format("%s is not tamis's state (remove it, or use another --bpffs)", path);
	return -EUCLEAN;
}

int pins_prepare(struct sensor *s, const char *dir, char **ret_why)
{
	struct {
		const char *name;
		struct bpf_map *map;
	} const pin[] = {
		{ "state", s->skel->maps.data_state },	    { "sets", s->skel->maps.tamis_sets },
		{ "cgroups", s->skel->maps.tamis_cgroups }, { "tasks", s->skel->maps.tamis_tasks },
		{ "losses", s->skel->maps.tamis_losses },   { "paths", s->skel->maps.tamis_paths },
		{ "leaves", s->skel->maps.tamis_leaves },   { "ring", s->skel->maps.tamis_ring },
		{ "denials", s->skel->maps.tamis_denials },
	};
	bool found;
	int r;

	free(s->pins);
	s->pins = version_dir(s, dir);
	if (!s->pins)
		return -ENOMEM;
	r = file_mkdirs(s->pins, 0700);
	if (r >= 0)
		r = check_dir(s->pins, ret_why);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(pin); i++) {
		_free_ char *path = text_format("%s/%s", s->pins, pin[i].name);

		if (!path)
			return -ENOMEM;
		r = adopt(pin[i].map, path, &found, ret_why);
		if (r >= 0 && i == 0) {
			s->was_pinned = found;
			r = check_state(path, ret_why);
		}
		if (r >= 0)
			r = bpf_map__set_pin_path(pin[i].map, path);
	}
	return r;
}

static const char *const link_name[SENSOR_LINKS] = {
	[LINK_EXIT] = "exit",	  [LINK_EXEC] = "exec",	  [LINK_FORK] = "fork",
	[LINK_ATTACH] = "attach", [LINK_MKDIR] = "mkdir", [LINK_RMDIR] = "rmdir",
	[LINK_ENTER] = "enter",	  [LINK_FEED] = "feed",
};

char *pins_link_path(const struct sensor *s, enum sensor_link i)
{
	return text_format("%s/on_%s", s->pins, link_name[i]);
}

int pins_remove_link(struct sensor *s, enum sensor_link i)
{
	_free_ char *path = NULL;

	if (!s->pins)
		return 0;
	path = pins_link_path(s, i);
	if (!path)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* No dots in a bpffs. Renaming over the old link ends it: the new one is attached already. One that
 * this door doesn't have goes. */
static int publish_link(struct sensor *s, enum sensor_link i)
{
	_free_ char *path = pins_link_path(s, i);
	_free_ char *stage = text_format("%s/new_%s", s->pins, link_name[i]);
	int r;

	if (!s->link[i])
		return pins_remove_link(s, i);
	if (!path || !stage)
		return -ENOMEM;
	(void)unlink(stage);
	r = bpf_link__pin(s->link[i], stage);
	if (r < 0)
		return r;
	return rename(stage, path) < 0 ? -errno : 0;
}

int pins_publish_link(struct sensor *s, enum sensor_link i)
{
	return s->pins ? publish_link(s, i) : 0;
}

static int remove_version(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return -errno;
	for (int i = 0; i < PINS_MAX && (e = readdir(d)); i++)
		if (e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	closedir(d);
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Removes DIR/vN of every version but `keep`. */
static int remove_versions(const char *dir, const char *keep)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < PINS_MAX && (e = readdir(d)); i++) {
		if (e->d_name[0] != 'v' || (keep && !strcmp(e->d_name, keep)))
			continue;
		r = remove_version(dirfd(d), e->d_name);
	}
	closedir(d);
	return r;
}

int pins_publish(struct sensor *s, const char *dir)
{
	int r = missed_take_over(s);

	for (enum sensor_link i = 0; r >= 0 && i < SENSOR_LINKS; i++)
		r = publish_link(s, i);
	if (r < 0)
		return r;
	return remove_versions(dir, strrchr(s->pins, '/') + 1);
}

int sensor_unpin(const char *pins)
{
	return remove_versions(pins, NULL);
}
