/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel half by BPF_PROG_TEST_RUN: nothing is attached, this process is the current task,
 * in a cgroup of its own, and each run is one call as the sensor would see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bpf/abi.h"
#include "identity/cgroups.h"
#include "sensor/readback.h"

#include "legacy.skel.h"
#include "sensor.skel.h"

#define REGS 0xffffc90000013f58ull /* as a task's pt_regs look; any address will do */

static char *mount, *dir;
static uint64_t cgroup;

enum door { FAST, PORTABLE, LEGACY };

struct fixture {
	struct sensor_bpf *skel;
	struct bpf_program *enter;
	enum door door;
};

/* --- a cgroup to be in ------------------------------------------------------------------- */

static int join(const char *procs_of)
{
	_free_ char *procs = text_format("%s/cgroup.procs", procs_of);
	_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;
}

static int make_cgroup(void **state)
{
	_free_ char *path = text_format("/tamis-test-bpf.%d", getpid());

	if (geteuid() != 0 || cgroups_find(&mount) < 0 || !mount)
		return -1;
	dir = text_format("%s%s", mount, path);
	if (mkdir(dir, 0755) < 0 || cgroups_id(mount, path, &cgroup) < 0)
		return -1;
	return join(dir);
}

static int remove_cgroup(void **state)
{
	int r = join(mount);

	r |= rmdir(dir);
	free(dir);
	free(mount);
	return r;
}

/* --- programs ---------------------------------------------------------------------------- */

static struct sensor_bpf *open_object(enum door door)
{
	struct sensor_bpf *skel = calloc(1, sizeof(*skel));

	assert_non_null(skel);
	assert_int_equal(sensor_bpf__create_skeleton(skel), 0);
	if (door == LEGACY)
		skel->skeleton->data = (void *)legacy_bpf__elf_bytes(&skel->skeleton->data_sz);
	assert_int_equal(bpf_object__open_skeleton(skel->skeleton, NULL), 0);
	return skel;
}

static struct sensor_bpf *load(uint32_t sets, uint32_t ring, enum door door)
{
	struct sensor_bpf *skel = open_object(door);

	if (sets)
		assert_int_equal(bpf_map__set_max_entries(skel->maps.tamis_sets, sets), 0);
	if (ring)
		assert_int_equal(bpf_map__set_max_entries(skel->maps.tamis_ring, ring), 0);
	bpf_program__set_autoload(skel->progs.tamis_enter, door == FAST);
	bpf_program__set_autoload(skel->progs.tamis_enter_any, door != FAST);
	assert_int_equal(sensor_bpf__load(skel), 0);
	return skel;
}

static int open_door(void **state, enum door door)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->door = door;
	f->skel = load(0, 0, door);
	f->enter = door == FAST ? f->skel->progs.tamis_enter : f->skel->progs.tamis_enter_any;
	*state = f;
	return 0;
}

static int open_fast(void **state)
{
	return open_door(state, FAST);
}

static int open_portable(void **state)
{
	return open_door(state, PORTABLE);
}

static int open_legacy(void **state)
{
	return open_door(state, LEGACY);
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	sensor_bpf__destroy(f->skel);
	free(f);
	return 0;
}

static void call_at(const struct fixture *f, uint64_t regs, uint64_t nr)
{
	uint64_t args[2] = { regs, nr };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = sizeof(args));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(f->enter), &o), 0);
}

static void call(const struct fixture *f, uint64_t nr)
{
	call_at(f, REGS, nr);
}

static bool read_set(const struct fixture *f, uint32_t abi, uint32_t stage, struct tamis_set *ret)
{
	struct tamis_key key = { cgroup, abi, stage };
	int sets = bpf_map__fd(f->skel->maps.tamis_sets);
	struct tamis_legacy_set kept;

	memset(ret, 0, sizeof(*ret));
	if (f->door != LEGACY)
		return bpf_map_lookup_elem(sets, &key, ret) == 0;
	if (bpf_map_lookup_elem(sets, &key, &kept) < 0)
		return false;
	readback_legacy(&kept, f->skel->data_state->state.unit, ret);
	return true;
}

static bool seen(const struct fixture *f, uint32_t stage, unsigned nr)
{
	struct tamis_set set;

	return read_set(f, TAMIS_ABI_X86_64, stage, &set) && set.seen[nr / 64] >> (nr % 64) & 1;
}

