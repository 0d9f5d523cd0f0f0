/* SPDX-License-Identifier: Apache-2.0 */
/* A profile in docker's format, read as JSON rather than as a filter: what decides when an entry
 * applies is the engine's to judge, at the start. */
#include "emit/docker_base.h"

#include <errno.h>
#include <string.h>

#include "base/json_text.h"
#include "emit/formats.h"
#include "emit/oci_reader.h"

/* --- reading -------------------------------------------------------------------------------- */

size_t docker_name_cnt(const json_t *entry)
{
	size_t cnt = json_array_size(json_object_get(entry, "names"));

	return cnt ? cnt : json_string_length(json_object_get(entry, "name")) > 0;
}

json_t *docker_name(const json_t *entry, size_t i)
{
	json_t *names = json_object_get(entry, "names");

	return json_array_size(names) ? json_array_get(names, i) : json_object_get(entry, "name");
}

bool docker_passes(const json_t *entry)
{
	enum filter_action action = FILTER_KILL_PROCESS;

	(void)filter_action_from_oci(json_string_value(json_object_get(entry, "action")), &action);
	return filter_action_passes(action);
}

int docker_base_rules(const struct docker_base *b, size_t i, struct filter *ret)
{
	const json_t *entry = json_array_get(json_object_get(b->root, "syscalls"), i);
	struct oci_reader rd = { .f = ret };
	int r = oci_entry_rules(&rd, entry, i);

	free(rd.why);
	return r;
}

/* oci_parse looks at the names of those entries only that apply here. */
static int check_names(const json_t *entry, size_t i, char **ret_why)
{
	json_t *names = json_object_get(entry, "names");
	json_t *name = json_object_get(entry, "name");

	if (json_string_length(name) > 0 && json_array_size(names) > 0)
		return oci_fail(ret_why, "syscalls[%zu]: name and names exclude each other", i);
	if (docker_name_cnt(entry) == 0)
		return oci_fail(ret_why, "syscalls[%zu].names: missing", i);
	for (size_t j = 0; j < docker_name_cnt(entry); j++) {
		if (json_string_length(docker_name(entry, j)) == 0)
			return oci_fail(ret_why, "syscalls[%zu].names[%zu]: not a name", i, j);
	}
	return 0;
}

static int check_all_names(const json_t *root, char **ret_why)
{
	const json_t *entries = json_object_get(root, "syscalls");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(entries); i++)
		r = check_names(json_array_get(entries, i), i, ret_why);
	return r;
}

int docker_base_parse(const char *text, size_t len, struct docker_base **ret, char **ret_why)
{
	_cleanup_(docker_base_free) struct docker_base *b = calloc(1, sizeof(*b));
	_cleanup_(filter_free) struct filter *f = NULL;
	int r;

	if (!b) {
		*ret_why = strdup(strerror(ENOMEM));
		return -ENOMEM;
	}
	r = oci_parse(text, len, NULL, &f, NULL, ret_why);
	if (r < 0)
		return r;
	if (filter_action_passes(f->default_action))
		return oci_fail(ret_why,
				"%s by default: only a list of what is allowed can be a base",
				filter_action_oci(f->default_action));
	r = oci_json_load(text, len, &b->root, ret_why);
	if (r == 0)
		r = check_all_names(b->root, ret_why);
	if (r < 0)
		return r;
	b->default_action = f->default_action;
	b->default_errno = f->default_errno;
	*ret = TAKE_PTR(b);
	return 0;
}

void docker_base_free(struct docker_base *b)
{
	if (!b)
		return;
	json_decref(b->root);
	free(b);
}

/* --- ABIs: those of both --------------------------------------------------------------------- */

static bool has_abi(const struct filter *f, const json_t *name)
{
	const char *s = json_string_value(name);
	enum tamis_abi abi = abi_native();

	if (!s || (strcmp(s, "SCMP_ARCH_NATIVE") != 0 && abi_from_name(s, &abi) < 0))
		return false;
	return f->abis >> abi & 1;
}

static json_t *common(const struct filter *f, const json_t *list)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *name = json_array_get(list, i);

		if (has_abi(f, name))
			(void)json_array_append(out, name);
	}
	return out;
}

static json_t *common_map(const struct filter *f, const json_t *map)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(map); i++) {
		json_t *o = json_array_get(map, i), *copy;

		if (!has_abi(f, json_object_get(o, "architecture")))
			continue;
		copy = json_copy(o);
		(void)json_object_set_new(copy, "subArchitectures",
					  common(f, json_object_get(o, "subArchitectures")));
		(void)json_array_append_new(out, copy);
	}
	return out;
}

/* -EOPNOTSUPP where they have none in common. */
static int narrow_abis(json_t *root, const struct filter *f, const char *key,
		       json_t *(*meet)(const struct filter *f, const json_t *list))
{
	json_t *list = json_object_get(root, key), *both;

	if (json_array_size(list) == 0)
		return 0;
	both = meet(f, list);
	(void)json_object_set_new(root, key, both);
	return json_array_size(both) ? 0 : -EOPNOTSUPP;
}

/* --- writing -------------------------------------------------------------------------------- */

/* A number that jansson had to keep as a string (oci_json_load): "value": "DIGITS". */
static bool is_large_number(const char *line, size_t len)
{
	static const char *const keys[] = { "\"value\": \"", "\"valueTwo\": \"" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if (len > n && strncmp(line, keys[i], n) == 0)
			return true;
	}
	return false;
}

/* One line of jansson's, whose indentation is a space a level. */
static void print_line(const char *line, size_t len, FILE *out)
{
	size_t level = strspn(line, " ");

	for (size_t i = 0; i < level; i++)
		fputc('\t', out);
	line += level;
	len -= level;
	if (!is_large_number(line, len)) {
		fwrite(line, 1, len, out);
	} else {
		size_t key = strcspn(line, ":") + 2;

		fwrite(line, 1, key, out);
		for (size_t i = key; i < len; i++) {
			if (line[i] != '"')
				fputc(line[i], out);
		}
	}
	fputc('\n', out);
}

static int print(const json_t *root, FILE *out)
{
	_free_ char *text = json_text(root, JSON_INDENT(1));

	if (!text)
		return -ENOMEM;
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		print_line(line, len, out);
		line += len + (line[len] == '\n');
	}
	return ferror(out) ? -EIO : 0;
}

int docker_narrow(const struct docker_base *b, const struct filter *filter, FILE *out)
{
	_cleanup_(json_decref) json_t *root = json_copy(b->root);
	json_t *entries = NULL;
	int r = root ? narrow_abis(root, filter, "archMap", common_map) : -ENOMEM;

	if (r == 0)
		r = narrow_abis(root, filter, "architectures", common);
	if (r == 0)
		r = docker_entries(b, filter, &entries);
	if (r < 0)
		return r;
	if (json_object_set_new(root, "syscalls", entries) < 0)
		return -ENOMEM;
	return print(root, out);
}
