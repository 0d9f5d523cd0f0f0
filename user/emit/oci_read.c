/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI seccomp profile as docker and podman write it. What a runtime would make of the file
 * on this host is what we make of it; where runtimes differ, the stricter reading is taken.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "emit/formats.h"
#include "emit/oci_reader.h"

#define ERRNO_MAX 4095

/* --- actions and errnos ------------------------------------------------------------------- */

static int errno_from_name(const char *name, uint32_t *ret)
{
	static const struct {
		const char *name;
		uint32_t value;
	} aliases[] = { { "EWOULDBLOCK", EWOULDBLOCK },
			{ "EDEADLOCK", EDEADLOCK },
			{ "ENOTSUP", ENOTSUP } };
	uint64_t n;

	if (text_u64(name, ERRNO_MAX, &n) == 0) {
		*ret = n;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcmp(name, aliases[i].name) == 0) {
			*ret = aliases[i].value;
			return 0;
		}
	}
	for (int i = 1; i <= ERRNO_MAX; i++) {
		const char *known = strerrorname_np(i);

		if (known && strcmp(name, known) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

int oci_read_action(struct oci_reader *rd, const json_t *o, const char *path,
		    const char *const keys[3], enum filter_action *ret, uint32_t *ret_errno)
{
	const char *action = NULL, *name = NULL;
	uint64_t number = EPERM;
	int r = oci_string(o, path, keys[0], true, &action, &rd->why);

	if (r == 0)
		r = oci_uint(o, path, keys[1], ERRNO_MAX, false, &number, &rd->why);
	if (r == 0)
		r = oci_string(o, path, keys[2], false, &name, &rd->why);
	if (r < 0)
		return r;
	if (filter_action_from_oci(action, ret) < 0)
		return oci_fail(&rd->why, "%s%s: unknown action \"%.64s\"", path, keys[0], action);
	*ret_errno = number;
	if (name && *name && errno_from_name(name, ret_errno) < 0)
		return oci_fail(&rd->why, "%s%s: unknown errno \"%.64s\"", path, keys[2], name);
	if (*ret != FILTER_ERRNO && *ret != FILTER_TRACE)
		*ret_errno = 0;
	return 0;
}

/* --- architectures ------------------------------------------------------------------------ */

/* Names of the runtime spec for machines that tamis has no tables for: they are left out. */
static bool is_foreign_arch(const char *name)
{
	static const char *const prefixes[] = { "MIPS",	 "PPC",	      "S390", "PARISC",
						"RISCV", "LOONGARCH", "M68K", "SH" };

	if (strncmp(name, "SCMP_ARCH_", 10) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (strncmp(name + 10, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static int add_arch(struct oci_reader *rd, const char *path, const char *key, const char *name)
{
	enum tamis_abi abi;

	if (strcmp(name, "SCMP_ARCH_NATIVE") == 0)
		rd->f->abis |= 1u << rd->machine;
	else if (strncmp(name, "SCMP_ARCH_", 10) == 0 && abi_from_name(name, &abi) == 0)
		rd->f->abis |= 1u << abi;
	else if (!is_foreign_arch(name))
		return oci_fail(&rd->why, "%s%s: unknown architecture \"%.64s\"", path, key, name);
	return 0;
}

static int read_arch_list(struct oci_reader *rd, const json_t *list, const char *path,
			  const char *key)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name;
		int r = oci_item(list, i, path, key, &name, &rd->why);

		if (r == 0)
			r = add_arch(rd, path, key, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Only the entry of the machine that the file is read on counts. */
static int read_arch_map(struct oci_reader *rd, const json_t *map)
{
	for (size_t i = 0; i < json_array_size(map); i++) {
		const json_t *o = json_array_get(map, i);
		const char *name = NULL;
		json_t *subs = NULL;
		char path[PATH_ROOM];
		int r;

		snprintf(path, sizeof(path), "archMap[%zu].", i);
		if (!json_is_object(o))
			return oci_fail(&rd->why, "archMap[%zu]: not an object", i);
		r = oci_string(o, path, "architecture", true, &name, &rd->why);
		if (r == 0)
			r = oci_array(o, path, "subArchitectures", &subs, &rd->why);
		if (r < 0)
			return r;
		if (strcmp(name, abi_oci_name(rd->machine)) != 0)
			continue;
		r = add_arch(rd, path, "architecture", name);
		if (r == 0)
			r = read_arch_list(rd, subs, path, "subArchitectures");
		if (r < 0)
			return r;
	}
	return 0;
}

/* Runtimes always speak for their own ABI, listed or not. A file that lists another machine's
 * ABIs only was made for that machine. */
static void add_native(struct filter *f, enum tamis_abi machine)
{
	bool ours = f->abis == 0;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++)
		ours |= (f->abis >> abi & 1) && abi_runs_on(abi, machine);
	if (ours)
		f->abis |= 1u << machine;
}

static int read_architectures(struct oci_reader *rd, const json_t *root)
{
	json_t *list = NULL, *map = NULL;
	int r = oci_array(root, "", "architectures", &list, &rd->why);

	if (r == 0)
		r = oci_array(root, "", "archMap", &map, &rd->why);
	if (r < 0)
		return r;
	if (json_array_size(list) > 0 && json_array_size(map) > 0)
		return oci_fail(&rd->why, "architectures and archMap exclude each other");
	r = read_arch_list(rd, list, "", "architectures");
	if (r == 0)
		r = read_arch_map(rd, map);
	if (r == 0)
		add_native(rd->f, rd->machine);
	return r;
}

/* --- the whole ---------------------------------------------------------------------------- */

static int read_flags(struct oci_reader *rd, const json_t *root)
{
	static const char *const known[] = { "TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV" };
	json_t *flags = NULL;
	int r = oci_array(root, "", "flags", &flags, &rd->why);

	for (size_t i = 0; r == 0 && i < json_array_size(flags); i++) {
		const char *name = NULL;
		bool found = false;

		r = oci_item(flags, i, "", "flags", &name, &rd->why);
		for (size_t j = 0; r == 0 && j < ARRAY_SIZE(known); j++)
			found |= strncmp(name, "SECCOMP_FILTER_FLAG_", 20) == 0 &&
				 strcmp(name + 20, known[j]) == 0;
		if (r == 0 && !found)
			return oci_fail(&rd->why, "flags[%zu]: unknown flag \"%.64s\"", i, name);
	}
	return r;
}

static int read_root(struct oci_reader *rd, const json_t *root)
{
	static const char *const keys[] = { "defaultAction", "defaultErrnoRet", "defaultErrno" };
	json_t *entries = NULL;
	int r;

	if (!json_is_object(root))
		return oci_fail(&rd->why, "not a JSON object");
	r = oci_read_action(rd, root, "", keys, &rd->f->default_action, &rd->f->default_errno);
	if (r == 0)
		r = read_architectures(rd, root);
	if (r == 0)
		r = read_flags(rd, root);
	if (r == 0)
		r = oci_array(root, "", "syscalls", &entries, &rd->why);
	for (size_t i = 0; r == 0 && i < json_array_size(entries); i++)
		r = oci_read_entry(rd, json_array_get(entries, i), i);
	return r;
}

static int parse_on(const char *text, size_t len, enum tamis_abi machine, const char *const *caps,
		    struct filter **ret, unsigned *ret_unknown, char **ret_why)
{
	_cleanup_(filter_free) struct filter *f = NULL;
	struct oci_reader rd = { .caps = caps, .machine = machine };
	_cleanup_(json_decref) json_t *root = NULL;
	int r = filter_new(&f);

	rd.f = f;
	if (r == 0)
		r = oci_json_load(text, len, &root, &rd.why);
	if (r == 0)
		r = read_root(&rd, root);
	if (r < 0) {
		*ret_why = rd.why ?: text_format("%s", strerror(-r));
		return r;
	}
	filter_sort(f);
	*ret = TAKE_PTR(f);
	if (ret_unknown)
		*ret_unknown = rd.unknown;
	return 0;
}

int oci_parse(const char *text, size_t len, const char *const *caps, struct filter **ret,
	      unsigned *ret_unknown, char **ret_why)
{
	return parse_on(text, len, abi_native(), caps, ret, ret_unknown, ret_why);
}

static int read_text(const char *path, char **ret, size_t *ret_len, char **ret_why)
{
	int r = file_read(path, OCI_MAX_SIZE, ret, ret_len);

	if (r == -EFBIG)
		(void)oci_fail(ret_why, "larger than %u MiB", OCI_MAX_SIZE >> 20);
	else if (r < 0)
		*ret_why = text_format("%s", strerror(-r));
	return r;
}

int oci_read(const char *path, const char *const *caps, struct filter **ret, unsigned *ret_unknown,
	     char **ret_why)
{
	_free_ char *text = NULL;
	size_t len;
	int r = read_text(path, &text, &len, ret_why);

	return r < 0 ? r : oci_parse(text, len, caps, ret, ret_unknown, ret_why);
}

int oci_read_on(const char *path, enum tamis_abi machine, const char *const *caps,
		struct filter **ret, char **ret_why)
{
	_free_ char *text = NULL;
	size_t len;
	int r = read_text(path, &text, &len, ret_why);

	return r < 0 ? r : parse_on(text, len, machine, caps, ret, NULL, ret_why);
}
