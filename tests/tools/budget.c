/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each program costs this kernel's verifier. A line for each program of each object that this
 * kernel takes: ARCH SERIES OBJECT PROGRAM INSTRUCTIONS BYTES, with tabs between; instructions that
 * the verifier went through, and how long the program is once it has translated it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "bpf/abi.h"
#include "sensor/steady.h"

#include "legacy.skel.h"
#include "portable.skel.h"
#include "sensor.skel.h"

#define LOG_STATS 4 /* log_level: the sums alone; since Linux 5.2 */
#define LOG_LEN	  4096
#define PROGRAMS  32

static const struct object {
	const char *name, *door; /* the one program at sys_enter that is loaded of it */
	const void *(*bytes)(size_t *len);
} objects[] = {
	{ "sensor", "tamis_enter", sensor_bpf__elf_bytes },
	{ "portable", "tamis_enter_any", portable_bpf__elf_bytes },
	{ "legacy", "tamis_enter_any", legacy_bpf__elf_bytes },
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* Of the front doors the object's own, and the steady one where it is wanted. */
static bool is_measured(const struct bpf_program *p, const char *door)
{
	const char *section = bpf_program__section_name(p);
	uint32_t event;

	if (strcmp(section, "raw_tp/sys_enter") == 0)
		return strcmp(bpf_program__name(p), door) == 0;
	if (strncmp(section, "raw_tp/", strlen("raw_tp/")) == 0)
		return true;
	return strcmp(door, "tamis_enter") == 0 && steady_wanted(&event) > 0;
}

static int prepare(struct bpf_object *obj, const char *door, char logs[PROGRAMS][LOG_LEN])
{
	struct bpf_program *p;
	size_t n = 0;
	int r;

	bpf_object__for_each_program(p, obj)
	{
		bpf_program__set_autoload(p, is_measured(p, door));
		if (n == PROGRAMS)
			return -E2BIG;
		r = bpf_program__set_log_level(p, LOG_STATS);
		if (r == 0)
			r = bpf_program__set_log_buf(p, logs[n++], LOG_LEN);
		if (r < 0)
			return r;
	}
	return 0;
}

static int print_program(const struct bpf_program *p, const struct utsname *u, const char *object)
{
	struct bpf_prog_info info = { 0 };
	unsigned len = sizeof(info), major, minor;
	size_t log_len;
	const char *log = bpf_program__log_buf(p, &log_len);
	const char *sum = log ? strstr(log, "processed ") : NULL;

	if (!sum || bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) < 0 ||
	    sscanf(u->release, "%u.%u", &major, &minor) != 2) {
		fprintf(stderr, "budget: %s: no figures\n", bpf_program__name(p));
		return -ENODATA;
	}
	printf("%s\t%u.%u\t%s\t%s\t%lu\t%u\n", u->machine, major, minor, object,
	       bpf_program__name(p), strtoul(sum + strlen("processed "), NULL, 10),
	       info.xlated_prog_len);
	return 0;
}

static int measure(const struct object *o, const struct utsname *u)
{
	static char logs[PROGRAMS][LOG_LEN];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = o->name);
	struct bpf_program *p;
	struct bpf_object *obj;
	const void *bytes;
	size_t len;
	int r;

	memset(logs, 0, sizeof(logs));
	bytes = o->bytes(&len);
	obj = bpf_object__open_mem(bytes, len, &opts);
	if (!obj)
		return -errno;
	r = prepare(obj, o->door, logs);
	if (r == 0 && bpf_object__load(obj) < 0)
		fprintf(stderr, "budget: this kernel doesn't take %s\n", o->name);
	else if (r == 0)
		bpf_object__for_each_program(p, obj) if (r == 0 && bpf_program__autoload(p)) r =
			print_program(p, u, o->name);
	bpf_object__close(obj);
	return r;
}

int main(void)
{
	struct utsname u;
	int r = uname(&u) < 0 ? -errno : 0;

	libbpf_set_print(quiet);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(objects); i++)
		r = measure(&objects[i], &u);
	return r < 0;
}
