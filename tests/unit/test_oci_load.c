/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A composed policy, written as OCI JSON and loaded as runc and crun do it (each rule by name,
 * in the file's order, for every architecture listed), answers what its filter says: libseccomp
 * must not be given anything that it gets wrong.
 */
#include <jansson.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "emit/scmp.h"
#include "model/compose.h"
#include "policy/data.h"
#include "sim/cbpf.h"
#include "unit/filters.h"

static uint32_t action_value(const char *name, json_t *errno_ret)
{
	enum filter_action a = FILTER_ALLOW;

	assert_int_equal(filter_action_from_oci(name, &a), 0);
	switch (a) {
	case FILTER_ERRNO:
		return SCMP_ACT_ERRNO(errno_ret ? json_integer_value(errno_ret) : 1);
	case FILTER_ALLOW:
		return SCMP_ACT_ALLOW;
	case FILTER_NOTIFY:
		return SCMP_ACT_NOTIFY;
	default:
		fail_msg("%s: not in a composed policy", name);
		return 0;
	}
}

static unsigned read_args(json_t *args, struct scmp_arg_cmp *ret)
{
	static const enum scmp_compare ops[] = { SCMP_CMP_NE,	    SCMP_CMP_LT, SCMP_CMP_LE,
						 SCMP_CMP_EQ,	    SCMP_CMP_GE, SCMP_CMP_GT,
						 SCMP_CMP_MASKED_EQ };
	unsigned seen = 0;

	for (size_t i = 0; i < json_array_size(args); i++) {
		json_t *o = json_array_get(args, i);
		enum filter_op op = FILTER_EQ;

		ret[i].arg = json_integer_value(json_object_get(o, "index"));
		assert_false(seen & 1u << ret[i].arg); /* would become alternatives */
		seen |= 1u << ret[i].arg;
		assert_int_equal(
			filter_op_from_oci(json_string_value(json_object_get(o, "op")), &op), 0);
		ret[i].op = ops[op];
		ret[i].datum_a = json_integer_value(json_object_get(o, "value"));
		ret[i].datum_b = json_integer_value(json_object_get(o, "valueTwo"));
	}
	return json_array_size(args);
}

static void load_entry(scmp_filter_ctx c, json_t *entry, uint32_t otherwise)
{
	json_t *names = json_object_get(entry, "names");
	const char *action = json_string_value(json_object_get(entry, "action"));
	uint32_t value = action_value(action, json_object_get(entry, "errnoRet"));
	struct scmp_arg_cmp args[FILTER_ARGS];
	unsigned cnt = read_args(json_object_get(entry, "args"), args);

	for (size_t i = 0; value != otherwise && i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		int nr = seccomp_syscall_resolve_name(name);

		if (nr == __NR_SCMP_ERROR)
			continue; /* as both runtimes do */
		if (seccomp_rule_add_array(c, value, nr, cnt, args) < 0)
			fail_msg("%s can't be added: the container would not start", name);
	}
}

static scmp_filter_ctx load(const char *text)
{
	json_t *root = json_loads(text, 0, NULL), *list, *item;
	scmp_filter_ctx c;
	uint32_t otherwise;
	size_t i;

	assert_non_null(root);
	otherwise = action_value(json_string_value(json_object_get(root, "defaultAction")),
				 json_object_get(root, "defaultErrnoRet"));
	c = seccomp_init(otherwise);
	assert_non_null(c);
	list = json_object_get(root, "architectures");
	json_array_foreach(list, i, item)
	{
		enum tamis_abi abi = TAMIS_ABI_MAX;

		assert_int_equal(abi_from_name(json_string_value(item), &abi), 0);
		if (abi == TAMIS_ABI_I386)
			assert_int_equal(seccomp_arch_add(c, SCMP_ARCH_X86), 0);
	}
	list = json_object_get(root, "syscalls");
	json_array_foreach(list, i, item) load_entry(c, item, otherwise);
	json_decref(root);
	return c;
}

static struct cbpf program_of(scmp_filter_ctx c)
{
	static struct sock_filter insn[BPF_MAXINSNS];
	_close_ int fd = memfd_create("loaded", MFD_CLOEXEC);
	ssize_t got;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(c, fd), 0);
	seccomp_release(c);
	got = pread(fd, insn, sizeof(insn), 0);
	assert_true(got > 0);
	return (struct cbpf){ .insn = insn, .cnt = got / sizeof(*insn) };
}

