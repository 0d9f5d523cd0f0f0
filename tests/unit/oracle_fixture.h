/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's machine against a real store, with an engine that does what a test says. A daemon that is
 * killed is one whose machine is never asked again. */
#pragma once

#include <errno.h>

#include "generation_fixture.h"
#include "learn/oracle.h"

#define NOW_MS	 (INT64_C(1000) * NOW)
#define KEY	 "podman/web"
#define TWIN	 "podman/tamis-oracle-web"
#define ALWAYS	 (-1)
#define UNDERWAY 1

/* x86_64, none of them in a gate, a sanitizer's list or guarded but where it is said */
enum { GETEUID = 107, GETEGID = 108, AFFINITY = 204, PTRACE = 101, GETSID = 124 };

/* --- the engine -------------------------------------------------------------------------------- */

static struct fake {
	int fails[ORACLE_DO_UNTWIN + 1]; /* so often */
	bool hangs[ORACLE_DO_UNTWIN + 1];
	bool production, twin; /* they run */
	bool lives;	       /* the twin, until it is stopped */
	struct oracle_twin end;
	const char *log;
	struct sysset makes; /* what the twin calls */
	unsigned done[ORACLE_DO_UNTWIN + 1];
} fake;

static int64_t now_ms;

static inline void twin_makes(void)
{
	static unsigned instances;
	const struct store_workload w = { .key = TWIN, .engine = "podman", .name = "twin" };
	struct store_instance i = { .path = "/t" };
	char name[32];
	int64_t id = 0;

	snprintf(name, sizeof(name), "twin/%u", instances++);
	i.instance = name;
	IN_TRANSACTION
	{
		assert_stored(store_workload(st, &w, NOW, &i.workload));
		assert_stored(store_instance(st, &i, NOW, &id));
		add_calls(id, add_unit(NOW), TAMIS_WORKLOAD, fake.makes, NOW);
	}
}

static inline void do_it(enum oracle_action a)
{
	fake.done[a]++;
	if (a == ORACLE_DO_STOP)
		fake.production = false;
	if (a == ORACLE_DO_START) {
		assert_false(fake.twin && fake.lives && fake.done[ORACLE_DO_UNTWIN] == 0 &&
			     fake.done[ORACLE_DO_STOP] == 0);
		fake.production = true;
		fake.twin = false;
	}
	if (a == ORACLE_DO_TWIN) {
		assert_false(fake.production);
		fake.twin = true;
		twin_makes();
	}
	if (a == ORACLE_DO_UNTWIN)
		fake.twin = false;
}

static inline int fake_go(struct oracle_run *run)
{
	enum oracle_action a = run->action;

	if (a == ORACLE_DO_WAIT_TWIN)
		return fake.lives ? UNDERWAY : 0;
	if (fake.hangs[a])
		return UNDERWAY;
	if (fake.fails[a] == ALWAYS || fake.fails[a]-- > 0)
		return -EIO;
	fake.fails[a] = 0;
	do_it(a);
	return 0;
}

static inline int fake_twin(const struct store_oracle *o, const char *dir, struct oracle_twin *ret)
{
	*ret = fake.end;
	if (fake.log) {
		ret->log = strdup(fake.log);
		ret->log_len = strlen(fake.log);
	}
	return 0;
}

static inline char *fake_key(const struct store_oracle *o)
{
	return strdup(TWIN);
}

/* In the place of learn/oracle_engine.c. */
const struct oracle_engine *oracle_engine_of(const char *production, const char **ret_name)
{
	static const struct oracle_engine engine = { "container:", fake_go, fake_twin, fake_key };

	if (ret_name)
		*ret_name = production + strlen("container:");
	return strncmp(production, "container:", 10) == 0 ? &engine : NULL;
}

/* --- one oracle -------------------------------------------------------------------------------- */

static struct oracles *all;
static struct ways ways;
static int64_t workload;
static unsigned alerts;

static inline void on_said(void *arg, bool bad, const char *key, const char *line)
{
	alerts += bad;
}

