/* SPDX-License-Identifier: Apache-2.0 */
/* The SeccompProfile, read back as the operator makes a runtime's profile of it: what its default
 * refuses gets EPERM. */
#include "unit/policies.h"
#include "unit/verdicts.h"

static char *written(const struct filter *f, const char *key)
{
	struct policy p = { .filter = f, .workload = key };

	return emitted("spo", &p, NULL, NULL);
}

/* --- a reader of the YAML that is written ----------------------------------------------------- */

struct reader {
	struct filter *f;
	bool in_entry;
	struct filter_rule rule;
	char name[600][CALLS_NAME_MAX];
	size_t names;
};

static void end_entry(struct reader *r)
{
	if (r->in_entry)
		assert_true(r->names > 0);
	for (size_t i = 0; i < r->names; i++) {
		for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
			int nr = calls_number(abi, r->name[i]);

			if (nr < 0 || !(r->f->abis >> abi & 1))
				continue;
			r->rule.abi = abi;
			r->rule.nr = nr;
			assert_int_equal(filter_add(r->f, &r->rule), 0);
		}
	}
	r->rule = (struct filter_rule){ .errno_ret = 1 };
	r->names = 0;
	r->in_entry = true;
}

static void read_head(struct reader *r, const char *line)
{
	enum filter_action action;
	enum tamis_abi abi;
	char word[64];

	if (sscanf(line, "    - %63s", word) == 1) {
		assert_int_equal(abi_from_name(word, &abi), 0);
		r->f->abis |= 1u << abi;
	} else if (sscanf(line, "  defaultAction: %63s", word) == 1) {
		assert_int_equal(filter_action_from_oci(word, &action), 0);
		r->f->default_action = action;
		r->f->default_errno = action == FILTER_ERRNO ? 1 : 0;
	}
}

static bool read_arg(struct reader *r, const char *line)
{
	struct filter_cond *c = r->rule.cond_cnt ? &r->rule.cond[r->rule.cond_cnt - 1] : NULL;
	unsigned long long n;
	char word[64];

	if (sscanf(line, "        - index: %llu", &n) == 1)
		r->rule.cond[r->rule.cond_cnt++].index = n;
	else if (c && sscanf(line, "          op: %63s", word) == 1)
		assert_int_equal(filter_op_from_oci(word, &c->op), 0);
	else if (c && sscanf(line, "          value: %llu", &n) == 1)
		c->value = n;
	else if (c && sscanf(line, "          valueTwo: %llu", &n) == 1)
		c->value_two = n;
	else
		return false;
	assert_true(r->rule.cond_cnt == 0 || r->rule.cond[r->rule.cond_cnt - 1].value <= INT64_MAX);
	return true;
}

static void read_entry(struct reader *r, const char *line)
{
	char word[64];
	unsigned n;

	if (sscanf(line, "    - action: %63s", word) == 1) {
		end_entry(r);
		assert_int_equal(filter_action_from_oci(word, &r->rule.action), 0);
	} else if (sscanf(line, "      errnoRet: %u", &n) == 1) {
		r->rule.errno_ret = n;
	} else if (strcmp(line, "      names:") != 0 && strcmp(line, "      args:") != 0 &&
		   !read_arg(r, line)) {
		assert_int_equal(sscanf(line, "        - %47s", r->name[r->names]), 1);
		r->names++;
	}
}

static struct filter *read_back(const char *text)
{
	struct reader *r = calloc(1, sizeof(*r));
	_free_ char *copy = strdup(text);
	struct filter *f = filter_make(0);
	bool head = true;
	char *save = NULL;

	r->f = f;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, "  syscalls:") == 0)
			head = false;
		else if (head)
			read_head(r, line);
		else
			read_entry(r, line);
	}
	end_entry(r);
	free(r);
	filter_sort(f);
	return f;
}

/* --- verdicts ------------------------------------------------------------------------------- */

static bool has_conditions(const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	const struct filter_rule *rule;
	size_t cnt = filter_find(f, abi, nr, &rule);

	return cnt && rule->cond_cnt;
}

static const struct filter *original;

/* All the same but for the two limits: no name, and where no condition of its call holds. */
static void same_but_for_limits(const struct filter_verdict *v, const char *call)
{
	bool nameless = strchr(call, '#') && strchr(call, '#') < strchr(call, '(');
	enum tamis_abi abi = TAMIS_ABI_X86_64;
	char abi_text[16], name[CALLS_NAME_MAX];
	bool conditional = false;

	assert_int_equal(sscanf(call, "%15s %47[^(]", abi_text, name), 2);
	assert_int_equal(abi_from_name(abi_text, &abi), 0);
	if (!nameless)
		conditional = has_conditions(original, abi, calls_number(abi, name));
	if (v[0].errno_ret == 38 && v[1].errno_ret == 1 && (nameless || conditional)) {
		assert_int_equal(v[0].action, v[1].action);
		return;
	}
	verdicts_same(v, call);
}