static struct tamis_loss lost(const struct fixture *f)
{
	struct tamis_loss loss = { 0 };

	(void)bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.tamis_losses), &cgroup, &loss);
	return loss;
}

static void forget(const struct fixture *f)
{
	struct tamis_key key = { cgroup, TAMIS_ABI_X86_64, TAMIS_WORKLOAD };

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.tamis_sets), &key), 0);
}

/* --- tests ------------------------------------------------------------------------------- */

static void every_number_has_its_own_bit(void **state)
{
	struct fixture *f = *state;

	for (unsigned nr = 0; nr < TAMIS_CALLS; nr++) {
		assert_false(seen(f, TAMIS_WORKLOAD, nr));
		call(f, nr);
		assert_true(seen(f, TAMIS_WORKLOAD, nr));
	}
	assert_int_equal(lost(f).range, 0);
}

static void numbers_out_of_range_are_counted(void **state)
{
	static const uint64_t out[] = { TAMIS_CALLS, 1000, UINT32_MAX, UINT64_MAX,
					TAMIS_X32_BIT | 1 /* this kernel may lack x32 */ };
	struct fixture *f = *state;
	struct tamis_set set;
	bool x32 = f->skel->rodata->cfg_x32;

	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		call(f, out[i]);
	assert_int_equal(lost(f).range, ARRAY_SIZE(out) - x32);
	assert_int_equal(f->skel->data_state->state.lost.range, ARRAY_SIZE(out) - x32);
	assert_false(read_set(f, TAMIS_ABI_X86_64, TAMIS_WORKLOAD, &set));
}

static void units_do_not_run_into_each_other(void **state)
{
	struct fixture *f = *state;
	struct tamis_state *s = &f->skel->data_state->state;
	struct tamis_set set;

	for (uint32_t unit = 5; unit <= 7; unit++) {
		s->unit = unit;
		s->epoch++;
		call(f, 32 + unit);
	}
	assert_true(read_set(f, TAMIS_ABI_X86_64, TAMIS_WORKLOAD, &set));
	assert_int_equal(set.unit[0][1], 6ull << 32 | 1 << 6);
	assert_int_equal(set.unit[1][1], 7ull << 32 | 1 << 7); /* 5 gave way to 7 */
	assert_int_equal(set.seen[0], 7ull << 37);	       /* but nothing is unseen */
}

static void a_cached_call_is_not_recorded_again_before_the_epoch(void **state)
{
	struct fixture *f = *state;

	call(f, 7);
	forget(f);
	call(f, 7);
	assert_false(seen(f, TAMIS_WORKLOAD, 7));
	f->skel->data_state->state.epoch++;
	call(f, 7);
	assert_true(seen(f, TAMIS_WORKLOAD, 7));
}

static void tasks_in_one_slot_keep_apart(void **state)
{
	struct fixture *f = *state;
	uint64_t other = REGS + (1ull << 46); /* the same hash input: the same slot */

	call(f, 7);
	forget(f);
	call_at(f, other, 7);
	assert_true(seen(f, TAMIS_WORKLOAD, 7));
}

static void changes_tell_whether_to_drain(void **state)
{
	struct fixture *f = *state;
	uint64_t *changes = (uint64_t *)&f->skel->data_state->state.changes, before;

	call(f, 9);
	before = *changes;
	assert_true(before > 0);
	call(f, 9);
	f->skel->data_state->state.epoch++; /* seen again, nothing new */
	call(f, 9);
	assert_int_equal(*changes, before);
	call(f, 10);
	assert_true(*changes > before);
}

static void mark_self(const struct fixture *f, uint32_t stage, uint32_t filters)
{
	struct tamis_task mark = { .cgroup = cgroup, .stage = stage, .filters = filters };
	uint32_t tgid = getpid();

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(f->skel->maps.tamis_tasks), &tgid, &mark, BPF_ANY),
		0);
}

static void stages_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	uint32_t tgid = getpid();

	mark_self(f, TAMIS_SETUP, 0);
	call(f, 11);
	assert_true(seen(f, TAMIS_SETUP, 11));
	assert_false(seen(f, TAMIS_WORKLOAD, 11));
	/* a stage changes with an exec, a move: what was done before it hides nothing */
	mark_self(f, TAMIS_SESSION, 0);
	f->skel->data_state->state.epoch++;
	call(f, 11);
	assert_true(seen(f, TAMIS_SESSION, 11));
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.tamis_tasks), &tgid), 0);
	f->skel->data_state->state.epoch++;
	call(f, 11);
	assert_true(seen(f, TAMIS_WORKLOAD, 11));
}

