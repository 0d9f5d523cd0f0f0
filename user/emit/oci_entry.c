/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of "syscalls": whether it applies here, its names and conditions. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "emit/oci_reader.h"
#include "model/calls.h"

#define RULES_MAX (1u << 16)

/* --- includes, excludes ------------------------------------------------------------------- */

static const char *without_cap_prefix(const char *cap)
{
	return strncmp(cap, "CAP_", 4) == 0 ? cap + 4 : cap;
}

static bool has_cap(const struct oci_reader *rd, const char *cap)
{
	for (size_t i = 0; rd->caps && rd->caps[i]; i++) {
		if (strcmp(without_cap_prefix(rd->caps[i]), without_cap_prefix(cap)) == 0)
			return true;
	}
	return false;
}

/* The machine as Go calls it. */
static bool is_our_arch(const struct oci_reader *rd, const char *arch)
{
	static const char *const names[TAMIS_ABI_MAX] = {
		[TAMIS_ABI_X86_64] = "amd64",  [TAMIS_ABI_I386] = "x86", [TAMIS_ABI_X32] = "x32",
		[TAMIS_ABI_AARCH64] = "arm64", [TAMIS_ABI_ARM] = "arm",
	};

	return strcmp(arch, names[rd->machine]) == 0;
}

/* How many of the names hold. */
static int count_held(struct oci_reader *rd, const json_t *o, const char *path, const char *key,
		      bool (*holds)(const struct oci_reader *rd, const char *name),
		      size_t *ret_held, size_t *ret_cnt)
{
	json_t *list = NULL;
	size_t held = 0;
	int r = oci_array(o, path, key, &list, &rd->why);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *name;

		r = oci_item(list, i, path, key, &name, &rd->why);
		if (r == 0)
			held += holds(rd, name);
	}
	if (r < 0)
		return r;
	*ret_held = held;
	*ret_cnt = json_array_size(list);
	return 0;
}

/* Whether the kernel is at least that version; *ret_given false where none is named. */
static int read_min_kernel(struct oci_reader *rd, const json_t *o, const char *path, bool *ret,
			   bool *ret_given)
{
	unsigned want[2], have[2];
	const char *text = NULL;
	struct utsname u;
	char rest;
	int r = oci_string(o, path, "minKernel", false, &text, &rd->why);

	*ret_given = false;
	if (r < 0 || !text || !*text)
		return r;
	if (sscanf(text, "%5u.%5u%c", &want[0], &want[1], &rest) != 2)
		return oci_fail(&rd->why, "%sminKernel: \"%.32s\" is not MAJOR.MINOR", path, text);
	if (uname(&u) < 0 || sscanf(u.release, "%5u.%5u", &have[0], &have[1]) != 2)
		return oci_fail(&rd->why, "%sminKernel: this kernel's version is unknown", path);
	*ret_given = true;
	*ret = have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
	return 0;
}

struct held {
	size_t caps, caps_cnt, arches, arches_cnt;
	bool kernel, kernel_given;
};

static int read_held(struct oci_reader *rd, const json_t *entry, const char *entry_path,
		     const char *key, struct held *ret)
{
	struct held h = { 0 };
	char path[2 * PATH_ROOM];
	json_t *o = NULL;
	int r = oci_object(entry, entry_path, key, &o, &rd->why);

	snprintf(path, sizeof(path), "%s%s.", entry_path, key);
	if (r == 0 && o)
		r = count_held(rd, o, path, "caps", has_cap, &h.caps, &h.caps_cnt);
	if (r == 0 && o)
		r = count_held(rd, o, path, "arches", is_our_arch, &h.arches, &h.arches_cnt);
	if (r == 0 && o)
		r = read_min_kernel(rd, o, path, &h.kernel, &h.kernel_given);
	if (r == 0)
		*ret = h;
	return r;
}

static int entry_applies(struct oci_reader *rd, const json_t *entry, const char *path, bool *ret)
{
	struct held in = { 0 }, ex = { 0 };
	int r = read_held(rd, entry, path, "includes", &in);

	if (r == 0)
		r = read_held(rd, entry, path, "excludes", &ex);
	if (r < 0)
		return r;
	*ret = in.caps == in.caps_cnt && (in.arches > 0 || in.arches_cnt == 0) &&
	       (in.kernel || !in.kernel_given) && ex.caps == 0 && ex.arches == 0 &&
	       !(ex.kernel && ex.kernel_given);
	return 0;
}

/* --- rules -------------------------------------------------------------------------------- */

static int read_cond(struct oci_reader *rd, const json_t *o, const char *path,
		     struct filter_cond *ret)
{
	uint64_t index = 0, value = 0, two = 0;
	const char *op = NULL;
	int r = oci_uint(o, path, "index", FILTER_ARGS - 1, true, &index, &rd->why);

	if (r == 0)
		r = oci_uint(o, path, "value", UINT64_MAX, true, &value, &rd->why);
	if (r == 0)
		r = oci_uint(o, path, "valueTwo", UINT64_MAX, false, &two, &rd->why);
	if (r == 0)
		r = oci_string(o, path, "op", true, &op, &rd->why);
	if (r < 0)
		return r;
	*ret = (struct filter_cond){ .index = index, .value = value, .value_two = two };
	if (filter_op_from_oci(op, &ret->op) < 0)
		return oci_fail(&rd->why, "%sop: unknown operator \"%.64s\"", path, op);
	return 0;
}

