/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/started.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "apply/note.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/key.h"

#define FILE_NAME "started"
#define WORD	  "started"
#define ID_MAX	  255
#define MS_MAX	  INT64_MAX

enum { AT_WORD, AT_KEY, AT_ID, AT_GENERATION, AT_MODE, AT_TIME, FIELDS };

/* Whose starts, as fields. */
struct subject {
	char *key, *id;
};

static void subject_done(struct subject *s)
{
	free(s->key);
	free(s->id);
}
#define _subject_ __attribute__((cleanup(subject_done)))

static int subject_of(const char *key, const char *id, struct subject *ret)
{
	ret->key = note_field(key, KEY_MAX);
	ret->id = note_field(note_or_unknown(id), ID_MAX);
	return ret->key && ret->id ? 0 : -ENOMEM;
}

static bool is_of(char *const field[], const struct subject *s)
{
	return strcmp(field[AT_WORD], WORD) == 0 && strcmp(field[AT_KEY], s->key) == 0 &&
	       strcmp(field[AT_ID], s->id) == 0;
}

/* Before `now`, which is a time of this boot. */
static int64_t ago(char *time, const char *now)
{
	const char *boot = strchr(time, '@'), *own = strchr(now, '@');
	uint64_t ms = 0, now_ms = 0;
	_free_ char *text = boot ? strndup(time, (size_t)(boot - time)) : NULL;
	_free_ char *own_text = strndup(now, (size_t)(own - now));

	if (!text || !own_text || strcmp(boot, own) != 0 || text_u64(text, MS_MAX, &ms) < 0 ||
	    text_u64(own_text, MS_MAX, &now_ms) < 0)
		return -1;
	return now_ms > ms ? (int64_t)(now_ms - ms) : 0;
}

static bool read_fields(char *const field[], const char *now, struct started *ret)
{
	uint64_t generation;

	if (text_u64(field[AT_GENERATION], UINT32_MAX, &generation) < 0 ||
	    policy_mode_from_name(field[AT_MODE], &ret->mode) < 0)
		return false;
	ret->generation = (uint32_t)generation;
	ret->began_ms = ago(field[AT_TIME], now);
	return true;
}

/* The newest line; one of MODE observe too. */
static int find_last(char *text, const struct subject *who, struct started *ret)
{
	char now[NOTE_TIME_MAX], *save = NULL, *line;
	int r = note_time(note_now_ms(), now), found = -ENOENT;

	for (line = strtok_r(text, "\n", &save); r == 0 && line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *field[FIELDS];
		struct started s;
		size_t cnt = 0;

		if (!note_split(line, field, FIELDS, &cnt) || cnt != FIELDS || !is_of(field, who) ||
		    !read_fields(field, now, &s))
			continue;
		*ret = s;
		found = 0;
	}
	return r < 0 ? r : found;
}

/* Who has no id isn't to be told from others. */
static int find(int dir, const struct subject *who, struct started *ret)
{
	_free_ char *text = NULL;
	int r = note_is_known(who->id) ? note_read(dir, FILE_NAME, 2 * STARTED_MAX, &text)
				       : -ENOENT;

	return r < 0 ? r : find_last(text, who, ret);
}

static int make_room(int dir)
{
	_free_ char *text = NULL;
	int r = note_read(dir, FILE_NAME, 2 * STARTED_MAX, &text);

	if (r == -ENOENT)
		return 0;
	/* Nobody could cut it in time: who isn't in it is taken for left alone. */
	if (r == -EFBIG)
		return file_replace_at(dir, FILE_NAME, "", 0, 0600);
	if (r < 0 || strlen(text) <= STARTED_MAX)
		return r;
	return note_cut(dir, FILE_NAME, "", text, STARTED_MAX / 2);
}

static int add(int dir, const struct subject *who, uint32_t generation, enum policy_mode mode)
{
	_free_ char *line = NULL;
	char now[NOTE_TIME_MAX];
	int r = note_time(note_now_ms(), now);

	if (r == 0)
		r = make_room(dir);
	if (r < 0)
		return r;
	line = text_format("\n" WORD " %s %s %" PRIu32 " %s %s .\n", who->key, who->id, generation,
			   policy_mode_name(mode), now);
	return line ? note_append(dir, FILE_NAME, line) : -ENOMEM;
}

int started_add(const char *state, const char *key, const char *id, uint32_t generation,
		enum policy_mode mode)
{
	_close_ int dir = note_open_dir(AT_FDCWD, state, false);
	_subject_ struct subject who = { 0 };
	int r = dir < 0 ? dir : subject_of(key, id, &who);

	return r < 0 ? r : add(dir, &who, generation, mode);
}

int started_leave(const char *state, const char *key, const char *id)
{
	_close_ int dir = note_open_dir(AT_FDCWD, state, false);
	_subject_ struct subject who = { 0 };
	struct started last = { 0 };
	int r = dir < 0 ? dir : subject_of(key, id, &who);

	if (r == 0)
		r = find(dir, &who, &last);
	if (r == -ENOENT || (r == 0 && last.mode == MODE_OBSERVE))
		return 0;
	return r < 0 ? r : add(dir, &who, 0, MODE_OBSERVE);
}

int started_find(const char *state, const char *key, const char *id, struct started *ret)
{
	_close_ int dir = note_open_dir(AT_FDCWD, state, false);
	_subject_ struct subject who = { 0 };
	struct started last = { 0 };
	int r = dir < 0 ? dir : subject_of(key, id, &who);

	if (r == 0)
		r = find(dir, &who, &last);
	if (r == 0 && last.mode == MODE_OBSERVE)
		r = -ENOENT;
	if (r == 0)
		*ret = last;
	return r;
}
