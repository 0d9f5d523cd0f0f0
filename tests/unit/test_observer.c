/* SPDX-License-Identifier: Apache-2.0 */
/* From a kernel that does what it is told to a real store: what a drain brings. */
#include "observer_fixture.h"

#include "model/abi.h"
#include "model/calls.h"

/* A container of an instant: all notices and its calls before the first drain. */
static void a_short_life_is_whole(void **state)
{
	struct store_row row;

	start();
	kernel_mkdir(100, "/w-a");
	kernel_started(100);
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(100, TAMIS_SETUP, 165);
	kernel_rmdir(100);
	drain();
	assert_row("cgroup/w-a", false, 1, 1);
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 1));
	assert_true(has_call("cgroup/w-a", TAMIS_SETUP, 165));
	assert_int_equal(kernel.set_cnt, 0); /* nothing is kept of the dead */
	row = row_of("cgroup/w-a");
	assert_string_equal(row.owner, "jobs");
	assert_string_equal(row.namespace, "shop");
	assert_string_equal(row.pod, "pod-1");
	assert_null(row.why_not);
	store_row_done(&row);
}

/* In one drain there is more than the store keeps of an owner: a new workload must not take the
 * place of one whose other sets are still to come. */
static void more_lives_than_an_owner_may_have(void **state)
{
	enum { LIVES = STORE_OWNER_MAX + 100 };
	static char path[LIVES][16];

	start();
	for (unsigned i = 0; i < LIVES; i++) {
		snprintf(path[i], sizeof(path[i]), "/w-%u", i);
		kernel_mkdir(1000 + i, path[i]);
		kernel_call(1000 + i, TAMIS_SETUP, 165);
	}
	for (unsigned i = 0; i < LIVES; i++) {
		kernel_call(1000 + i, TAMIS_WORKLOAD, 1);
		kernel_rmdir(1000 + i);
	}
	drain();
	assert_int_equal(kernel.set_cnt, 0);
	assert_true(has_call("cgroup/w-0", TAMIS_WORKLOAD, 1));
	assert_int_equal(count_workloads(), LIVES);
	kernel_mkdir(100, "/w-new");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	assert_true(is_there("cgroup/w-new"));
	assert_true(count_workloads() <= LIVES);
}

static void who_is_not_known_cannot_be_enforced(void **state)
{
	struct store_row row;

	start();
	kernel_mkdir(100, "/w-a~");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	drain();
	row = row_of("cgroup/w-a~");
	assert_string_equal(row.why_not, "nobody knows");
	store_row_done(&row);
}

static void inner_cgroups_are_their_containers(void **state)
{
	char **labels = NULL;
	struct store_row row;
	size_t cnt = 0;

	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-a/docker-abc");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(101, TAMIS_WORKLOAD, 2);
	kernel_started(100);
	kernel_started(101);
	kernel_rmdir(101);
	kernel_rmdir(100);
	drain();
	assert_row("cgroup/w-a", false, 2, 1);
	assert_true(has_call("cgroup/w-a", TAMIS_WORKLOAD, 2));
	row = row_of("cgroup/w-a");
	assert_stored(store_inner_list(st, row.id, &labels, &cnt));
	assert_int_equal(cnt, 1);
	assert_string_equal(labels[0], "docker/abc");
	free(labels[0]);
	free(labels);
	store_row_done(&row);
}

/* crun's: all is called in a cgroup inside, which goes first. */
static void a_container_that_does_all_inside_ends(void **state)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-a/container");
	kernel_started(101);
	kernel_call(101, TAMIS_WORKLOAD, 2);
	drain();
	assert_row("cgroup/w-a", true, 1, 1);
	kernel_rmdir(101);
	drain();
	assert_row("cgroup/w-a", true, 1, 1);
	kernel_rmdir(100);
	drain();
	assert_row("cgroup/w-a", false, 1, 1);
}

static void leave(uint64_t from, uint64_t to, unsigned count, const char *comm)
{
	struct kernel_cgroup *c = kernel_cgroup(from);

	c->has_leave = true;
	c->leave = (struct tamis_leave){ .count = count, .to = to };
	memcpy(c->leave.comm, comm, strlen(comm));
	kernel.news = true;
}

static void assert_left(const char *key, unsigned cnt, const char *comm, const char *path)
{
	struct store_row row = row_of(key);

	assert_int_equal(row.evidence.leaves, cnt);
	if (comm) {
		assert_string_equal(row.leave_comm, comm);
		assert_string_equal(row.leave_path, path);
	} else {
		assert_null(row.leave_path);
	}
	store_row_done(&row);
}

static void who_leaves_is_counted_and_named(void **state)
{
	start();
	kernel_mkdir(100, "/w-a");
	kernel_mkdir(101, "/w-a/in");
	kernel_mkdir(200, "/elsewhere");
	kernel_call(100, TAMIS_WORKLOAD, 1);
	leave(100, 101, 3, "mover"); /* its own */
	drain();
	assert_left("cgroup/w-a", 0, NULL, NULL);
	leave(100, 200, 5, "sshd-of-16-bytes");
	drain();
	assert_left("cgroup/w-a", 2, "sshd-of-16-bytes", "/elsewhere");
	leave(100, 200, 5, "same");
	drain();
	assert_left("cgroup/w-a", 2, "sshd-of-16-bytes", "/elsewhere");
	leave(101, 999, 4, "cron");
	drain();
	assert_left("cgroup/w-a", 6, "sshd-of-16-bytes", "/elsewhere");
	leave(100, 999, 6, "cron");
	drain();
	assert_left("cgroup/w-a", 7, "cron", "cgroup 999");
}

