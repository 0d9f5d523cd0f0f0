/* SPDX-License-Identifier: Apache-2.0 */
/* Applied files in tests: a plain one, one with everything in it, and whether two are the same. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/applied.h"

#define KEY "podman/web"

static inline struct generation generation_of(uint32_t number)
{
	struct generation g = { .number = number, .created = 1700000000, .maker = strdup("root") };

	sysset_add(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 0);
	sysset_add(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 202 + number);
	g.evidence.starts = number;
	assert_int_equal(generation_digest(&g), 0);
	return g;
}

static inline struct applied applied_of(const char *key)
{
	return (struct applied){
		.key = strdup(key), .mode = MODE_ENFORCE, .now = generation_of(2), .trial_s = 60
	};
}

/* Everything that a file can hold. */
static inline struct applied fullest(void)
{
	struct applied a = applied_of("kubernetes/ns/web/main%2Fx#sh");
	struct generation *g = &a.now;

	a.has_good = a.replace = a.unconfined = a.keep_new_image = a.probe_new_image = true;
	a.mode = MODE_PROBATION;
	a.rule = PROBATION_DENY;
	a.listener = strdup("/run/~a+b/k.sock");
	a.trial_s = 5;
	a.good = generation_of(1);
	a.good.state = GENERATION_GOOD;
	g->state = GENERATION_FAILED;
	g->failed = strdup("killed by \"signal\" 31\n");
	g->descendants = true;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		sysset_add(&g->learned.set[TAMIS_SESSION][abi], 1);
		sysset_add(&g->learned.set[TAMIS_GATE][abi], TAMIS_CALLS - 1);
		sysset_add(&g->denied[abi], 2);
		sysset_add(&g->denied[abi], 5);
		sysset_add(&g->denied_eperm[abi], 5);
		sysset_add(&a.allowed[abi], 3);
		sysset_add(&a.allowed[abi], TAMIS_CALLS - 1);
		sysset_add(&a.refused[abi], 4 + abi);
	}
	for (size_t i = 0; i < sizeof(g->evidence) / 8; i++)
		((uint64_t *)&g->evidence)[i] = INT64_MAX - i;
	assert_int_equal(generation_add_image(g, "sha256:aa"), 0);
	assert_int_equal(generation_add_image(g, "sha256:bb"), 0);
	assert_int_equal(generation_digest(g), 0);
	return a;
}

static inline void assert_same_text(const char *a, const char *b)
{
	assert_true((!a && !b) || (a && b && strcmp(a, b) == 0));
}

static inline void assert_same_generation(const struct generation *a, const struct generation *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->created, b->created);
	assert_same_text(a->maker, b->maker);
	assert_same_text(a->failed, b->failed);
	assert_string_equal(a->digest, b->digest);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->descendants, b->descendants);
	assert_int_equal(a->image_cnt, b->image_cnt);
	for (size_t i = 0; i < a->image_cnt; i++)
		assert_string_equal(a->image[i], b->image[i]);
	assert_memory_equal(&a->learned, &b->learned, sizeof(a->learned));
	assert_memory_equal(a->denied, b->denied, sizeof(a->denied));
	assert_memory_equal(a->denied_eperm, b->denied_eperm, sizeof(a->denied_eperm));
	assert_memory_equal(&a->evidence, &b->evidence, sizeof(a->evidence));
}

static inline void assert_same(const struct applied *a, const struct applied *b)
{
	assert_string_equal(a->key, b->key);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->replace, b->replace);
	assert_int_equal(a->unconfined, b->unconfined);
	assert_int_equal(a->keep_new_image, b->keep_new_image);
	assert_int_equal(a->probe_new_image, b->probe_new_image);
	assert_int_equal(a->rule, b->rule);
	assert_memory_equal(a->allowed, b->allowed, sizeof(a->allowed));
	assert_memory_equal(a->refused, b->refused, sizeof(a->refused));
	assert_same_text(a->listener, b->listener);
	assert_int_equal(a->trial_s, b->trial_s);
	assert_int_equal(a->has_good, b->has_good);
	assert_same_generation(&a->now, &b->now);
	assert_same_generation(&a->good, &b->good);
}
