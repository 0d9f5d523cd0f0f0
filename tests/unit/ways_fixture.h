/* SPDX-License-Identifier: Apache-2.0 */
/* A store, and all the places that what is applied is put in. */
#pragma once

#include <errno.h>

#include "unit/native.h"

#include "apply/ways.h"
#include "base/file.h"
#include "base/text.h"
#include "generation_fixture.h"

static char kubelet_dir[96], unit_dir[96];
static struct ways ways;

/* The state directory has the store; root's own, so that applied files go below it. */
static inline int setup(void **state)
{
	int r = open_store(state);

	snprintf(kubelet_dir, sizeof(kubelet_dir), "%s/kubelet", state_dir);
	snprintf(unit_dir, sizeof(unit_dir), "%s/units", state_dir);
	ways = (struct ways){
		.state = state_dir,
		.kubelet_dir = kubelet_dir,
		.unit_dir = unit_dir,
		.start = "/usr/libexec/tamis-start",
		.trial_s = 30,
		.no_reload = true,
	};
	return r < 0 || mkdir(kubelet_dir, 0755) < 0 || mkdir(unit_dir, 0755) < 0 ? -1 : 0;
}

static inline int64_t add(const char *key, const char *engine)
{
	const struct store_workload w = { .key = key, .engine = engine, .name = key };
	int64_t id = 0;

	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &id));
	}
	return id;
}

static inline void set(int64_t id, struct store_applied a)
{
	IN_TRANSACTION
	{
		assert_stored(store_applied_set(st, id, &a));
	}
}

static inline uint32_t generation(int64_t id, unsigned nr)
{
	uint32_t number = 0;

	IN_TRANSACTION
	{
		number = add_generation(id, nr);
	}
	return number;
}

static inline int put(const char *key, char **ret_why)
{
	struct store_row row = row_of(key);
	int r = ways_put(&ways, st, &row, ret_why);

	ways_settled(&ways, st, &row);
	store_row_done(&row);
	return r;
}

static inline void assert_put(const char *key)
{
	_free_ char *why = NULL;
	int r = put(key, &why);

	if (r < 0)
		fail_msg("%s", why);
}

/* The generation that a start of the key finds; 0: none. */
static inline uint32_t found(const char *key)
{
	_applied_ struct applied a = { 0 };
	_free_ char *why = NULL;
	int r = applied_read(state_dir, key, &a, &why);

	if (r != 0 && r != -ENOENT)
		fail_msg("%s", why);
	if (r == 0)
		assert_string_equal(a.key, key);
	return r == 0 ? a.now.number : 0;
}

static inline bool is_file(const char *fmt, const char *dir)
{
	_free_ char *path = text_format("%s/%s", dir, fmt);

	return access(path, F_OK) == 0;
}

static inline char *text_of(const char *dir, const char *name)
{
	_free_ char *path = text_format("%s/%s", dir, name);
	char *text = NULL;

	assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
	return text;
}
