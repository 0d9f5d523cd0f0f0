/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/calls.h"
#include "model/guard.h"

#define ABI TAMIS_ABI_X86_64

struct fixture {
	struct learned learned;
	struct sysset guard[TAMIS_ABI_MAX], pending[TAMIS_ABI_MAX];
	struct verdicts v;
};

static unsigned nr_of(const char *name)
{
	int nr = calls_number(ABI, name);

	assert_true(nr >= 0);
	return (unsigned)nr;
}

static void see(struct fixture *x, enum tamis_stage stage, const char *name)
{
	sysset_add(&x->learned.set[stage][ABI], nr_of(name));
}

static bool in_stage(const struct fixture *x, enum tamis_stage stage, const char *name)
{
	return sysset_has(&x->learned.set[stage][ABI], nr_of(name));
}

static bool anywhere(const struct fixture *x, const char *name)
{
	return in_stage(x, TAMIS_WORKLOAD, name) || in_stage(x, TAMIS_SESSION, name) ||
	       in_stage(x, TAMIS_GATE, name);
}

static bool is_pending(const struct fixture *x, const char *name)
{
	return sysset_has(&x->pending[ABI], nr_of(name));
}

static void sift(struct fixture *x)
{
	memset(x->pending, 0xff, sizeof(x->pending));
	guard_sift(&x->learned, x->guard, &x->v, x->pending);
}

static void start(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	sysset_add(&x->guard[ABI], nr_of("bpf"));
	sysset_add(&x->guard[ABI], nr_of("ptrace"));
	sysset_add(&x->guard[ABI], nr_of("mount"));
	sysset_add(&x->guard[TAMIS_ABI_AARCH64], 0);
}

static void guarded_calls_wait(void **state)
{
	struct fixture x;

	start(&x);
	see(&x, TAMIS_WORKLOAD, "read");
	see(&x, TAMIS_WORKLOAD, "bpf");
	see(&x, TAMIS_SESSION, "ptrace");
	see(&x, TAMIS_SESSION, "read");
	see(&x, TAMIS_GATE, "mount");
	sift(&x);
	assert_true(is_pending(&x, "bpf") && is_pending(&x, "ptrace") && is_pending(&x, "mount"));
	assert_false(is_pending(&x, "read"));
	assert_false(anywhere(&x, "bpf") || anywhere(&x, "ptrace") || anywhere(&x, "mount"));
	assert_true(in_stage(&x, TAMIS_WORKLOAD, "read") && in_stage(&x, TAMIS_SESSION, "read"));
	assert_true(sysset_is_empty(&x.pending[TAMIS_ABI_AARCH64]));
	/* Nothing is left to sift. */
	sift(&x);
	assert_true(sysset_is_empty(&x.pending[ABI]));
}

/* The runtime's own mounts aren't the workload's. */
static void setup_is_asked_nothing(void **state)
{
	struct fixture x;

	start(&x);
	see(&x, TAMIS_SETUP, "mount");
	see(&x, TAMIS_SETUP, "ptrace");
	see(&x, TAMIS_WORKLOAD, "ptrace");
	sift(&x);
	assert_false(is_pending(&x, "mount"));
	assert_true(is_pending(&x, "ptrace"));
	assert_true(in_stage(&x, TAMIS_SETUP, "mount"));
	assert_false(in_stage(&x, TAMIS_SETUP, "ptrace"));
}

static void allowed_ones_are_in(void **state)
{
	struct fixture x;

	start(&x);
	see(&x, TAMIS_SESSION, "bpf");
	see(&x, TAMIS_WORKLOAD, "ptrace");
	sysset_add(&x.v.allowed[ABI], nr_of("bpf"));
	sysset_add(&x.v.allowed[ABI], nr_of("mount")); /* never seen */
	sysset_add(&x.v.allowed[ABI], nr_of("getpid"));
	sift(&x);
	assert_false(is_pending(&x, "bpf") || is_pending(&x, "mount"));
	assert_true(is_pending(&x, "ptrace"));
	assert_true(in_stage(&x, TAMIS_WORKLOAD, "bpf") && in_stage(&x, TAMIS_SESSION, "bpf"));
	assert_true(in_stage(&x, TAMIS_WORKLOAD, "mount"));
	assert_true(in_stage(&x, TAMIS_WORKLOAD, "getpid"));
}

static void denied_ones_are_out(void **state)
{
	struct fixture x;

	start(&x);
	see(&x, TAMIS_WORKLOAD, "bpf");
	see(&x, TAMIS_GATE, "getpid");
	see(&x, TAMIS_WORKLOAD, "getpid");
	see(&x, TAMIS_SESSION, "getpid");
	sysset_add(&x.v.denied[ABI], nr_of("bpf"));
	sysset_add(&x.v.denied[ABI], nr_of("getpid"));
	sift(&x);
	assert_true(sysset_is_empty(&x.pending[ABI]));
	assert_false(anywhere(&x, "bpf") || anywhere(&x, "getpid"));
}

static void nobody_asks_what_is_pending(void **state)
{
	struct fixture x;

	start(&x);
	see(&x, TAMIS_WORKLOAD, "bpf");
	guard_sift(&x.learned, x.guard, &x.v, NULL);
	assert_false(anywhere(&x, "bpf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guarded_calls_wait),
		cmocka_unit_test(setup_is_asked_nothing),
		cmocka_unit_test(allowed_ones_are_in),
		cmocka_unit_test(denied_ones_are_out),
		cmocka_unit_test(nobody_asks_what_is_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
