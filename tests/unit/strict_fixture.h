/* SPDX-License-Identifier: Apache-2.0 */
/* One composition at a time: what is learned and what the engine says, in words, and what comes out. */
#pragma once

#include "unit/strict_ask.h"

#include "emit/emit.h"
#include "model/narrow.h"

#define NATIVE abi_native()

static inline int setup(void **state)
{
	struct composed *c = calloc(1, sizeof(*c));

	if (!c || filter_new(&c->fallback) < 0)
		return -1;
	c->in = (struct compose_in){
		.learned = &c->learned,
		.fallback = c->fallback,
		.gate = c->gate,
		.always = c->always,
		.eperm = c->eperm,
		.guard = c->guard,
		.denied = c->denied,
		.denied_eperm = c->denied_eperm,
		.strict = true,
	};
	*state = c;
	return 0;
}

static inline int teardown(void **state)
{
	struct composed *c = *state;

	composed_done(c);
	free(c);
	return 0;
}

static inline uint32_t nr_of(const char *name)
{
	int nr = calls_number(NATIVE, name);

	assert_true(nr >= 0);
	return (uint32_t)nr;
}

static inline void learn(struct composed *c, const char *name)
{
	sysset_add(&c->learned.set[TAMIS_WORKLOAD][NATIVE], nr_of(name));
}

static inline void engine_is(struct composed *c, enum filter_action action, uint32_t errno_ret)
{
	assert_int_equal(filter_new(&c->engine), 0);
	c->engine->abis = 1u << NATIVE;
	c->engine->default_action = action;
	c->engine->default_errno = errno_ret;
	c->in.engine = c->engine;
}

static inline void say(struct composed *c, const char *name, enum filter_action action,
		       uint32_t errno_ret, const struct filter_cond *cond)
{
	struct filter_rule r = { .abi = NATIVE,
				 .nr = nr_of(name),
				 .action = action,
				 .errno_ret = errno_ret,
				 .cond_cnt = cond ? 1 : 0 };

	if (cond)
		r.cond[0] = *cond;
	assert_int_equal(filter_add(c->engine, &r), 0);
	filter_sort(c->engine);
}

static inline void run(struct composed *c)
{
	filter_free(c->out);
	c->out = NULL;
	composed_run(c);
}

static inline void assert_answer(const struct composed *c, const char *name, uint64_t a0,
				 enum filter_action action, uint32_t errno_ret)
{
	const uint64_t args[FILTER_ARGS] = { a0 };
	struct filter_verdict v = filter_verdict(c->out, NATIVE, nr_of(name), args);

	if (v.action != action || (action == FILTER_ERRNO && v.errno_ret != errno_ret))
		fail_msg("%s(%#llx): %s %u", name, (unsigned long long)a0,
			 filter_action_oci(v.action), v.errno_ret);
}