static void every_answer_is_said(void **state)
{
	uint64_t seed = 21;

	for (unsigned round = 0; round < 20; round++) {
		_cleanup_(filter_free) struct filter *f = policy_random(&seed, 1 + round % 5, "");
		_free_ char *text = written(f, "podman/web");
		_cleanup_(filter_free) struct filter *back = read_back(text);
		struct verdicts_of v = { { f, back }, 2, same_but_for_limits, f->abis };

		original = f;
		assert_int_equal(back->abis, f->abis);
		verdicts_compare(&v);
	}
}

static void other_machines(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(AARCH64 | ARM), *back = NULL;
	struct verdicts_of v = { { f }, 2, same_but_for_limits, AARCH64 | ARM };
	_free_ char *text = NULL;

	allow(f, TAMIS_ABI_AARCH64, "read write openat");
	allow(f, TAMIS_ABI_ARM, "read write openat");
	filter_sort(f);
	text = written(f, "podman/web");
	back = read_back(text);
	original = f;
	v.f[1] = back;
	verdicts_compare(&v);
}

/* A default that kills needs no list. */
static void a_default_of_death(void **state)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	_free_ char *text = NULL;

	f->default_action = FILTER_KILL_PROCESS;
	f->default_errno = 0;
	allow(f, TAMIS_ABI_X86_64, "read");
	filter_sort(f);
	text = written(f, "podman/web");
	assert_string_equal(text, "apiVersion: security-profiles-operator.x-k8s.io/v1\n"
				  "kind: SeccompProfile\n"
				  "metadata:\n  name: \"podman.web\"\n"
				  "spec:\n  defaultAction: SCMP_ACT_KILL_PROCESS\n"
				  "  architectures:\n    - SCMP_ARCH_X86_64\n"
				  "  syscalls:\n    - action: SCMP_ACT_ALLOW\n"
				  "      names:\n        - read\n");
}

static void what_doesnt_fit_int64_is_refused(void **state)
{
	static const struct filter_cond large = { 0, FILTER_NE, 1ULL << 63, 0 };
	static const uint64_t zero[FILTER_ARGS];
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64), *back = NULL;
	struct policy p = { .filter = f };
	_free_ char *text = NULL, *limits = limits_of("spo", &p);

	assert_null(strstr(limits, "2^63"));
	add_cond(f, TAMIS_ABI_X86_64, 10, FILTER_ALLOW, 0, 1, &large);
	filter_sort(f);
	text = written(f, "x");
	back = read_back(text);
	assert_int_equal(filter_verdict(back, TAMIS_ABI_X86_64, 10, zero).errno_ret, 38);
	free(limits);
	limits = limits_of("spo", &p);
	assert_non_null(strstr(limits, "2^63 and more can't be said, so refused: mprotect\n"));
}

/* --- names ---------------------------------------------------------------------------------- */

static bool is_dns_name(const char *s)
{
	if (!*s || strlen(s) > 253)
		return false;
	for (const char *label = s;; label += strcspn(label, ".") + 1) {
		size_t len = strcspn(label, ".");

		if (len == 0 || strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") < len ||
		    *label == '-' || label[len - 1] == '-')
			return false;
		if (!label[len])
			return true;
	}
}

static char *name_of(const char *key)
{
	_cleanup_(filter_free) struct filter *f = filter_make(X86_64);
	_free_ char *text = written(f, key);
	char *name = NULL;

	assert_int_equal(sscanf(strstr(text, "\n  name:"), "\n  name: \"%m[^\"]\"\n", &name), 1);
	return name;
}

static void names_are_dns_names(void **state)
{
	static const char *const keys[] = {
		"podman/web",  "kubernetes/prod/web/app",
		"podman/Web",  "podman/web_1",
		"podman/a.b",  "podman/a/b",
		"/usr/bin/ls", "podman/-x-",
		"podman//",    "",
		"-",	       "podman/web\n  x: y",
		"podman/\xff", "podman/web-",
		"podman/webx", "podman/\"quoted\"",
	};
	char *name[ARRAY_SIZE(keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		name[i] = name_of(keys[i]);
		assert_true(is_dns_name(name[i]));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(name[i], name[j]);
	}
	assert_string_equal(name[0], "podman.web");
	assert_string_equal(name[1], "kubernetes.prod.web.app");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		free(name[i]);
}

static void long_keys_differ(void **state)
{
	char a[600], b[600];
	_free_ char *name_a = NULL, *name_b = NULL;

	memset(a, 'a', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(b));
	b[sizeof(b) - 2] = 'b';
	name_a = name_of(a);
	name_b = name_of(b);
	assert_true(is_dns_name(name_a));
	assert_true(is_dns_name(name_b));
	assert_string_not_equal(name_a, name_b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_said),
		cmocka_unit_test(other_machines),
		cmocka_unit_test(a_default_of_death),
		cmocka_unit_test(what_doesnt_fit_int64_is_refused),
		cmocka_unit_test(names_are_dns_names),
		cmocka_unit_test(long_keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
