/* SPDX-License-Identifier: Apache-2.0 */
/* A workload that was learned whole, for the commands that apply. */
#pragma once

#include <errno.h>

#include "unit/native.h"

#include "apply/applied.h"
#include "apply/trial.h"
#include "base/text.h"
#include "cmd_fixture.h"
#include "generation_fixture.h"

/* The calls of `podman/web`, which started once, made in an instance of their own. */
static inline int64_t learn_as(const char *key, const char *engine, struct sysset calls,
			       uint64_t starts)
{
	static unsigned instances;
	const struct store_workload w = { .key = key,
					  .engine = engine,
					  .name = strchr(key, '/') + 1 };
	char name[32];
	struct store_instance i = { .instance = name, .path = "/x", .starts = starts };
	int64_t instance = 0;

	snprintf(name, sizeof(name), "boot/%u", instances++);
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &i.workload));
		assert_stored(store_instance(st, &i, NOW, &instance));
		add_calls(instance, add_unit(NOW), TAMIS_WORKLOAD, calls, NOW);
	}
	return i.workload;
}

static inline int64_t learn(struct sysset calls)
{
	return learn_as("podman/web", "podman", calls, 1);
}

#define APPLY(...)    RUN(cmd_apply, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)
#define ROLLBACK(...) RUN(cmd_rollback, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)
#define HISTORY(...)  RUN(cmd_history, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)
#define RELEASE(...)  RUN(cmd_release, "--config", "/dev/null", "--state", "DIR", __VA_ARGS__)

static inline char *complained(void)
{
	char *text = NULL;

	read_text(err_path, &text);
	return text;
}

static inline void assert_complained(const char *part)
{
	_free_ char *text = complained();

	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static inline void assert_printed(const char *part)
{
	_free_ char *text = printed_text();

	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

/* What a start of the key finds; nothing: number 0. */
static inline struct applied file_of(const char *key)
{
	struct applied a = { 0 };
	_free_ char *why = NULL;
	int r = applied_read(state_dir, key, &a, &why);

	if (r != 0 && r != -ENOENT)
		fail_msg("%s", why);
	return a;
}

/* The store and the file say the same: generation, the good one, mode. */
static inline void assert_applied(int64_t id, uint32_t number, uint32_t good, enum policy_mode mode)
{
	_applied_ struct applied a = file_of("podman/web");
	struct store_applied is = applied_to(id);

	assert_int_equal(is.mode, mode);
	assert_int_equal(is.generation, number);
	assert_int_equal(is.good, good);
	assert_int_equal(a.now.number, number);
	assert_int_equal(a.good.number, good);
	assert_int_equal(a.mode, mode);
}

static inline void set_state(int64_t id, uint32_t number, enum generation_state state)
{
	IN_TRANSACTION
	{
		assert_stored(store_generation_state(st, id, number, state,
						     state == GENERATION_FAILED ? "died" : NULL));
	}
}

static inline enum generation_state state_of(int64_t id, uint32_t number)
{
	_generation_ struct generation g = { 0 };

	assert_stored(store_generation_get(st, id, number, &g));
	return g.state;
}
