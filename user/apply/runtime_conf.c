/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/runtime_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

void runtime_conf_done(struct runtime_conf *c)
{
	free(c->runtime);
	free(c->state);
	*c = (struct runtime_conf){ 0 };
}

static int refuse(int r, char **ret_why, const char *what, const char *why)
{
	char *text = text_format("%s: %s", what, why);

	if (!text)
		return -ENOMEM;
	*ret_why = text;
	return r;
}

static char *strip(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return s;
}

static int take(struct runtime_conf *c, char *line, char **ret_why)
{
	char *equals = strchr(line, '='), *key, *value, **field;

	line[strcspn(line, "#")] = '\0';
	key = strip(line);
	if (!*key)
		return 0;
	if (!equals || !(equals = strchr(key, '=')))
		return refuse(-EINVAL, ret_why, key, "no \"key = value\"");
	*equals = '\0';
	key = strip(key);
	value = strip(equals + 1);
	field = strcmp(key, "runtime") == 0 ? &c->runtime
		: strcmp(key, "state") == 0 ? &c->state
					    : NULL;
	/* A later version's. */
	if (!field)
		return 0;
	if (*value != '/')
		return refuse(-EINVAL, ret_why, key, "not an absolute path");
	free(*field);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

int runtime_conf_parse(const char *text, size_t len, struct runtime_conf *ret, char **ret_why)
{
	_free_ char *copy = strndup(text, len);
	_runtime_conf_ struct runtime_conf c = { 0 };
	char *rest = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len)
		return refuse(-EINVAL, ret_why, "conf", "has a NUL byte");
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = take(&c, line, ret_why);
	if (r == 0 && !c.runtime)
		r = refuse(-EINVAL, ret_why, "runtime", "is missing");
	if (r < 0)
		return r;
	*ret = c;
	c = (struct runtime_conf){ 0 };
	return 0;
}

/* Whoever owns the program decides what runs already; nobody else is to. */
static int check_owner(int fd, const char *self, const char *path, char **ret_why)
{
	struct stat st, program;

	if (fstat(fd, &st) < 0 || stat(self, &program) < 0)
		return refuse(-errno, ret_why, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(-EPERM, ret_why, path, "is no regular file");
	if (st.st_uid != program.st_uid)
		return refuse(-EPERM, ret_why, path, "is not of the owner of the program");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(-EPERM, ret_why, path, "others may write to it");
	return 0;
}

int runtime_conf_read(const char *self, struct runtime_conf *ret, char **ret_why)
{
	_free_ char *path = text_format("%s.conf", self), *text = NULL;
	_close_ int fd =
		path ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	if (fd < 0)
		return refuse(errno == ELOOP ? -EPERM : -errno, ret_why, path,
			      errno == ELOOP ? "is a link" : strerror(errno));
	r = check_owner(fd, self, path, ret_why);
	if (r < 0)
		return r;
	r = file_read_fd(fd, RUNTIME_CONF_MAX, &text, &len);
	if (r < 0)
		return refuse(r, ret_why, path, strerror(-r));
	return runtime_conf_parse(text, len, ret, ret_why);
}
