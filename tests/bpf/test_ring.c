/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every record of a ring, in order and whole, whatever of it the window shows: cgroups with long names
 * are made, and read back, until the ring has begun again some times.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/text.h"
#include "bpf/abi.h"
#include "identity/cgroups.h"
#include "sensor/ring.h"

#include "sensor.skel.h"

#define NAMES 100

struct fixture {
	struct sensor_bpf *skel;
	struct bpf_link *link;
	struct ring *ring;
	unsigned made, read;
};

static char *mount, *dir;

static int make_dir(void **state)
{
	if (cgroups_find(&mount) < 0)
		return -1;
	dir = text_format("%s/tamis-test-ring-%d", mount, getpid());
	return dir ? mkdir(dir, 0755) : -1;
}

static int remove_dir(void **state)
{
	int r = rmdir(dir);

	free(dir);
	free(mount);
	return r;
}

static void open_ring(struct fixture *f, uint32_t size)
{
	struct bpf_map *map;

	f->skel = sensor_bpf__open();
	assert_non_null(f->skel);
	map = f->skel->maps.tamis_ring;
	assert_int_equal(bpf_map__set_max_entries(map, size), 0);
	bpf_program__set_autoload(f->skel->progs.tamis_enter_any, false);
	assert_int_equal(sensor_bpf__load(f->skel), 0);
	assert_int_equal(ring_new(bpf_map__fd(map), size, &f->ring), 0);
	f->link = bpf_program__attach(f->skel->progs.tamis_mkdir);
	assert_non_null(f->link);
}

static void close_ring(struct fixture *f)
{
	bpf_link__destroy(f->link);
	ring_free(f->ring);
	sensor_bpf__destroy(f->skel);
}

/* Names of 100 to 199 bytes: records begin anywhere in a page. */
static char *name_of(unsigned n)
{
	return text_format("%s/%0*u", dir, 100 + (int)(n % NAMES), n);
}

static void on_record(const void *record, size_t len, void *arg)
{
	struct fixture *f = arg;
	const struct tamis_event *e = record;
	_free_ char *want = name_of(f->read);
	const char *path = want + strlen(mount), *ours = dir + strlen(mount);

	assert_true(len >= sizeof(*e) && e->text_len <= len - sizeof(*e));
	if (e->kind != TAMIS_EV_MKDIR || strncmp(e->text, ours, strlen(ours)) != 0)
		return; /* somebody else's */
	assert_int_equal(e->text_len, strlen(path));
	assert_memory_equal(e->text, path, e->text_len);
	f->read++;
}

static void make(struct fixture *f)
{
	_free_ char *name = name_of(f->made++);

	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(rmdir(name), 0);
}

/* `cnt` records, of a kilobyte each, `at_once` of them between two looks. */
static void read_all(uint32_t size, unsigned cnt, unsigned at_once)
{
	struct fixture f = { 0 };

	open_ring(&f, size);
	while (f.made < cnt) {
		for (unsigned i = 0; i < at_once; i++)
			make(&f);
		assert_int_equal(ring_read(f.ring, on_record, &f), 0);
		assert_int_equal(f.read, f.made);
	}
	close_ring(&f);
}

static void a_ring_as_large_as_its_window(void **state)
{
	read_all(64 * 1024, 500, 1);
}

static void a_ring_larger_than_its_window(void **state)
{
	read_all(1024 * 1024, 2500, 500);
}

static void nothing_waits_in_an_empty_ring(void **state)
{
	struct fixture f = { 0 };

	open_ring(&f, 4096);
	bpf_link__destroy(f.link);
	f.link = NULL;
	(void)ring_read(f.ring, on_record, &f);
	assert_int_equal(ring_read(f.ring, on_record, &f), 0);
	assert_int_equal(f.read, 0);
	close_ring(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_as_large_as_its_window),
		cmocka_unit_test(a_ring_larger_than_its_window),
		cmocka_unit_test(nothing_waits_in_an_empty_ring),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
