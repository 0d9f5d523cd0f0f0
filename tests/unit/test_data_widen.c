/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/widen.h"
#include "policy/data.h"
#include "policy/data_text.h"

static struct widen_group groups[WIDEN_GROUPS_MAX];

static size_t load(void)
{
	size_t cnt = 0;

	assert_int_equal(data_widen(groups, &cnt), 0);
	return cnt;
}

/* Two of a line at least, of one ABI, and none in two lines. */
static void groups_are_apart(void **state)
{
	size_t cnt = load();

	assert_true(cnt > 40);
	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		struct sysset all = { 0 };
		unsigned sum = 0;

		for (size_t i = 0; i < cnt; i++) {
			sum += sysset_count(&groups[i].calls[abi]);
			sysset_merge(&all, &groups[i].calls[abi]);
		}
		assert_int_equal(sum, sysset_count(&all));
	}
	for (size_t i = 0; i < cnt; i++) {
		bool several = false;

		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
			several |= sysset_count(&groups[i].calls[abi]) > 1;
		if (!several)
			fail_msg("group %zu is of one", i);
	}
}

static void every_word_is_a_call(void **state)
{
	struct data_text text = data_text_widen(), line;
	struct sysset set[TAMIS_ABI_MAX] = { 0 };
	char word[DATA_WORD];

	while (data_line(&text, &line))
		while (data_word(&line, word) > 0)
			if (data_add_call(word, set) < 0)
				fail_msg("no such call: %s", word);
}

static bool widens(enum tamis_abi abi, const char *from, const char *to)
{
	struct sysset guard[TAMIS_ABI_MAX];
	struct learned l = { 0 };

	assert_int_equal(data_guard(guard), 0);
	sysset_add(&l.set[TAMIS_WORKLOAD][abi], (unsigned)calls_number(abi, from));
	learned_widen(&l, groups, load(), guard);
	return sysset_has(&l.set[TAMIS_WORKLOAD][abi], (unsigned)calls_number(abi, to));
}

static void what_a_libc_may_change(void **state)
{
	assert_true(widens(TAMIS_ABI_X86_64, "openat", "openat2"));
	assert_true(widens(TAMIS_ABI_X86_64, "openat", "open"));
	assert_true(widens(TAMIS_ABI_X86_64, "newfstatat", "statx"));
	assert_true(widens(TAMIS_ABI_X86_64, "clone", "clone3"));
	assert_true(widens(TAMIS_ABI_X86_64, "epoll_wait", "epoll_pwait2"));
	assert_true(widens(TAMIS_ABI_I386, "clock_nanosleep", "clock_nanosleep_time64"));
	assert_true(widens(TAMIS_ABI_AARCH64, "ppoll", "ppoll"));
	assert_false(widens(TAMIS_ABI_X86_64, "openat", "read"));
	/* A guarded one is never a gift. */
	assert_false(widens(TAMIS_ABI_I386, "clock_settime", "clock_settime64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_apart),
		cmocka_unit_test(every_word_is_a_call),
		cmocka_unit_test(what_a_libc_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
