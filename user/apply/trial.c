/* SPDX-License-Identifier: Apache-2.0 */
/* The files of trials: who may write them, and what is written. Lines are read in trial_read.c. */
#include "apply/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/note.h"
#include "apply/trial_book.h"
#include "base/file.h"
#include "base/text.h"

#define DIR_NAME "trial"

/* Longer names are cut there, and end in a hash: the key is in the file. */
#define NAME_KEPT 200

CLEANUP_DEFINE(DIR *, closedir);

/* --- where -------------------------------------------------------------------------------- */

static int open_trials(const char *state, bool make)
{
	_close_ int top = note_open_dir(AT_FDCWD, state, false);

	if (top < 0)
		return top;
	if (make && mkdirat(top, DIR_NAME, 0700) < 0 && errno != EEXIST)
		return -errno;
	return note_open_dir(top, DIR_NAME, true);
}

static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

/* Keys are of file names' bytes and '/', without '!'. */
static int name_of(const char *key, char ret[NAME_MAX + 1])
{
	size_t len = strlen(key);

	if (len == 0 || *key == '.' || *key == '/' || strchr(key, '!'))
		return -EINVAL;
	if (len <= NAME_KEPT)
		snprintf(ret, NAME_MAX + 1, "%s", key);
	else
		snprintf(ret, NAME_MAX + 1, "%.*s!%016" PRIx64, NAME_KEPT, key, hash(key));
	for (char *s = ret; *s; s++)
		if (*s == '/')
			*s = '!';
	return 0;
}

/* --- files -------------------------------------------------------------------------------- */

struct file {
	int dir;
	char name[NAME_MAX + 1];
	char *text; /* NULL: there is none */
};

static void file_donep(struct file *f)
{
	if (f->dir >= 0)
		close(f->dir);
	free(f->text);
}
#define _file_ __attribute__((cleanup(file_donep)))

/* 0 also when there is no such file: text is NULL then. */
static int open_file(const char *state, const char *key, bool make, struct file *ret)
{
	_free_ char *key_there = NULL;
	int r = name_of(key, ret->name);

	if (r < 0)
		return r;
	r = open_trials(state, make);
	if (r < 0)
		return r == -ENOENT && !make ? 0 : r;
	ret->dir = r;
	r = note_read(ret->dir, ret->name, 2 * TRIAL_MAX, &ret->text);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	key_there = trial_text_key(ret->text);
	/* Torn when it was made. */
	if (!key_there) {
		free(TAKE_PTR(ret->text));
		return make && unlinkat(ret->dir, ret->name, 0) < 0 ? -errno : 0;
	}
	/* Two keys of one hash: nobody gets by that at another's trial. */
	return strcmp(key_there, key) == 0 ? 0 : -EEXIST;
}

static int write_line(const struct file *f, const char *key, const char *line)
{
	_free_ char *key_line = text_format("key %s .\n", key);
	_free_ char *text = NULL;
	int r = 0;

	if (!key_line)
		return -ENOMEM;
	if (f->text && strlen(f->text) > TRIAL_MAX)
		r = note_cut(f->dir, f->name, key_line, f->text, TRIAL_MAX / 2);
	text = text_format("%s\n%s\n", f->text ? "" : key_line, line);
	if (!text)
		return -ENOMEM;
	return r < 0 ? r : note_append(f->dir, f->name, text);
}

int trial_add_start(const char *state, const char *key, uint32_t generation, const char *id,
		    const char *cgroup)
{
	_file_ struct file f = { .dir = -1 };
	_free_ char *id_field = note_field(note_or_unknown(id), TRIAL_ID_MAX);
	_free_ char *path = note_field(note_or_unknown(cgroup), PATH_MAX), *line = NULL;
	char time[NOTE_TIME_MAX];
	int r = id_field && path ? note_time(note_now_ms(), time) : -ENOMEM;

	if (r == 0)
		r = open_file(state, key, generation != 0, &f);
	if (r < 0)
		return r;
	if (generation == 0 && !trial_text_awaits(f.text, id_field, true, time))
		return 0;
	line = text_format("start %" PRIu32 " %s %s %s .", generation, time, id_field, path);
	return line ? write_line(&f, key, line) : -ENOMEM;
}

int trial_add_end_at(const char *state, const char *key, const char *id, enum trial_end end,
		     int code, int64_t at_ms)
{
	static const char *const how[] = {
		[TRIAL_EXITED] = "exit",
		[TRIAL_KILLED] = "signal",
		[TRIAL_UNKNOWN] = "unknown",
	};
	_file_ struct file f = { .dir = -1 };
	_free_ char *id_field = note_field(note_or_unknown(id), TRIAL_ID_MAX), *line = NULL;
	char time[NOTE_TIME_MAX];
	int r = id_field ? note_time(at_ms, time) : -ENOMEM;

	if (r == 0)
		r = end == TRIAL_RUNS || end >= ARRAY_SIZE(how) ? -EINVAL
								: open_file(state, key, false, &f);
	if (r < 0)
		return r;
	if (!trial_text_awaits(f.text, id_field, false, time))
		return 0;
	line = text_format("end %s %s %s %d .", time, id_field, how[end],
			   end == TRIAL_UNKNOWN ? 0 : code);
	return line ? write_line(&f, key, line) : -ENOMEM;
}

int trial_add_end(const char *state, const char *key, const char *id, enum trial_end end, int code)
{
	return trial_add_end_at(state, key, id, end, code, note_now_ms());
}

int trial_remove(const char *state, const char *key)
{
	_file_ struct file f = { .dir = -1 };
	int r = open_file(state, key, false, &f);

	if (r < 0 || !f.text)
		return r;
	return unlinkat(f.dir, f.name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int trial_read(const char *state, const char *key, uint32_t generation, const char *mount,
	       struct trial *ret)
{
	_file_ struct file f = { .dir = -1 };
	char time[NOTE_TIME_MAX];
	int r = note_time(note_now_ms(), time);

	if (r == 0)
		r = open_file(state, key, false, &f);
	if (r == 0 && f.text)
		return trial_text_read(f.text, generation, time, mount, ret);
	if (r == 0)
		*ret = (struct trial){ 0 };
	return r;
}

/* --- all of them -------------------------------------------------------------------------- */

static int add_key(int dir, const char *name, char ***keys, size_t *cnt)
{
	_free_ char *text = NULL, *key = NULL;
	char **more;

	if (note_read(dir, name, 2 * TRIAL_MAX, &text) < 0)
		return 0;
	key = trial_text_key(text);
	if (!key)
		return 0;
	more = reallocarray(*keys, *cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*keys = more;
	more[(*cnt)++] = TAKE_PTR(key);
	return 0;
}

int trial_list(const char *state, char ***ret, size_t *ret_cnt)
{
	_close_ int fd = open_trials(state, false);
	_cleanup_(closedir) DIR *dir = NULL;
	const struct dirent *e;
	char **keys = NULL;
	size_t cnt = 0;
	int r = 0;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && r == 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			r = add_key(fd, e->d_name, &keys, &cnt);
	if (dir)
		(void)TAKE_FD(fd); /* closedir's */
	if (r == 0) {
		*ret = keys;
		*ret_cnt = cnt;
		return 0;
	}
	while (cnt > 0)
		free(keys[--cnt]);
	free(keys);
	return r;
}