static void a_full_map_is_counted(void **state)
{
	struct fixture f = { .skel = load(1, 0, FAST) };
	struct tamis_key other = { 4711, 0, 0 };
	struct tamis_set none = { 0 };

	f.enter = f.skel->progs.tamis_enter;
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(f.skel->maps.tamis_sets), &other, &none, 0), 0);
	call(&f, 1);
	call(&f, 1); /* not cached either: it would be lost for good */
	assert_int_equal(lost(&f).full, 2);
	sensor_bpf__destroy(f.skel);
}

static void a_full_ring_is_counted_and_loses_no_call(void **state)
{
	struct fixture f = { .skel = load(0, 4096, FAST) };

	f.enter = f.skel->progs.tamis_enter;
	for (unsigned nr = 0; nr < 100; nr++)
		call(&f, nr);
	assert_true(lost(&f).ring > 0);
	for (unsigned nr = 0; nr < 100; nr++)
		assert_true(seen(&f, TAMIS_WORKLOAD, nr));
	sensor_bpf__destroy(f.skel);
}

/* All that an object says to the kernel, before anything is changed for this one. */
static bool is_in_5_10(const struct bpf_insn *insn)
{
	bool helper = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == 0;
	bool atomic = BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;

	if (helper)
		return insn->imm <= BPF_FUNC_redirect_peer;
	return !(insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL) &&
	       !(atomic && insn->imm != BPF_ADD);
}

#define VALUE_5_10 (4u << 20) /* KMALLOC_MAX_SIZE: no map's value is larger */

static size_t count_newer(enum door door)
{
	struct sensor_bpf *skel = open_object(door);
	struct bpf_program *p;
	struct bpf_map *map;
	size_t n = 0;

	bpf_object__for_each_map(map, skel->obj) n += bpf_map__value_size(map) > VALUE_5_10;

	bpf_object__for_each_program(p, skel->obj)
	{
		const struct bpf_insn *insns = bpf_program__insns(p);

		for (size_t i = 0; bpf_program__autoload(p) && i < bpf_program__insn_cnt(p); i++)
			n += !is_in_5_10(&insns[i]);
	}
	sensor_bpf__destroy(skel);
	return n;
}

static void the_legacy_object_needs_nothing_newer_than_5_10(void **state)
{
	assert_int_equal(count_newer(LEGACY), 0);
	assert_true(count_newer(FAST) > 0); /* they would be found */
}

/* Last: the filter stays on this process. */
static void a_filter_more_than_at_entry_is_the_gate(void **state)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	struct fixture *f = *state;

	mark_self(f, TAMIS_SETUP, 0);
	call(f, 12);
	assert_true(seen(f, TAMIS_SETUP, 12));
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
	call(f, 13);
	assert_true(seen(f, TAMIS_GATE, 13));
	mark_self(f, TAMIS_SETUP, 1); /* an inherited filter is not the gate */
	call(f, 14);
	assert_true(seen(f, TAMIS_SETUP, 14));
}

#define AT_DOOR(test, door)                                                  \
	{                                                                    \
#test " (" #door ")", test, open_##door, close_fixture, NULL \
	}
#define EACH_DOOR(test) AT_DOOR(test, fast), AT_DOOR(test, portable), AT_DOOR(test, legacy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_DOOR(every_number_has_its_own_bit),
		EACH_DOOR(numbers_out_of_range_are_counted),
		EACH_DOOR(units_do_not_run_into_each_other),
		EACH_DOOR(a_cached_call_is_not_recorded_again_before_the_epoch),
		EACH_DOOR(tasks_in_one_slot_keep_apart),
		EACH_DOOR(changes_tell_whether_to_drain),
		EACH_DOOR(stages_are_kept_apart),
		cmocka_unit_test(a_full_map_is_counted),
		cmocka_unit_test(a_full_ring_is_counted_and_loses_no_call),
		cmocka_unit_test(the_legacy_object_needs_nothing_newer_than_5_10),
		cmocka_unit_test_setup_teardown(a_filter_more_than_at_entry_is_the_gate, open_fast,
						close_fixture),
	};

	return cmocka_run_group_tests(tests, make_cgroup, remove_cgroup);
}
