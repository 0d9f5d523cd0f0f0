/* SPDX-License-Identifier: Apache-2.0 */
/* A store with something of everything that list and show tell. */
#pragma once

#include <jansson.h>

#include "cmd_fixture.h"
#include "policy/denials.h"
#include "policy/mines.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The first of two replicas; it alone does what fill() doesn't say of the other. */
static inline int64_t add_first(int64_t workload)
{
	const struct store_workload w = { .key = "podman/redis",
					  .engine = "podman",
					  .name = "redis",
					  .namespace = "shop",
					  .why_not = "it is\na test" };
	const struct store_instance i = { .instance = "i",
					  .workload = workload,
					  .container = ID,
					  .pod = "web-1",
					  .path = "/x",
					  .running = true,
					  .lost.leaves = 2,
					  .leave_comm = "cr\non",
					  .leave_path = "/else" };
	int64_t id = 0;

	assert_stored(store_workload(st, &w, NOW, &id));
	assert_stored(store_instance(st, &i, NOW, &id));
	return id;
}

static inline void fill(void)
{
	const struct policy_origin o = { .nr = 1,
					 .stage = TAMIS_WORKLOAD,
					 .abi = TAMIS_ABI_X86_64,
					 .first = NOW,
					 .pid = 42,
					 .comm = "re\ndis",
					 .exe = "/r" };
	const struct sysset exit_only = SET(1);

	IN_TRANSACTION
	{
		int64_t w = add_workload("podman/redis", "redis");
		int64_t old = add_workload("podman/old-redis", NULL);
		const struct store_instance other = { .instance = "j",
						      .workload = w,
						      .container = "fedcba",
						      .path = "/y",
						      .running = true };
		int64_t i, j;

		assert_stored(store_instance(st, &other, NOW - 1, &j));
		i = add_first(w);

		(void)add_unit(NOW);
		assert_stored(store_merge(st, w, &old, 1));
		assert_stored(store_inner(st, w, "docker/a", NOW));
		assert_stored(store_inner(st, w, "crio/b", NOW));
		(void)add_workload("podman/redis-2", "redis-2");
		(void)add_workload("cgroup/a\nb", NULL);
		add_calls(j, 1, TAMIS_WORKLOAD, SET(0), NOW);
		add_calls(i, 1, TAMIS_SETUP, SET(165), NOW);
		add_calls(i, 1, TAMIS_GATE, SET(169), NOW);
		add_calls(i, 1, TAMIS_WORKLOAD, SET(0, 1, 550), NOW);
		assert_stored(
			store_calls(st, i, 1, TAMIS_SESSION, TAMIS_ABI_I386, &exit_only, NOW));
		assert_stored(store_origin(st, i, &o));
	}
}

/* What a person has to know of before enforcing, or has decided. */
static inline void decide(void)
{
	_generation_ struct generation g = { .created = NOW };
	const struct policy_origin o = { .nr = 321,
					 .stage = TAMIS_SESSION,
					 .abi = TAMIS_ABI_X86_64,
					 .first = NOW - 1,
					 .pid = 7,
					 .comm = "bp\nf",
					 .exe = "/sbin/bpftool" };
	const struct store_workload w = { .key = "podman/redis-2", .opted_out = true };
	const struct store_applied a = { .mode = MODE_ENFORCE, .generation = 1, .since = NOW };

	fill();
	IN_TRANSACTION
	{
		const struct store_workload image = { .key = "podman/redis",
						      .image_digest = "sha256:\nf",
						      .why_not = "it is\na test" };
		struct store_row row = row_of("podman/redis");
		int64_t i = add_instance("j", row.id, NOW), id;

		add_calls(i, 1, TAMIS_SESSION, SET(321), NOW);
		add_calls(i, 1, TAMIS_WORKLOAD, SET(101, 310, 321), NOW);
		assert_stored(store_origin(st, i, &o));
		assert_stored(store_verdict_set(st, row.id, 0, 101, VERDICT_ALLOW, NOW));
		assert_stored(store_verdict_set(st, row.id, 0, 310, VERDICT_DENY, NOW));
		assert_stored(store_verdict_set(st, row.id, 1, 357, VERDICT_DENY, NOW));
		assert_stored(store_workload(st, &image, NOW, &id));
		assert_int_equal(store_generation_add(st, row.id, &g), 0);
		assert_stored(store_applied_set(st, row.id, &a));
		assert_stored(store_workload(st, &w, NOW, &id));
		store_row_done(&row);
	}
}
