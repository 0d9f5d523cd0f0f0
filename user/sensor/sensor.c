/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/sensor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/text.h"
#include "sensor/probe.h"
#include "sensor/ring.h"
#include "sensor/sensor_internal.h"
#include "sensor/steady.h"

#include "legacy.skel.h"
#include "portable.skel.h"

_Static_assert(sizeof(struct tamis_key) == 16, "tamis_key");
_Static_assert(sizeof(struct tamis_set) == 360, "tamis_set");
_Static_assert(sizeof(struct tamis_legacy_set) == 2304, "tamis_legacy_set");
_Static_assert(sizeof(struct tamis_event) == 64, "tamis_event");
_Static_assert(sizeof(struct tamis_leave) == 40, "tamis_leave");
_Static_assert(sizeof(struct tamis_loss) == 40, "tamis_loss");
_Static_assert(sizeof(struct tamis_denied_key) == 16, "tamis_denied_key");
_Static_assert(sizeof(struct tamis_denied) == 48, "tamis_denied");

#define SETS_DEFAULT 32768
#define SETS_LEGACY  8192 /* 19 MB: a set is six times as large */
#define SETS_MAX     (1 << 24)
#define SLOTS_MAX    8192

/* One skeleton serves all objects: what is set before load is at the same place in each. */
#define AT(object, what) offsetof(struct object##_bpf__rodata, what)
#define SAME_AT(what)                                                \
	_Static_assert(AT(sensor, what) == AT(portable, what) &&     \
			       AT(sensor, what) == AT(legacy, what), \
		       #what)
SAME_AT(cfg_x32);
SAME_AT(cfg_slot_shift);
SAME_AT(cfg_enter_event);

/* libbpf says the same failure several times over: it is for --verbose alone. */
__attribute__((format(printf, 2, 0))) static int libbpf_log(enum libbpf_print_level level,
							    const char *fmt, va_list args)
{
	char line[512];

	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (level != LIBBPF_DEBUG)
		log_debug("libbpf: %s", line);
	return 0;
}

static int configure(struct sensor *s, const struct sensor_options *o)
{
	uint32_t slots = o->cache_slots ? o->cache_slots : SLOTS_MAX;
	uint32_t sets = s->door == DOOR_LEGACY ? SETS_LEGACY : SETS_DEFAULT;

	if (o->sets)
		sets = o->sets;

	if (slots > SLOTS_MAX || slots & (slots - 1) || sets > SETS_MAX)
		return -EINVAL;
	s->skel->rodata->cfg_x32 = probe_x32();
	s->skel->rodata->cfg_enter_event = s->enter_event;
	s->skel->rodata->cfg_slot_shift = 32 - __builtin_ctz(slots);
	return bpf_map__set_max_entries(s->skel->maps.tamis_sets, sets);
}

/* All objects have the same maps and programs; the legacy one has other sets, and a map more. */
static int open_skeleton(enum sensor_door_kind door, struct sensor_bpf **ret)
{
	_free_ char *types = probe_btf() ? NULL : probe_btf_path();
	const struct bpf_object_open_opts opts = {
		.sz = sizeof(opts),
		.btf_custom_path = types && access(types, R_OK) == 0 ? types : NULL,
	};
	struct sensor_bpf *skel = calloc(1, sizeof(*skel));
	int r;

	if (!skel)
		return -ENOMEM;
	r = sensor_bpf__create_skeleton(skel);
	if (r == 0 && door == DOOR_PORTABLE)
		skel->skeleton->data = (void *)portable_bpf__elf_bytes(&skel->skeleton->data_sz);
	if (r == 0 && door == DOOR_LEGACY)
		skel->skeleton->data = (void *)legacy_bpf__elf_bytes(&skel->skeleton->data_sz);
	if (r == 0)
		r = bpf_object__open_skeleton(skel->skeleton, &opts);
	if (r < 0) {
		sensor_bpf__destroy(skel);
		return r;
	}
	*ret = skel;
	return 0;
}

/* libbpf 1.5 leaves a map that was pinned already as memory of our own: the kernel's is put there. */
static int map_state(struct sensor *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(s->skel->data_state, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			bpf_map__fd(s->skel->maps.data_state), 0);

	_Static_assert(sizeof(*s->skel->data_state) <= 4096, "one page");
	return at == MAP_FAILED ? -errno : 0;
}

/* libbpf maps what the programs alone use as well, megabytes that count as ours. Nothing is put in its
 * place, but the addresses stay taken: libbpf unmaps them in the end. */
static int unmap_rest(struct sensor *s)
{
	const struct bpf_object_skeleton *all = s->skel->skeleton;

	for (int i = 0; i < all->map_cnt; i++) {
		void **at = all->maps[i].mmaped;
		const struct bpf_map *map = *all->maps[i].map;

		if (!at || !*at || map == s->skel->maps.data_state)
			continue;
		if (mmap(*at, bpf_map__value_size(map), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

/* A kernel may load what it can't attach. */
static int try_enter(struct sensor *s)
{
	int r = sensor_enter_attach(s);

	sensor_enter_detach(s);
	return r;
}

static int load(struct sensor *s, const struct sensor_options *o, enum sensor_door_kind door,
		char **ret_why)
{
	int r = open_skeleton(door, &s->skel);

	if (r < 0)
		return r;
	s->door = door;
	bpf_program__set_autoload(s->skel->progs.tamis_enter, door == DOOR_FAST);
	bpf_program__set_autoload(s->skel->progs.tamis_enter_any, door > DOOR_FAST);
	bpf_program__set_autoload(s->skel->progs.tamis_steady, door == DOOR_STEADY);
	bpf_program__set_autoload(s->skel->progs.tamis_feed, door == DOOR_STEADY);
	r = configure(s, o);
	if (r >= 0 && o->pins)
		r = pins_prepare(s, o->pins, ret_why);
	if (r >= 0)
		r = sensor_bpf__load(s->skel);
	if (r >= 0)
		r = map_state(s);
	if (r >= 0)
		r = unmap_rest(s);
	if (r >= 0 && door == DOOR_STEADY)
		r = try_enter(s);
	if (r < 0) {
		sensor_bpf__destroy(s->skel);
		s->skel = NULL;
	}
	return r;
}

static int attach(struct sensor *s)
{
	for (enum sensor_link i = 0; i < LINK_ENTER; i++) {
		s->link[i] = bpf_program__attach(sensor_program(s, i));
		if (!s->link[i])
			return -errno;
	}
	return sensor_enter_attach(s);
}

static int open_ring(struct sensor *s)
{
	struct bpf_map *map = s->skel->maps.tamis_ring;

	return ring_new(bpf_map__fd(map), bpf_map__max_entries(map), &s->ring);
}

static char *no_types(void)
{
	_free_ char *types = probe_btf_path();

	if (types && access(types, R_OK) == 0)
		return text_format("the BPF programs can't be loaded with the types in %s: they "
				   "may be another kernel's",
				   types);
	return text_format("no /sys/kernel/btf/vmlinux: this kernel was built without BTF, which "
			   "CO-RE programs need; it can be supplied as %s",
			   types ?: PROBE_BTF_DIR);
}

static int explain(int r, char **ret_why)
{
	if (*ret_why)
		return r;
	if (r == -EACCES && geteuid() == 0)
		*ret_why = text_format("the kernel's verifier, or a security module, refuses the "
				       "BPF programs");
	else if (r == -EPERM || r == -EACCES)
		*ret_why = text_format("not allowed to load BPF programs (root, or CAP_BPF and "
				       "CAP_PERFMON, is needed)");
	else if (!probe_btf())
		*ret_why = no_types();
	else
		*ret_why = text_format("can't load the BPF programs: %s", strerror(-r));
	return r;
}

/* Any error may be of a door that this kernel lacks; but the sets of the last are others, which is
 * not for an error that comes and goes. */
static int load_any(struct sensor *s, const struct sensor_options *o, char **ret_why)
{
	bool legacy = o->legacy || probe_atomics() == 0;
	int r = -EOPNOTSUPP;

	if (legacy)
		return load(s, o, DOOR_LEGACY, ret_why);
	if (!o->portable && steady_wanted(&s->enter_event) > 0)
		r = load(s, o, DOOR_STEADY, ret_why);
	if (r < 0 && !*ret_why && !o->portable)
		r = load(s, o, DOOR_FAST, ret_why);
	if (r < 0 && !*ret_why)
		r = load(s, o, DOOR_PORTABLE, ret_why);
	return r;
}

int sensor_open(const struct sensor_options *o, struct sensor **ret, char **ret_why)
{
	_cleanup_(sensor_close) struct sensor *s = calloc(1, sizeof(*s));
	int r;

	*ret_why = NULL;
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	libbpf_set_print(libbpf_log);
	r = load_any(s, o, ret_why);
	if (r >= 0)
		r = attach(s);
	if (r >= 0)
		r = open_ring(s);
	if (r >= 0 && o->pins)
		r = pins_publish(s, o->pins);
	if (r < 0)
		return explain(r, ret_why);
	sensor_awake(s);
	*ret = TAKE_PTR(s);
	return 0;
}

void sensor_close(struct sensor *s)
{
	if (!s)
		return;
	ring_free(s->ring);
	bpf_link__destroy(s->denials);
	for (int i = 0; i < SENSOR_LINKS; i++)
		bpf_link__destroy(s->link[i]);
	sensor_bpf__destroy(s->skel);
	pthread_mutex_destroy(&s->lock);
	missed_free(s->missed);
	free(s->pins);
	free(s);
}

bool sensor_was_pinned(const struct sensor *s)
{
	return s->was_pinned;
}

const char *sensor_door(const struct sensor *s)
{
	static const char *const name[DOORS] = { "steady", "fast", "portable", "legacy" };

	return name[s->door];
}