/* Every call that any table has but clone3's like, learned. */
static struct filter *compose_all(uint32_t abis, const struct filter *engine)
{
	struct sysset gate[TAMIS_ABI_MAX] = { 0 }, always[TAMIS_ABI_MAX] = { 0 },
		      eperm[TAMIS_ABI_MAX] = { 0 };
	_cleanup_(filter_free) struct filter *fallback = NULL;
	struct learned learned = { 0 };
	struct compose_in in = { &learned, engine, NULL, gate, always, eperm, false };
	struct filter *f = NULL;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		for (unsigned nr = 0; (abis >> abi & 1) && nr < calls_end(abi); nr++) {
			if (calls_name(abi, nr) && nr % 4)
				sysset_add(&learned.set[TAMIS_WORKLOAD][abi], nr);
		}
	}
	assert_int_equal(data_gate(NULL, gate), 0);
	assert_int_equal(data_always(always), 0);
	assert_int_equal(data_eperm(eperm), 0);
	assert_int_equal(data_fallback(&fallback), 0);
	in.fallback = fallback;
	sysset_add(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 41);	 /* socket */
	sysset_add(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 56);	 /* clone */
	sysset_add(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 135); /* personality */
	assert_int_equal(compose(&in, &f), 0);
	return f;
}

static uint32_t expected(const struct filter *f, enum tamis_abi abi, uint32_t nr,
			 const uint64_t args[FILTER_ARGS])
{
	struct filter_verdict v = filter_verdict(f, abi, nr, args);

	if (v.action == FILTER_NOTIFY)
		return SECCOMP_RET_USER_NOTIF;
	return v.action == FILTER_ALLOW ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | v.errno_ret;
}

static void check(struct cbpf *sim, const struct filter *f, enum tamis_abi abi, uint32_t nr,
		  const uint64_t args[FILTER_ARGS])
{
	struct seccomp_data d = { .arch = abi_audit_arch(abi), .nr = scmp_number(abi, nr) };
	uint32_t want = expected(f, abi, nr, args), got;

	memcpy(d.args, args, sizeof(d.args));
	got = cbpf_run(sim, &d);
	if (got != want)
		print_error("%s %s (%#llx, ., %#llx): %#x, not %#x\n", abi_name(abi),
			    calls_name(abi, nr), (unsigned long long)args[0],
			    (unsigned long long)args[2], got, want);
	assert_int_equal(got, want);
}

/* Arguments that conditions of the engines and of ours turn on. */
static void check_call(struct cbpf *sim, const struct filter *f, enum tamis_abi abi, uint32_t nr)
{
	static const uint64_t values[] = {
		0,	    1,		2,	    8,		9,	     10,	 15,
		16,	    17,		39,	    40,		41,	     48,	 0x11,
		0x3d0f00,   0x20000,	0x20008,    0x2000000,	0x4000000,   0x8000000,	 0x10000000,
		0x20000000, 0x40000000, 0x7e020000, 0xffffffff, 0x100000010, 0x100000000
	};
	uint64_t high = abi == TAMIS_ABI_I386 ? UINT32_MAX : UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			uint64_t args[FILTER_ARGS] = { values[i] & high, 0, values[j] & high };

			check(sim, f, abi, nr, args);
		}
	}
}

static void check_filter(const struct filter *f, enum tamis_abi only)
{
	struct policy p = { .filter = f };
	_free_ char *text = emitted("oci", &p, NULL, NULL);
	struct cbpf sim = program_of(load(text));

	for (unsigned nr = 0; nr < calls_end(only); nr++) {
		const char *name = calls_name(only, nr);

		/* What oci declares that it can't say. */
		if (name && scmp_knows(only, name))
			check_call(&sim, f, only, nr);
	}
}

