/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads with lives and notes of their starts, and what they are said to be under. */
#pragma once

#include "learn/under.h"

#include <errno.h>
#include <time.h>

#include "apply/note.h"
#include "base/text.h"
#include "generation_fixture.h"
#include "policy/generations.h"

static struct under *under;

static inline int setup(void **state)
{
	int r = open_store(state);

	return r < 0 ? r : under_new(state_dir, &under);
}

static inline int teardown(void **state)
{
	under_free(under);
	under = NULL;
	return drop_dir(state);
}

/* --- what the store says ------------------------------------------------------------------ */

static inline int64_t workload(const char *key, const char *engine)
{
	const struct store_workload w = { .key = key, .engine = engine };
	int64_t id = 0;

	IN_TRANSACTION
	assert_stored(store_workload(st, &w, NOW, &id));
	return id;
}

/* One cgroup of it. */
static inline void runs(int64_t w, const char *container, bool running)
{
	_free_ char *name = text_format("boot/%s", container);
	const struct store_instance i = { .instance = name,
					  .workload = w,
					  .container = container[0] == '-' ? NULL : container,
					  .path = "/nowhere",
					  .running = running };
	int64_t id;

	IN_TRANSACTION
	assert_stored(store_instance(st, &i, NOW, &id));
}

static inline void apply(int64_t w, enum policy_mode mode, uint32_t good,
			 enum generation_state state)
{
	struct store_applied a = { .mode = mode, .good = good, .since = NOW };

	IN_TRANSACTION
	{
		if (good)
			add_generation(w, 1);
		a.generation = add_generation(w, 2);
		assert_stored(store_generation_state(
			st, w, a.generation, state, state == GENERATION_FAILED ? "it died" : NULL));
		assert_stored(store_applied_set(st, w, &a));
	}
}

static inline void noted(const char *key, const char *id, uint32_t generation,
			 enum policy_mode mode)
{
	assert_int_equal(started_add(state_dir, key, id, generation, mode), 0);
}

static inline void started(const char *key, const char *id)
{
	const struct observed_start e = { .key = key, .container = id, .cgroup = "/nowhere" };

	assert_stored(under_started(under, st, &e));
}

static inline void ended(const char *key, const char *id, int64_t at_ms)
{
	const struct observed_exit e = {
		.key = key, .container = id, .entrypoint = true, .at_ms = at_ms
	};

	under_ended(under, &e);
}

static inline void look(void)
{
	assert_stored(under_look(under, st));
}

static inline void assert_under(const char *key, const char *id, enum policy_mode mode,
				uint32_t generation)
{
	struct under_row row = { 0 };

	assert_int_equal(under_find(under, key, id, &row), 0);
	assert_int_equal(row.mode, mode);
	assert_int_equal(row.generation, generation);
	assert_string_equal(row.key, key);
}

static inline void assert_unknown(const char *key, const char *id)
{
	struct under_row row = { .generation = 7 };

	assert_int_equal(under_find(under, key, id, &row), -ENOENT);
	assert_int_equal(row.generation, 7);
}
