/* SPDX-License-Identifier: Apache-2.0 */
/* Whose refusal a refused call is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mine/mine_internal.h"
#include "model/calls.h"

static unsigned nr(const char *name)
{
	return (unsigned)calls_number(TAMIS_ABI_X86_64, name);
}

struct world {
	struct mine m;
	struct mine_result r;
};

static void begin(struct world *w)
{
	*w = (struct world){ .m.phase = MINE_OBSERVE, .m.test = SIZE_MAX };
	w->m.ret = &w->r;
	sysset_add(&w->m.generation.learned.set[TAMIS_WORKLOAD][0], nr("read"));
	sysset_add(&w->m.gates[0], nr("prctl"));
	sysset_add(&w->m.always[0], nr("futex"));
}

static void refuse(struct world *w, size_t test, const char *name, const char *comm)
{
	w->m.test = test;
	assert_int_equal(refusals_death(&w->m, TAMIS_ABI_X86_64, nr(name), comm), 0);
}

static void rows(void **state)
{
	struct world w;

	begin(&w);
	refuse(&w, 0, "keyctl", "a"); /* without us */
	assert_int_equal(w.r.refusal_cnt, 0);
	w.m.phase = MINE_ENFORCE;
	refuse(&w, 1, "ptrace", "first-with-a-very-long-name");
	refuse(&w, 1, "ptrace", "second");
	refuse(&w, 2, "ptrace", "third");
	refuse(&w, SIZE_MAX, "mount", NULL);
	refuse(&w, 1, "keyctl", "a"); /* was refused before */
	refuse(&w, 1, "read", "a");   /* passes: it was nobody's filter */
	refuse(&w, 1, "prctl", "a");
	refuse(&w, 1, "futex", "a");
	refuse(&w, 1, "execve", "a");
	w.m.phase = MINE_MINIMISE;
	refuse(&w, 1, "bpf", "a");
	assert_int_equal(w.r.refusal_cnt, 3);
	assert_int_equal(w.r.refusal[0].test, 1);
	assert_int_equal(w.r.refusal[0].nr, nr("ptrace"));
	assert_int_equal(w.r.refusal[0].count, 2);
	assert_string_equal(w.r.refusal[0].comm, "first-with-a-ver");
	assert_int_equal(w.r.refusal[1].test, 2);
	assert_int_equal(w.r.refusal[1].count, 1);
	assert_true(w.r.refusal[2].test == SIZE_MAX);
	assert_int_equal(w.r.refusal[2].nr, nr("mount"));
	assert_string_equal(w.r.refusal[2].comm, "");
	mine_result_done(&w.r);
}

static void what_is_no_call(void **state)
{
	struct world w;

	begin(&w);
	w.m.phase = MINE_ENFORCE;
	assert_int_equal(refusals_death(&w.m, TAMIS_ABI_X86_64, TAMIS_CALLS, "a"), 0);
	assert_int_equal(refusals_death(&w.m, TAMIS_ABI_MAX, 1, "a"), 0);
	assert_int_equal(w.r.refusal_cnt, 0);
}

/* What a person, or minimising, denied is refused although it was learned. */
static void denied_is_refused(void **state)
{
	struct world w;

	begin(&w);
	w.m.phase = MINE_ENFORCE;
	sysset_add(&w.m.generation.denied[0], nr("read"));
	refuse(&w, 0, "read", "a");
	assert_int_equal(w.r.refusal_cnt, 1);
	mine_result_done(&w.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(what_is_no_call),
		cmocka_unit_test(denied_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