static int read_conds(struct oci_reader *rd, const json_t *args, const char *entry_path,
		      struct filter_cond *conds)
{
	for (size_t i = 0; i < json_array_size(args); i++) {
		const json_t *o = json_array_get(args, i);
		char path[2 * PATH_ROOM];
		int r;

		snprintf(path, sizeof(path), "%sargs[%zu].", entry_path, i);
		if (!json_is_object(o))
			return oci_fail(&rd->why, "%sargs[%zu]: not an object", entry_path, i);
		r = read_cond(rd, o, path, &conds[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool repeats_index(const struct filter_cond *c, size_t cnt)
{
	unsigned seen = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (seen >> c[i].index & 1)
			return true;
		seen |= 1u << c[i].index;
	}
	return false;
}

static int add_rule(struct oci_reader *rd, struct filter_rule *rule,
		    const struct filter_cond *conds, size_t cnt)
{
	if (rd->f->rule_cnt >= RULES_MAX)
		return oci_fail(&rd->why, "syscalls: more than %u rules", RULES_MAX);
	rule->cond_cnt = cnt;
	for (size_t i = 0; i < cnt; i++)
		rule->cond[i] = conds[i];
	return filter_add(rd->f, rule);
}

/* Conditions are ANDed; but runc and crun take each for a rule of its own as soon as any
 * argument is named twice. */
static int add_call(struct oci_reader *rd, struct filter_rule *rule,
		    const struct filter_cond *conds, size_t cnt)
{
	int r = 0;

	if (!repeats_index(conds, cnt))
		return add_rule(rd, rule, conds, cnt);
	for (size_t i = 0; r == 0 && i < cnt; i++)
		r = add_rule(rd, rule, &conds[i], 1);
	return r;
}

static int add_name(struct oci_reader *rd, struct filter_rule *rule, const char *name,
		    const struct filter_cond *conds, size_t cnt)
{
	bool known = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number(abi, name), r;

		known |= nr >= 0;
		if (nr < 0 || !(rd->f->abis >> abi & 1))
			continue;
		rule->abi = abi;
		rule->nr = nr;
		r = add_call(rd, rule, conds, cnt);
		if (r < 0)
			return r;
	}
	rd->unknown += !known;
	return 0;
}

static int add_names(struct oci_reader *rd, const json_t *entry, const char *path,
		     struct filter_rule *rule, const struct filter_cond *conds, size_t cnt)
{
	json_t *names = NULL;
	const char *name = NULL;
	int r = oci_array(entry, path, "names", &names, &rd->why);

	if (r == 0)
		r = oci_string(entry, path, "name", false, &name, &rd->why);
	if (r < 0)
		return r;
	if (name && json_array_size(names) > 0)
		return oci_fail(&rd->why, "%sname and names exclude each other", path);
	if (name && *name)
		return add_name(rd, rule, name, conds, cnt);
	if (json_array_size(names) == 0)
		return oci_fail(&rd->why, "%snames: %s", path, names ? "empty" : "missing");
	for (size_t i = 0; r == 0 && i < json_array_size(names); i++) {
		r = oci_item(names, i, path, "names", &name, &rd->why);
		if (r == 0)
			r = add_name(rd, rule, name, conds, cnt);
	}
	return r;
}

/* Its action and its conditions, as many as args has. Caller frees. */
static int read_rule(struct oci_reader *rd, const json_t *entry, const char *path,
		     struct filter_rule *ret, struct filter_cond **ret_conds, size_t *ret_cnt)
{
	static const char *const keys[] = { "action", "errnoRet", "errno" };
	_free_ struct filter_cond *conds = NULL;
	json_t *args = NULL;
	int r = oci_read_action(rd, entry, path, keys, &ret->action, &ret->errno_ret);

	if (r == 0)
		r = oci_array(entry, path, "args", &args, &rd->why);
	if (r < 0)
		return r;
	conds = calloc(json_array_size(args) + 1, sizeof(*conds));
	if (!conds)
		return -ENOMEM;
	r = read_conds(rd, args, path, conds);
	if (r < 0)
		return r;
	*ret_conds = TAKE_PTR(conds);
	*ret_cnt = json_array_size(args);
	return 0;
}

int oci_read_entry(struct oci_reader *rd, const json_t *entry, size_t i)
{
	_free_ struct filter_cond *conds = NULL;
	struct filter_rule rule = { 0 };
	char path[PATH_ROOM];
	bool applies = false;
	size_t cnt = 0;
	int r;

	snprintf(path, sizeof(path), "syscalls[%zu].", i);
	if (!json_is_object(entry))
		return oci_fail(&rd->why, "syscalls[%zu]: not an object", i);
	r = read_rule(rd, entry, path, &rule, &conds, &cnt);
	if (r == 0)
		r = entry_applies(rd, entry, path, &applies);
	if (r < 0 || !applies)
		return r;
	return add_names(rd, entry, path, &rule, conds, cnt);
}

int oci_entry_rules(struct oci_reader *rd, const json_t *entry, size_t i)
{
	_free_ struct filter_cond *conds = NULL;
	struct filter_rule rule = { 0 };
	char path[PATH_ROOM];
	size_t cnt = 0;
	int r;

	snprintf(path, sizeof(path), "syscalls[%zu].", i);
	r = read_rule(rd, entry, path, &rule, &conds, &cnt);
	return r < 0 ? r : add_call(rd, &rule, conds, cnt);
}
