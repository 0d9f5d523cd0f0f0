/* SPDX-License-Identifier: Apache-2.0 */
/* What formats make of a policy with calls that ask: they say so, or that they can't. */
#include "unit/filters.h"

#include "base/text.h"

#define LISTENER "nothing starts under it without a listenerPath, since these ask"

/* read passes; mremap, and clone without namespaces, ask. */
static struct filter *asking(void)
{
	static const struct filter_cond plain = { 0, FILTER_MASKED_EQ, 0x7e020000, 0 };
	static const struct filter_cond user = { 0, FILTER_MASKED_EQ, 0x10000000, 0x10000000 };
	struct filter *f = filter_make(X86_64);

	allow(f, TAMIS_ABI_X86_64, "read");
	add(f, TAMIS_ABI_X86_64, 25, FILTER_NOTIFY, 0);
	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_NOTIFY, 0, 1, &plain);
	add_cond(f, TAMIS_ABI_X86_64, 56, FILTER_ERRNO, 1, 1, &user);
	add(f, TAMIS_ABI_X86_64, 95, FILTER_ERRNO, 1);
	filter_sort(f);
	return f;
}

static void check_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static const struct {
	const char *format, *limit; /* NULL: it says it */
	const char *text;	    /* a part of it, NULL: not asked */
	const char *never;
} formats[] = {
	{ "oci", LISTENER, "SCMP_ACT_NOTIFY", NULL },
	{ "docker", LISTENER, "SCMP_ACT_NOTIFY", NULL },
	{ "spo", LISTENER, "SCMP_ACT_NOTIFY", NULL },
	{ "label", LISTENER, "SCMP_ACT_NOTIFY", NULL },
	{ "systemd", "nobody can be asked, so refused in the form that asks",
	  "SystemCallFilter=read\n", "mremap" },
	{ "annotation", "refused with ENOSYS, as nobody listens for those that ask", NULL, NULL },
	{ "bpf", "refused with ENOSYS unless who loads it listens, since these ask", NULL, NULL },
	{ "text", NULL, "\nx86_64: 2 calls ask\n", NULL },
	{ "names", NULL, "x86_64 read\n", "mremap" },
	{ "pfc", NULL, "SCMP_ACT_NOTIFY", NULL },
};

static void check_limit(const char *format, const struct policy *p, const char *limit)
{
	_free_ char *limits = limits_of(format, p), *line = NULL;

	/* every call of it is named */
	line = text_format("%s: x86_64 mremap, x86_64 clone\n", limit);
	check_has(limits, line);
}

static void says_it_or_that_it_cant(void **state)
{
	_cleanup_(filter_free) struct filter *f = asking();
	const struct policy p = { .workload = "podman/web", .filter = f };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_free_ char *text = emitted(formats[i].format, &p, NULL, NULL);

		if (formats[i].limit)
			check_limit(formats[i].format, &p, formats[i].limit);
		if (formats[i].text)
			check_has(text, formats[i].text);
		if (formats[i].never)
			assert_null(strstr(text, formats[i].never));
	}
}

/* A format that is new here is asked too. */
static void all_formats_are_known(void **state)
{
	size_t cnt = 0;

	while (emit_formats[cnt].name)
		cnt++;
	assert_int_equal(cnt, ARRAY_SIZE(formats));
	for (size_t i = 0; i < cnt; i++)
		assert_non_null(emit_find(formats[i].format));
}

static void nobody_asks_nothing_is_said(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	const struct policy p = { .workload = "podman/web", .filter = f };

	allow(f, TAMIS_ABI_X86_64, "read mremap");
	filter_sort(f);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_free_ char *limits = limits_of(formats[i].format, &p);

		if (formats[i].limit && strstr(limits, formats[i].limit))
			fail_msg("%s: %s", formats[i].format, limits);
	}
}

static void people_read_what_asks(void **state)
{
	_cleanup_(filter_free) struct filter *f = asking();
	const struct policy p = { .workload = "podman/web", .filter = f };
	_free_ char *text = emitted("text", &p, NULL, NULL);

	check_has(text, "\nx86_64: 1 call allowed\n");
	check_has(text, "asks if arg0 & 0x7e020000 == 0x0\n");
	check_has(text, "EPERM if arg0 & 0x10000000 == 0x10000000\n");
	check_has(text, "\nrefused\n  x86_64, EPERM: umask\n  every other call: ENOSYS\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_it_or_that_it_cant),
		cmocka_unit_test(all_formats_are_known),
		cmocka_unit_test(nobody_asks_nothing_is_said),
		cmocka_unit_test(people_read_what_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