static char told[512]; /* gate calls: "KEY NR,NR;" */

static void on_gate_unknown(void *arg, const char *key, enum tamis_abi abi,
			    const struct sysset *calls)
{
	size_t at = strlen(told);

	at += (size_t)snprintf(told + at, sizeof(told) - at, "%s ", key);
	for (int nr = sysset_next(calls, 0); nr >= 0; nr = sysset_next(calls, (unsigned)nr + 1))
		at += (size_t)snprintf(told + at, sizeof(told) - at, "%d,", nr);
	snprintf(told + at, sizeof(told) - at, ";");
}

static void unknown_gate_calls_are_told_once(void **state)
{
	const unsigned mount = (unsigned)calls_number(TAMIS_ABI_X86_64, "mount");
	const unsigned umount = (unsigned)calls_number(TAMIS_ABI_X86_64, "umount2");
	const unsigned execve = (unsigned)calls_number(TAMIS_ABI_X86_64, "execve");

	told[0] = '\0';
	options.gate_unknown = on_gate_unknown;
	if (abi_native() == TAMIS_ABI_X86_64) {
		start();
		kernel_mkdir(100, "/w-a");
		kernel_mkdir(101, "/w-a/in");
		kernel_call(100, TAMIS_GATE, execve);
		kernel_call(100, TAMIS_SETUP, mount);
		drain();
		assert_string_equal(told, "");
		kernel_call(100, TAMIS_GATE, mount);
		kernel_call(101, TAMIS_GATE, mount);
		drain();
		assert_string_equal(told, "cgroup/w-a 165,;");
		told[0] = '\0';
		assert_stored(observer_unit(watcher));
		kernel_call(100, TAMIS_GATE, mount);
		drain();
		assert_string_equal(told, "");
		kernel_call(101, TAMIS_GATE, mount);
		kernel_call(101, TAMIS_GATE, umount);
		drain();
		assert_string_equal(told, "cgroup/w-a 166,;");
	}
}

static void units_and_plain_cgroups_are_seeded(void **state)
{
	kernel_cgroup(100)->path = "/w-a";
	kernel_cgroup(101)->path = "/w-a/in";
	kernel_cgroup(200)->path = "/elsewhere";
	start();
	assert_true(kernel_find(100)->has_start);
	assert_int_equal(kernel_find(100)->start.starts, 0);
	assert_int_equal(kernel_find(100)->start.mnt_ns, 0);
	assert_false(kernel_find(101)->has_start);
	assert_false(kernel_find(200)->has_start);
}

/* What ran while nobody watched is not whole; with pins the kernel half did watch. */
static void a_gap_is_counted_without_pins(void **state)
{
	static const struct {
		bool pinned, napping; /* until it was killed */
		unsigned gaps;
	} rows[] = {
		{ true, false, 0 }, { false, false, 1 }, { true, false, 1 }, { true, true, 2 }
	};

	kernel_cgroup(100)->path = "/w-a";
	kernel_call(100, TAMIS_WORKLOAD, 1);
	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_row row;

		observer_free(watcher);
		kernel.pinned = rows[i].pinned;
		kernel.napping = rows[i].napping;
		start();
		row = row_of("cgroup/w-a");
		assert_int_equal(row.evidence.lost_gaps, rows[i].gaps);
		assert_true(row.running);
		store_row_done(&row);
	}
}

static void assert_gaps(const char *key, unsigned gaps)
{
	struct store_row row = row_of(key);

	assert_int_equal(row.evidence.lost_gaps, gaps);
	store_row_done(&row);
}

/* It may have been anybody's call: one gap for each, though nothing else is new. */
static void runs_left_out_are_everybodys_gap(void **state)
{
	kernel_cgroup(100)->path = "/w-a";
	kernel_cgroup(200)->path = "/w-b";
	kernel_call(100, TAMIS_WORKLOAD, 1);
	kernel_call(200, TAMIS_WORKLOAD, 1);
	start();
	assert_gaps("cgroup/w-a", 0);
	kernel.missed = 7;
	kernel.news = false;
	assert_int_equal(observer_drain(watcher), 0);
	assert_gaps("cgroup/w-a", 1);
	assert_gaps("cgroup/w-b", 1);
	assert_int_equal(observer_drain(watcher), 0);
	assert_gaps("cgroup/w-a", 1);
	kernel.missed = 8;
	assert_int_equal(observer_drain(watcher), 0);
	assert_gaps("cgroup/w-b", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_short_life_is_whole),
		TEST(runs_left_out_are_everybodys_gap),
		TEST(more_lives_than_an_owner_may_have),
		TEST(who_is_not_known_cannot_be_enforced),
		TEST(inner_cgroups_are_their_containers),
		TEST(a_container_that_does_all_inside_ends),
		TEST(who_leaves_is_counted_and_named),
		TEST(unknown_gate_calls_are_told_once),
		TEST(units_and_plain_cgroups_are_seeded),
		TEST(a_gap_is_counted_without_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
