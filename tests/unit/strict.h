/* SPDX-License-Identifier: Apache-2.0 */
/* Random profiles and what is composed with them: all of one case comes from one number. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/compose.h"
#include "policy/data.h"

struct random {
	uint64_t s;
};

/* xorshift64*; 0 <= result < below. */
static inline uint64_t draw(struct random *x, uint64_t below)
{
	x->s ^= x->s >> 12;
	x->s ^= x->s << 25;
	x->s ^= x->s >> 27;
	return (x->s * 0x2545f4914f6cdd1dULL >> 16) % below;
}

static inline bool one_in(struct random *x, unsigned n)
{
	return draw(x, n) == 0;
}

/* Few, so that conditions meet; those of the real profiles among them. */
static inline uint64_t draw_value(struct random *x)
{
	static const uint64_t values[] = {
		0,	    1,		2,	    3,		8,	    9,
		16,	    40,		0x20000,    0x20008,	1ULL << 32, (1ULL << 32) + 16,
		0x7e020000, 0x10000000, 0xffffffff, 1ULL << 63, UINT64_MAX, UINT64_MAX - 1,
	};

	return one_in(x, 10) ? draw(x, 1ULL << 47) : values[draw(x, ARRAY_SIZE(values))];
}

/* One to three bits, mostly: what is left of the rest takes a rule for each. */
static inline uint64_t draw_mask(struct random *x)
{
	uint64_t mask = one_in(x, 16) ? draw_value(x) : 0;

	while (mask == 0 || !one_in(x, 2))
		mask |= 1ULL << draw(x, one_in(x, 2) ? 64 : 6);
	return mask;
}

static inline uint32_t draw_errno(struct random *x)
{
	/* The kernel's highest is 4095, libseccomp's one less. */
	static const uint32_t errnos[] = { 0, 1, 13, 22, 38, 97, 4094 };

	return errnos[draw(x, ARRAY_SIZE(errnos))];
}

static inline enum filter_action draw_action(struct random *x)
{
	/* What profiles mostly say, and now and then all of it. */
	if (one_in(x, 2))
		return one_in(x, 3) ? FILTER_ERRNO : FILTER_ALLOW;
	return (enum filter_action)draw(x, FILTER_ACTION_MAX);
}

/* Calls that the data has a word on, and any. */
static inline uint32_t draw_call(struct random *x, enum tamis_abi abi)
{
	static const char *const names[] = { "clone", "clone3", "personality", "socket", "execve",
					     "exit",  "mount",	"bpf",	       "read",	 "keyctl" };
	int nr = calls_number(abi, names[draw(x, ARRAY_SIZE(names))]);

	return nr >= 0 && one_in(x, 2) ? (uint32_t)nr : (uint32_t)draw(x, TAMIS_CALLS);
}

static inline void draw_conds(struct random *x, struct filter_rule *r)
{
	unsigned want = one_in(x, 100) ? (unsigned)draw(x, FILTER_ARGS + 1) : (unsigned)draw(x, 3);

	for (unsigned index = 0; index < FILTER_ARGS && r->cond_cnt < want; index++) {
		struct filter_cond *c = &r->cond[r->cond_cnt];

		if (want < 3 && one_in(x, 3))
			continue;
		c->index = (uint8_t)index;
		c->op = (enum filter_op)draw(x, FILTER_OP_MAX);
		c->value = c->op == FILTER_MASKED_EQ ? draw_mask(x) : draw_value(x);
		c->value_two = c->op == FILTER_MASKED_EQ ? draw_value(x) : 0;
		r->cond_cnt++;
	}
}

static inline void draw_rules(struct random *x, struct filter *f, enum tamis_abi abi)
{
	struct filter_rule call = { .abi = abi, .nr = draw_call(x, abi) };
	unsigned cnt = one_in(x, 2) ? 1 : 1 + (unsigned)draw(x, 4);
	bool plain = one_in(x, 2);

	for (unsigned i = 0; i < cnt; i++) {
		struct filter_rule r = call;

		r.action = draw_action(x);
		r.errno_ret =
			r.action == FILTER_ERRNO || r.action == FILTER_TRACE ? draw_errno(x) : 0;
		if (!plain)
			draw_conds(x, &r);
		assert_int_equal(filter_add(f, &r), 0);
	}
}

