/* SPDX-License-Identifier: Apache-2.0 */
/* An observer between a kernel that does what it is told and a real store. */
#pragma once

#include "store_fixture.h"

#include "kernel_double.h"
#include "learn/observer.h"

static struct observer *watcher;
static struct observer_options options; /* what a test wants to be told; emptied before each */

static inline void start(void)
{
	static const struct identity_options identity = { 0 };
	struct observer_options o = options;

	o.store = st;
	o.identity = &identity;
	o.mount = "/nowhere";
	assert_int_equal(observer_new(&o, &watcher), 0);
	assert_stored(observer_start(watcher));
}

static inline int begin(void **state)
{
	kernel_reset();
	memset(&options, 0, sizeof(options));
	return open_store(state);
}

static inline int end(void **state)
{
	observer_free(watcher);
	watcher = NULL;
	return drop_dir(state);
}

static inline void drain(void)
{
	kernel_heard();
	assert_stored(observer_drain(watcher));
}

static inline bool is_there(const char *key)
{
	struct store_row row = { 0 };
	bool there = store_find(st, key, &row, NULL) == 0;

	store_row_done(&row);
	return there;
}

static inline bool has_call(const char *key, enum tamis_stage stage, unsigned nr)
{
	struct store_row row = row_of(key);
	struct learned l;

	assert_stored(store_learned(st, row.id, &l));
	store_row_done(&row);
	return sysset_has(&l.set[stage][TAMIS_ABI_X86_64], nr);
}

static inline void assert_row(const char *key, bool running, unsigned starts, unsigned replicas)
{
	struct store_row row = row_of(key);

	assert_int_equal(row.running, running);
	assert_int_equal(row.evidence.starts, starts);
	assert_int_equal(row.replicas, replicas);
	store_row_done(&row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