static void as_composed(void **state)
{
	_cleanup_(filter_free) struct filter *f = compose_all(X86_64, NULL);

	check_filter(f, TAMIS_ABI_X86_64);
}

static void as_composed_with_an_engines_profile(void **state)
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
		"{\"names\":[\"read\",\"write\",\"clone\",\"execve\"],\"action\":\"SCMP_ACT_"
		"ALLOW\"},"
		"{\"names\":[\"bpf\",\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13},"
		"{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22,\"args\":["
		"{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"},"
		"{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_NE\"}]},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_NE\"}]}]}";
	_cleanup_(filter_free) struct filter *engine = NULL, *f = NULL;
	_free_ char *why = NULL;

	assert_int_equal(oci_parse(profile, strlen(profile), NULL, &engine, NULL, &why), 0);
	f = compose_all(X86_64, engine);
	check_filter(f, TAMIS_ABI_X86_64);
}

static struct filter *engine_at(const char *path)
{
	struct filter *f = NULL;
	_free_ char *why = NULL;

	assert_int_equal(oci_read(path, NULL, &f, NULL, &why), 0);
	return f;
}

/* A service of a few calls, under the engines' own. */
static void in_probation(void **state)
{
	/* Tests run in the top folder. */
	static const char *const paths[] = { "/usr/share/containers/seccomp.json",
					     "tests/unit/docker-shaped.json", NULL };
	struct sysset always[TAMIS_ABI_MAX] = { 0 }, guard[TAMIS_ABI_MAX] = { 0 },
		      gate[TAMIS_ABI_MAX] = { 0 };
	struct learned learned = { 0 };

	assert_int_equal(data_always(always), 0);
	assert_int_equal(data_guard(guard), 0);
	sysset_add(&gate[TAMIS_ABI_X86_64], 59);
	sysset_add(&learned.set[TAMIS_WORKLOAD][TAMIS_ABI_X86_64], 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(filter_free) struct filter *fallback = NULL, *engine = NULL, *f = NULL;
		struct compose_in in = { .learned = &learned,
					 .gate = gate,
					 .always = always,
					 .guard = guard,
					 .strict = true,
					 .probation = true };

		assert_int_equal(data_fallback(&fallback), 0);
		in.fallback = fallback;
		in.engine = engine = paths[i] ? engine_at(paths[i]) : NULL;
		assert_int_equal(compose(&in, &f), 0);
		check_filter(f, TAMIS_ABI_X86_64);
	}
}

/* With two ABIs a name of either opens both, so only what both have is comparable: the filter
 * read back from the file says that. */
static void two_abis_as_the_file_says(void **state)
{
	_cleanup_(filter_free) struct filter *f = compose_all(X86_64 | I386, NULL), *back = NULL;
	struct policy p = { .filter = f };
	_free_ char *text = emitted("oci", &p, NULL, NULL), *why = NULL;
	struct cbpf sim;

	assert_int_equal(oci_parse(text, strlen(text), NULL, &back, NULL, &why), 0);
	sim = program_of(load(text));
	for (unsigned nr = 0; nr < calls_end(TAMIS_ABI_I386); nr++) {
		const char *name = calls_name(TAMIS_ABI_I386, nr);

		/* socketcall and ipc, which libseccomp opens for the names behind them */
		if (name && scmp_knows(TAMIS_ABI_I386, name) && !scmp_is_multiplexed(name) &&
		    nr != 102 && nr != 117)
			check_call(&sim, back, TAMIS_ABI_I386, nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_composed),
		cmocka_unit_test(as_composed_with_an_engines_profile),
		cmocka_unit_test(in_probation),
		cmocka_unit_test(two_abis_as_the_file_says),
	};

	if (abi_native() != TAMIS_ABI_X86_64)
		return 0; /* the runtimes' translation of names starts from the native ABI */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