static inline void draw_set(struct random *x, struct sysset set[TAMIS_ABI_MAX], uint32_t abis,
			    unsigned cnt)
{
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned i = 0; (abis >> abi & 1) && i < cnt; i++)
			sysset_add(&set[abi], draw_call(x, (enum tamis_abi)abi));
}

static inline struct filter *draw_filter(struct random *x, uint32_t abis, unsigned calls)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->abis = abis;
	f->default_action = draw_action(x);
	f->default_errno = f->default_action == FILTER_ERRNO ? draw_errno(x) : 0;
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		for (unsigned i = 0; (abis >> abi & 1) && i < calls; i++)
			draw_rules(x, f, (enum tamis_abi)abi);
	filter_sort(f);
	return f;
}

#define ALL_ABIS ((1u << TAMIS_ABI_MAX) - 1)

struct composed {
	struct learned learned;
	struct sysset gate[TAMIS_ABI_MAX], always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX],
		guard[TAMIS_ABI_MAX], denied[TAMIS_ABI_MAX], denied_eperm[TAMIS_ABI_MAX];
	struct filter *engine, *fallback, *out;
	struct filter *enforce; /* where `out` is in probation: of the same input */
	struct compose_in in;
	bool real;  /* policies/, not drawn */
	bool exact; /* what a real engine says: there is room for all of it */
};

static inline void composed_done(struct composed *c)
{
	filter_free(c->engine);
	filter_free(c->fallback);
	filter_free(c->out);
	filter_free(c->enforce);
}

/* What compose is always given by policies/. */
static inline void composed_data(struct composed *c)
{
	assert_int_equal(data_always(c->always), 0);
	assert_int_equal(data_eperm(c->eperm), 0);
	assert_int_equal(data_guard(c->guard), 0);
	assert_int_equal(data_gate(NULL, c->gate), 0);
	assert_int_equal(data_fallback(&c->fallback), 0);
	c->real = true;
}

static inline void composed_draw_data(struct composed *c, struct random *x)
{
	draw_set(x, c->always, ALL_ABIS, 10);
	draw_set(x, c->eperm, ALL_ABIS, 20);
	draw_set(x, c->guard, ALL_ABIS, 20);
	draw_set(x, c->gate, 1u << abi_native(), 20);
	c->fallback = draw_filter(x, ALL_ABIS, 8);
	/* Allows, and refuses with errnos: as policies/engine/ does. */
	for (size_t i = 0; i < c->fallback->rule_cnt; i++) {
		struct filter_rule *r = &c->fallback->rule[i];

		if (r->action > FILTER_ERRNO)
			continue;
		r->action = FILTER_ERRNO;
		r->errno_ret = r->errno_ret ? r->errno_ret : EPERM;
	}
}

static inline void composed_draw_workload(struct composed *c, struct random *x)
{
	for (unsigned stage = 0; stage < TAMIS_STAGE_MAX; stage++)
		draw_set(x, c->learned.set[stage],
			 one_in(x, 3) ? (uint32_t)draw(x, 1u << TAMIS_ABI_MAX) : 1u << abi_native(),
			 (unsigned)draw(x, 60));
	if (one_in(x, 2))
		draw_set(x, c->denied, ALL_ABIS, 8);
	if (one_in(x, 3))
		memcpy(c->denied_eperm, c->denied, sizeof(c->denied_eperm));
	if (one_in(x, 2))
		draw_set(x, c->denied_eperm, ALL_ABIS, 8);
	c->in = (struct compose_in){
		.learned = &c->learned,
		.engine = c->engine,
		.fallback = c->fallback,
		.gate = c->gate,
		.always = c->always,
		.eperm = c->eperm,
		.without_sessions = one_in(x, 4),
		.strict = true,
		.descendants = one_in(x, 8),
		.guard = c->guard,
		.denied = c->denied,
		.denied_eperm = c->denied_eperm,
	};
}

static inline void composed_run(struct composed *c)
{
	assert_int_equal(compose(&c->in, &c->out), 0);
}

static inline void composed_run_probation(struct composed *c)
{
	c->in.probation = false;
	assert_int_equal(compose(&c->in, &c->enforce), 0);
	c->in.probation = true;
	composed_run(c);
}