static inline void daemon_begins(void)
{
	const struct oracle_options o = { .store = st, .ways = &ways, .say = on_said };

	assert_stored(oracles_new(&o, &all));
}

static inline void daemon_dies(void)
{
	oracles_free(all);
	all = NULL;
}

static inline struct store_oracle row(void)
{
	struct store_oracle o = { 0 };

	assert_stored(store_oracle_get(st, workload, &o));
	return o;
}

static inline enum oracle_state state_now(void)
{
	_oracle_ struct store_oracle o = row();

	return o.state;
}

static inline void begin_oracle(bool bootstrap)
{
	const struct oracle_wanted w = {
		.production = "container:web",
		.hardened = "web-asan",
		.is_image = true,
		.bootstrap = bootstrap,
		.window_s = 2,
		.per_hour = 10,
	};
	struct store_row r = { 0 };
	struct store_applied is = { 0 };
	char *why = NULL;

	IN_TRANSACTION
	{
		assert_stored(store_find(st, KEY, &r, NULL));
		assert_stored(oracle_begin(st, &r, &w, now_ms, &is));
		assert_stored(store_applied_set(st, workload, &is));
		assert_int_equal(ways_put(&ways, st, &r, &why), 0);
	}
	ways_settled(&ways, st, &r);
	store_row_done(&r);
}

static inline int setup(void **state)
{
	if (open_store(state) < 0)
		return -1;
	fake = (struct fake){ .production = true, .lives = true, .end = { .was_up = true } };
	fake.makes = SET(GETEUID);
	ways = (struct ways){ .state = state_dir, .no_reload = true };
	now_ms = NOW_MS;
	alerts = 0;
	IN_TRANSACTION
	{
		workload = add_workload(KEY, "web");
		add_calls(add_instance("prod", workload, NOW), add_unit(NOW), TAMIS_WORKLOAD,
			  SET(GETEGID), NOW);
	}
	return 0;
}

static inline int teardown(void **state)
{
	daemon_dies();
	return drop_dir(state);
}

/* So many looks, a second apart. */
static inline void look(unsigned seconds)
{
	for (; seconds; seconds--) {
		now_ms += 1000;
		assert_stored(oracles_look(all, now_ms));
	}
}

static inline void refuse(unsigned nr)
{
	struct store_denial d = {
		.workload = workload,
		.kind = DENIAL_ERRNO,
		.abi = TAMIS_ABI_X86_64,
		.nr = nr,
		.count = 1,
		.first = now_ms / 1000,
		.last = now_ms / 1000,
	};

	d.generation = applied_to(workload).generation;
	IN_TRANSACTION
	{
		assert_stored(store_denial_add(st, &d, NULL));
	}
	if (all)
		assert_stored(oracles_denied(all, KEY, &d));
}

static inline bool is_in_force(unsigned nr)
{
	_generation_ struct generation g = { 0 };

	assert_stored(store_generation_get(st, workload, applied_to(workload).generation, &g));
	return sysset_has(&g.learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], nr);
}

/* 0: none, 1: learned, 2: rejected */
static inline int verdict_on(unsigned nr)
{
	struct store_oracle_call *c = NULL;
	size_t cnt = 0;
	int said = 0;

	assert_stored(store_oracle_calls(st, workload, &c, &cnt));
	for (size_t i = 0; i < cnt; i++) {
		if (c[i].nr == nr)
			said = c[i].rejected ? 2 : 1;
		free(c[i].report);
	}
	free(c);
	return said;
}

static inline void assert_rejected_and_denied(unsigned nr)
{
	struct verdicts v;

	assert_int_equal(verdict_on(nr), 2);
	assert_stored(store_verdicts(st, workload, &v));
	assert_true(sysset_has(&v.denied[TAMIS_ABI_X86_64], nr));
	assert_false(is_in_force(nr));
}

static inline void from_nothing(void)
{
	begin_oracle(false);
	daemon_begins();
	look(2);
	assert_int_equal(state_now(), ORACLE_WATCH);
	assert_int_equal(fake.done[ORACLE_DO_START], 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
