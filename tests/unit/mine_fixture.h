/* SPDX-License-Identifier: Apache-2.0 */
/* Two workloads, runs of their mining and the tests of those, in a real store. */
#pragma once

#include "generation_fixture.h"
#include "policy/denials.h"
#include "policy/mines.h"

static int64_t web, other;

static inline void fill(void)
{
	IN_TRANSACTION
	{
		web = add_workload("podman/web", "web");
		other = add_workload("podman/other", "other");
	}
}

static inline int64_t add_run(int64_t workload, int64_t began, enum store_mine_state state)
{
	struct store_mine m = { .began = began, .target = "docker.io/web", .tests = "sha256:aa" };

	assert_stored(store_mine_add(st, &m, &m.id));
	m.workload = workload;
	m.state = state;
	assert_stored(store_mine_set(st, &m));
	return m.id;
}

static inline int64_t add_test(int64_t mine, int64_t now, const char *label)
{
	int64_t unit = 0;

	assert_stored(store_mine_unit(st, mine, now, label, &unit));
	return unit;
}

static inline struct matrix matrix_of(int64_t workload, int64_t mine)
{
	struct matrix m = { 0 };

	assert_stored(store_matrix(st, workload, mine, &m));
	return m;
}

static inline void assert_unit(const struct matrix *m, size_t at, const char *name,
			       struct sysset calls)
{
	assert_true(at < m->cnt);
	if (name)
		assert_string_equal(m->unit[at].name, name);
	else
		assert_null(m->unit[at].name);
	assert_set(m->unit[at].set[TAMIS_ABI_X86_64], calls);
}

static inline size_t units_of(int64_t workload, int64_t mine)
{
	_matrix_ struct matrix m = matrix_of(workload, mine);

	return m.cnt;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, drop_dir)
