/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/key.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/stream.h"

#define ID_SHOWN 12

struct key {
	FILE *f;
	char *text;
	size_t len;
};

static int key_begin(struct key *k, const char *engine, uid_t uid)
{
	*k = (struct key){ 0 };
	k->f = stream_open(&k->text, &k->len);
	if (!k->f)
		return -ENOMEM;
	fputs(engine, k->f);
	if (uid != 0)
		fprintf(k->f, "/~%u", (unsigned)uid);
	return 0;
}

static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

static int key_end(struct key *k, char **ret)
{
	const size_t kept = KEY_MAX - 20;
	int r = fclose(k->f);

	if (r != 0) {
		free(k->text);
		return -ENOMEM;
	}
	if (k->len >= KEY_MAX)
		snprintf(k->text + kept, KEY_MAX - kept, "%%+%016" PRIx64, hash(k->text));
	*ret = k->text;
	return 0;
}

static bool is_plain(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr(first ? "._:@+=,-\\" : "._:@+=,-\\~", c);
}

static void put_component(struct key *k, const char *s, size_t len)
{
	bool dots = len <= 2 && strspn(s, ".") >= len;
	size_t i;

	for (i = 0; i < len; i++)
		if (!dots && is_plain(s[i], i == 0))
			fputc(s[i], k->f);
		else
			fprintf(k->f, "%%%02X", (uint8_t)s[i]);
	if (len == 0)
		fputc('%', k->f);
}

/* A name is never taken for what key_id() makes of an id. */
static void put_part(struct key *k, const char *s)
{
	fputc('/', k->f);
	if (strncmp(s, "id:", strlen("id:")) == 0)
		fprintf(k->f, "%%%02X", (uint8_t)*s++);
	put_component(k, s, strlen(s));
}

static void put_path(struct key *k, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		const char *stop = slash ? slash : end;

		fputc('/', k->f);
		put_component(k, s, (size_t)(stop - s));
		s = slash ? slash + 1 : end;
	}
}

int key_parts(const char *engine, uid_t uid, const char *const parts[], char **ret)
{
	struct key k;
	int r = key_begin(&k, engine, uid);

	if (r < 0)
		return r;
	for (; *parts; parts++)
		put_part(&k, *parts);
	return key_end(&k, ret);
}

int key_image(const char *engine, uid_t uid, const char *image, const char *entry, char **ret)
{
	struct key k;
	int r = key_begin(&k, engine, uid);

	if (r < 0)
		return r;
	put_path(&k, image, strlen(image));
	fputc('#', k.f);
	if (entry)
		put_component(&k, entry, strlen(entry));
	return key_end(&k, ret);
}

int key_id(const char *engine, uid_t uid, const char *id, char **ret)
{
	struct key k;
	int r = key_begin(&k, engine, uid);

	if (r < 0)
		return r;
	fputs("/id:", k.f);
	put_component(&k, id, strnlen(id, ID_SHOWN));
	return key_end(&k, ret);
}

int key_path(const char *engine, const char *path, size_t len, char **ret)
{
	struct key k;
	int r = key_begin(&k, engine, 0);

	if (r < 0)
		return r;
	put_path(&k, path + 1, len - 1);
	return key_end(&k, ret);
}
