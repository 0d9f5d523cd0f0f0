/* SPDX-License-Identifier: Apache-2.0 */
/* What compose takes, and what is asked of what it makes. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/compose.h"
#include "policy/data.h"

#define NATIVE abi_native()

static inline uint32_t nr_of(const char *name)
{
	int nr = calls_number(NATIVE, name);

	assert_true(nr >= 0);
	return (uint32_t)nr;
}

/* Everything compose() takes, empty. */
struct fixture {
	struct learned learned;
	struct sysset gate[TAMIS_ABI_MAX], always[TAMIS_ABI_MAX], eperm[TAMIS_ABI_MAX];
	struct filter *fallback, *engine, *out;
	bool without_sessions;
};

static inline int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || filter_new(&x->fallback) < 0)
		return -1;
	*state = x;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *x = *state;

	filter_free(x->fallback);
	filter_free(x->engine);
	filter_free(x->out);
	free(x);
	return 0;
}

static inline void learn(struct fixture *x, enum tamis_stage stage, enum tamis_abi abi,
			 const char *name)
{
	int nr = calls_number(abi, name);

	assert_true(nr >= 0);
	sysset_add(&x->learned.set[stage][abi], (unsigned)nr);
}

static inline void run(struct fixture *x)
{
	const struct compose_in in = { &x->learned, x->engine, x->fallback,	   x->gate,
				       x->always,   x->eperm,  x->without_sessions };

	filter_free(x->out);
	x->out = NULL;
	assert_int_equal(compose(&in, &x->out), 0);
	assert_int_equal(x->out->default_action, FILTER_ERRNO);
	assert_int_equal(x->out->default_errno, ENOSYS);
}

static inline struct filter *engine_of(struct fixture *x, enum filter_action action,
				       uint32_t errno_ret)
{
	filter_free(x->engine);
	x->engine = NULL;
	assert_int_equal(filter_new(&x->engine), 0);
	x->engine->abis = 1u << NATIVE;
	x->engine->default_action = action;
	x->engine->default_errno = errno_ret;
	return x->engine;
}

static inline void add(struct filter *f, const char *name, enum filter_action action,
		       uint32_t errno_ret, unsigned cond_cnt, const struct filter_cond *cond)
{
	struct filter_rule r = { .abi = NATIVE,
				 .nr = nr_of(name),
				 .action = action,
				 .errno_ret = errno_ret,
				 .cond_cnt = cond_cnt };

	if (cond_cnt)
		memcpy(r.cond, cond, cond_cnt * sizeof(*cond));
	assert_int_equal(filter_add(f, &r), 0);
	filter_sort(f);
}

static inline struct filter_verdict ask(const struct fixture *x, enum tamis_abi abi,
					const char *name, uint64_t a0, uint64_t a2)
{
	const uint64_t args[FILTER_ARGS] = { a0, 0, a2 };

	return filter_verdict(x->out, abi, (uint32_t)calls_number(abi, name), args);
}

static inline void assert_allowed(const struct fixture *x, const char *name, uint32_t why)
{
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(x->out, NATIVE, nr_of(name), &rule);

	assert_int_equal(ask(x, NATIVE, name, 0, 0).action, FILTER_ALLOW);
	while (cnt > 1 && rule->action != FILTER_ALLOW) {
		cnt--;
		rule++;
	}
	assert_int_equal(rule->why, why);
}

static inline void assert_refused(const struct fixture *x, const char *name, uint32_t errno_ret)
{
	struct filter_verdict v = ask(x, NATIVE, name, 0, 0);

	assert_int_equal(v.action, FILTER_ERRNO);
	assert_int_equal(v.errno_ret, errno_ret);
}

static inline void load_data(struct fixture *x)
{
	filter_free(x->fallback);
	x->fallback = NULL;
	assert_int_equal(data_fallback(&x->fallback), 0);
	assert_int_equal(data_always(x->always), 0);
	assert_int_equal(data_eperm(x->eperm), 0);
}

static const struct filter_cond no_namespaces = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
static const struct filter_cond not_vsock = { 0, FILTER_NE, 40 };
static const struct filter_cond netlink_audit[] = { { 0, FILTER_EQ, 16 }, { 2, FILTER_EQ, 9 } };
static const struct filter_cond not_audit = { 2, FILTER_NE, 9 }, not_netlink = { 0, FILTER_NE, 16 };

static inline void learn_narrowed(struct fixture *x)
{
	static const char *const names[] = { "clone", "clone3", "socket", "personality", "read" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		learn(x, TAMIS_WORKLOAD, NATIVE, names[i]);
}
