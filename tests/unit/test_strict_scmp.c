/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libseccomp makes of rules composed under the engines' own profiles, when a runtime adds them
 * one by one: the kernel's answer is filter_verdict's. (Of random profiles it isn't asked: rules of
 * many arguments take it minutes.)
 */
#include "unit/strict_ask.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emit/emit.h"
#include "sim/cbpf.h"

#define NATIVE abi_native()
#define PODMAN "/usr/share/containers/seccomp.json"
/* Tests run in the top folder. */
#define DOCKER "tests/unit/docker-shaped.json"

static uint32_t scmp_action(enum filter_action a, uint32_t errno_ret)
{
	static const uint32_t actions[] = {
		[FILTER_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
		[FILTER_KILL_THREAD] = SCMP_ACT_KILL_THREAD,
		[FILTER_TRAP] = SCMP_ACT_TRAP,
		[FILTER_NOTIFY] = SCMP_ACT_NOTIFY,
		[FILTER_LOG] = SCMP_ACT_LOG,
		[FILTER_ALLOW] = SCMP_ACT_ALLOW,
	};

	if (a == FILTER_ERRNO)
		return SCMP_ACT_ERRNO(errno_ret);
	return a == FILTER_TRACE ? SCMP_ACT_TRACE(errno_ret) : actions[a];
}

static void add_rule(scmp_filter_ctx ctx, const struct filter_rule *r)
{
	static const enum scmp_compare ops[] = {
		[FILTER_NE] = SCMP_CMP_NE,
		[FILTER_LT] = SCMP_CMP_LT,
		[FILTER_LE] = SCMP_CMP_LE,
		[FILTER_EQ] = SCMP_CMP_EQ,
		[FILTER_GE] = SCMP_CMP_GE,
		[FILTER_GT] = SCMP_CMP_GT,
		[FILTER_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};
	struct scmp_arg_cmp cmp[FILTER_ARGS];

	for (unsigned i = 0; i < r->cond_cnt; i++)
		cmp[i] = (struct scmp_arg_cmp){ r->cond[i].index, ops[r->cond[i].op],
						r->cond[i].value, r->cond[i].value_two };
	if (seccomp_rule_add_array(ctx, scmp_action(r->action, r->errno_ret), (int)r->nr,
				   r->cond_cnt, cmp) < 0)
		fail_msg("libseccomp refuses a rule of %u: %s %u, %u conditions", r->nr,
			 filter_action_oci(r->action), r->errno_ret, r->cond_cnt);
}

/* One call's rules alone: numbers don't influence one another. */
static size_t build(const struct filter *f, uint32_t nr, struct sock_filter **ret)
{
	uint32_t otherwise = scmp_action(f->default_action, f->default_errno);
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int fd = memfd_create("filter", MFD_CLOEXEC);
	const struct filter_rule *rule = NULL;
	size_t cnt = filter_find(f, NATIVE, nr, &rule);
	off_t len;

	assert_non_null(ctx);
	for (size_t i = 0; i < cnt; i++)
		/* Runtimes leave out what says what the default says. */
		if (scmp_action(rule[i].action, rule[i].errno_ret) != otherwise)
			add_rule(ctx, &rule[i]);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	len = lseek(fd, 0, SEEK_END);
	*ret = malloc((size_t)len);
	assert_non_null(*ret);
	assert_int_equal(pread(fd, *ret, (size_t)len, 0), len);
	close(fd);
	return (size_t)len / sizeof(**ret);
}

static int rank(uint32_t ret)
{
	static const uint32_t order[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
					  SECCOMP_RET_TRAP,	    SECCOMP_RET_ERRNO,
					  SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_TRACE,
					  SECCOMP_RET_LOG,	    SECCOMP_RET_ALLOW };

	for (int i = 0; i < (int)ARRAY_SIZE(order); i++)
		if (order[i] == (ret & SECCOMP_RET_ACTION_FULL))
			return i;
	return -1;
}

static size_t stricter;

static void compare(const struct question *q, struct cbpf *sim)
{
	struct filter_verdict want = filter_verdict(q->c->out, q->abi, q->nr, q->args);
	struct seccomp_data data = { .nr = (int)q->nr, .arch = abi_audit_arch(q->abi) };
	int got;

	memcpy(data.args, q->args, sizeof(data.args));
	got = rank(cbpf_run(sim, &data));
	if (got < 0 || got > (int)want.action)
		fail_question(q, "libseccomp's is weaker (the second; rank only)", want,
			      (struct filter_verdict){ (enum filter_action)got, 0 });
	stricter += got < (int)want.action;
}

static void ask_libseccomp(struct question *q, struct random *x)
{
	struct sock_filter *insn = NULL;
	struct cbpf sim = { 0 };
	struct values v = { 0 };

	sim.cnt = build(q->c->out, q->nr, &insn);
	sim.insn = insn;
	add_boundaries(&v, q->c->out, q);
	add_boundaries(&v, q->c->engine, q);
	memset(q->args, 0, sizeof(q->args));
	for (unsigned n = 0; n < 100; n++) {
		compare(q, &sim);
		for (unsigned i = 0; i < FILTER_ARGS; i++)
			q->args[i] = v.cnt[i] ? v.v[i][draw(x, v.cnt[i])] : 0;
	}
	free(insn);
}

static void ask_conditional(const struct composed *c, struct random *x, uint64_t seed)
{
	struct question q = { .c = c, .seed = seed, .abi = NATIVE };

	for (q.nr = 0; q.nr < TAMIS_CALLS; q.nr++)
		if (is_conditional(c->out, &q))
			ask_libseccomp(&q, x);
}

/* Every call is learned, or none is and all ask. */
static void compose_all(struct composed *c, bool probation)
{
	c->in = (struct compose_in){ .learned = &c->learned,
				     .engine = c->engine,
				     .fallback = c->fallback,
				     .strict = true,
				     .probation = probation };
	for (unsigned nr = 0; !probation && nr < TAMIS_CALLS; nr++)
		sysset_add(&c->learned.set[TAMIS_WORKLOAD][NATIVE], nr);
	composed_run(c);
}

static void ask_real(bool probation)
{
	static const char *const paths[] = { PODMAN, DOCKER };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct random x = { i + 1 };
		struct composed c = { .exact = true };
		_free_ char *why = NULL;

		composed_data(&c);
		assert_int_equal(oci_read(paths[i], NULL, &c.engine, NULL, &why), 0);
		compose_all(&c, probation);
		stricter = 0;
		ask_conditional(&c, &x, i);
		assert_int_equal(stricter, 0);
		composed_done(&c);
	}
}

static void real_profiles(void **state)
{
	ask_real(false);
}

static void real_profiles_in_probation(void **state)
{
	ask_real(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_profiles),
		cmocka_unit_test(real_profiles_in_probation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
