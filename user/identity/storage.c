/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/storage.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/identity.h"

#define METADATA_MAX (64U << 10)

void stored_done(struct stored *s)
{
	free(s->name);
	free(s->image);
	free(s->image_id);
	free(s->digest);
	*s = STORED_INIT;
}

static void take_text(struct slice object, const char *name, char **ret)
{
	struct slice s;

	if (slice_member(object, name, &s) == 0)
		(void)slice_text(s, IDENTITY_TEXT_MAX, ret);
}

static bool holds(struct slice s, const char *id)
{
	return s.len > strlen(id) && memmem(s.text, s.len, id, strlen(id));
}

/* The element whose "id" is that. */
static int find_by_id(struct slice array, const char *id, struct slice *ret)
{
	struct slice element = { 0 }, s = { 0 };
	size_t at = 0;
	int r;

	if (!holds(array, id))
		return -ENOENT;
	while ((r = slice_next(array, &at, &element)) > 0) {
		_free_ char *text = NULL;

		if (!holds(element, id))
			continue;
		if (slice_member(element, "id", &s) < 0 || slice_text(s, 256, &text) < 0 ||
		    strcmp(text, id) != 0)
			continue;
		*ret = element;
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

/* podman's own part: an object written as a string. */
static void take_metadata(struct slice element, struct stored *ret)
{
	_free_ char *text = NULL;
	struct slice s;

	if (slice_member(element, "metadata", &s) < 0 || slice_text(s, METADATA_MAX, &text) < 0)
		return;
	s = (struct slice){ .text = text, .len = strlen(text) };
	take_text(s, "image-name", &ret->image);
	take_text(s, "name", &ret->name);
}

/* `podman rename` changes the names, not the metadata: the names go before. */
static void take_name(struct slice element, struct stored *ret)
{
	struct slice names, s;
	char *name = NULL;
	size_t at = 0;

	if (slice_member(element, "names", &names) < 0 || slice_next(names, &at, &s) <= 0)
		return;
	if (slice_text(s, IDENTITY_TEXT_MAX, &name) < 0)
		return;
	free(ret->name);
	ret->name = name;
}

int storage_parse_container(struct slice text, const char *id, struct stored *ret)
{
	_stored_ struct stored found = STORED_INIT;
	struct slice element = { 0 };
	int r = find_by_id(text, id, &element);

	if (r < 0)
		return r;
	take_metadata(element, &found);
	take_name(element, &found);
	take_text(element, "image", &found.image_id);
	*ret = found;
	found = STORED_INIT;
	return 0;
}

int storage_parse_digest(struct slice text, const char *image_id, char **ret)
{
	struct slice element = { 0 }, s = { 0 };
	int r = find_by_id(text, image_id, &element);

	if (r == 0)
		r = slice_member(element, "digest", &s);
	return r < 0 ? r : slice_text(s, IDENTITY_TEXT_MAX, ret);
}

static int read_json(const struct state *s, const char *driver, const char *file, char **ret_text,
		     struct slice *ret)
{
	_free_ char *path = text_format("%s-%s", driver, file);
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	r = state_read(s, path, STATE_STORAGE_MAX, ret_text, &len);
	if (r == 0)
		*ret = (struct slice){ .text = *ret_text, .len = len };
	return r;
}

static int find_in(const struct state *s, const char *driver, const char *file, const char *id,
		   struct stored *ret)
{
	_free_ char *text = NULL;
	struct slice json = { 0 };
	int r = read_json(s, driver, file, &text, &json);

	return r < 0 ? r : storage_parse_container(json, id, ret);
}

int storage_find(const struct state *s, const char *driver, const char *id, struct stored *ret)
{
	_free_ char *text = NULL;
	struct slice json = { 0 };
	int r = find_in(s, driver, "containers/containers.json", id, ret);

	if (r < 0)
		r = find_in(s, driver, "containers/volatile-containers.json", id, ret);
	if (r < 0)
		return r;
	if (ret->image_id && *ret->image_id &&
	    read_json(s, driver, "images/images.json", &text, &json) == 0)
		(void)storage_parse_digest(json, ret->image_id, &ret->digest);
	return 0;
}

const char *storage_driver(const struct state *s, const char *configured)
{
	static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
	size_t i;

	if (configured)
		return configured;
	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		_free_ char *dir = text_format("%s-containers", drivers[i]);

		if (dir && state_has_dir(s, dir))
			return drivers[i];
	}
	return "";
}
