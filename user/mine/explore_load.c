/* SPDX-License-Identifier: Apache-2.0 */
/* The explorations there are: those embedded, and those of a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/explore_internal.h"

void explorations_done(struct explorations *e)
{
	for (size_t i = 0; i < e->cnt; i++)
		exploration_free(e->list[i]);
	free(e->list);
	*e = (struct explorations){ 0 };
}

/* Takes the place of one with the same name, or its own. */
static int add(struct explorations *e, struct exploration *new)
{
	struct exploration **list;

	for (size_t i = 0; i < e->cnt; i++) {
		if (strcmp(e->list[i]->name, new->name) != 0)
			continue;
		exploration_free(e->list[i]);
		e->list[i] = new;
		return 0;
	}
	list = reallocarray(e->list, e->cnt + 1, sizeof(struct exploration *));
	if (!list)
		return -ENOMEM;
	e->list = list;
	e->list[e->cnt++] = new;
	return 0;
}

static int add_text(struct explorations *e, const char *name, const char *file, const char *text,
		    size_t len, char **ret_why)
{
	_cleanup_(exploration_free) struct exploration *new = NULL;
	int r = exploration_parse(name, file, text, len, &new, ret_why);

	if (r == 0)
		r = add(e, new);
	if (r == 0)
		new = NULL;
	return r;
}

static int add_embedded(struct explorations *e, char **ret_why)
{
	for (size_t i = 0; i < explore_files_cnt; i++) {
		const struct explore_file *f = &explore_files[i];
		int r = add_text(e, f->name, f->name, f->text, (size_t)(f->end - f->text), ret_why);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_file(struct explorations *e, const char *dir, const char *name, char **ret_why)
{
	_free_ char *path = text_format("%s/%s", dir, name), *shown = NULL, *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (!path || !(shown = text_escaped(path, SIZE_MAX)))
		return -ENOMEM;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	r = file_read_at(AT_FDCWD, path, EXPLORE_FILE_MAX, &text, &len);
	if (r < 0)
		return text_why(r, ret_why, "%s: %s", shown, strerror(-r));
	return add_text(e, name, shown, text, len, ret_why);
}

static int is_ours(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && d->d_name[len - 1] != '~';
}

static void free_names(struct dirent **name, int cnt)
{
	while (cnt-- > 0)
		free(name[cnt]);
	free(name);
}

static int add_dir(struct explorations *e, const char *dir, char **ret_why)
{
	struct dirent **name = NULL;
	int cnt = scandir(dir, &name, is_ours, alphasort), r = 0;
	_free_ char *shown = text_escaped(dir, SIZE_MAX);

	if (cnt < 0) {
		r = -errno;
		return text_why(r, ret_why, "%s: %s", shown, strerror(-r));
	}
	if (cnt > EXPLORE_FILES_MAX)
		r = text_why(-E2BIG, ret_why, "%s: more than %d files", shown, EXPLORE_FILES_MAX);
	for (int i = 0; i < cnt && r == 0; i++)
		r = add_file(e, dir, name[i]->d_name, ret_why);
	free_names(name, cnt);
	return r;
}

int explorations_load(const char *dir, struct explorations *ret, char **ret_why)
{
	_explorations_ struct explorations e = { 0 };
	int r = add_embedded(&e, ret_why);

	if (r == 0 && dir)
		r = add_dir(&e, dir, ret_why);
	if (r < 0)
		return r;
	*ret = e;
	e = (struct explorations){ 0 };
	return 0;
}
