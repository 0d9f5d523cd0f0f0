/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/oracle_argv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* --- lists ---------------------------------------------------------------------------------- */

void oracle_argv_done(struct oracle_argv *a)
{
	for (size_t i = 0; i < a->cnt; i++)
		free(a->word[i]);
	free(a->word);
	*a = (struct oracle_argv){ 0 };
}

static int add_len(struct oracle_argv *a, const char *word, size_t len)
{
	char **more, *copy;

	if (a->cnt >= ORACLE_ARGV_MAX)
		return -E2BIG;
	more = reallocarray(a->word, a->cnt + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	a->word = more;
	copy = strndup(word, len);
	if (!copy)
		return -ENOMEM;
	a->word[a->cnt++] = copy;
	a->word[a->cnt] = NULL;
	return 0;
}

int oracle_argv_add(struct oracle_argv *a, const char *word)
{
	return add_len(a, word, strlen(word));
}

int oracle_argv_adds(struct oracle_argv *a, const char *const *words)
{
	int r = 0;

	for (; r == 0 && *words; words++)
		r = oracle_argv_add(a, *words);
	return r;
}

/* --- words of a command ---------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *p on into `word`, which has room for all of it. */
static int take_word(const char **p, char *word, size_t *ret_len)
{
	const char *s = *p;
	size_t len = 0;
	char quote = '\0';

	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote && *s == quote)
			quote = '\0';
		else if (!quote && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (quote != '\'' && *s == '\\' && s[1])
			word[len++] = *++s;
		else
			word[len++] = *s;
	}
	*p = s;
	*ret_len = len;
	return quote ? -EINVAL : 0;
}

int oracle_argv_split(const char *command, struct oracle_argv *ret)
{
	_free_ char *word = malloc(strlen(command) + 1);
	_argv_ struct oracle_argv a = { 0 };
	int r = word ? 0 : -ENOMEM;

	while (r == 0) {
		size_t len = 0;

		while (is_blank(*command))
			command++;
		if (!*command)
			break;
		r = take_word(&command, word, &len);
		if (r == 0)
			r = add_len(&a, word, len);
	}
	if (r == 0 && a.cnt == 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	*ret = a;
	a = (struct oracle_argv){ 0 };
	return 0;
}

/* --- podman's options ------------------------------------------------------------------------- */

/* podman's options without a value; whatever else begins with '-' has one. */
static const char *const global_flags[] = { "help",  "noout",		"remote", "syslog",
					    "trace", "transient-store", "version" };
static const char global_short_flags[] = "rhv";
static const char *const run_flags[] = {
	"detach",
	"disable-content-trust",
	"env-host",
	"help",
	"http-proxy",
	"init",
	"interactive",
	"no-healthcheck",
	"no-hostname",
	"no-hosts",
	"oom-kill-disable",
	"passwd",
	"privileged",
	"publish-all",
	"quiet",
	"read-only",
	"read-only-tmpfs",
	"replace",
	"rm",
	"rmi",
	"rootfs",
	"sig-proxy",
	"tls-verify",
	"tty",
	"unsetenv-all",
};
static const char run_short_flags[] = "ditPq";

/* Of one container, not of its twin: names and files of it, who restarts it, what finds it by a label,
 * where its output goes. */
static const char *const not_twins[] = {
	"attach",     "cgroups", "cidfile", "conmon-pidfile", "detach",	      "label", "label-file",
	"log-driver", "log-opt", "name",    "pidfile",	      "preserve-fds", "pull",  "replace",
	"restart",    "rm",	 "rmi",	    "sdnotify",	      "sig-proxy",
};
static const char not_twins_short[] = "adl";

static bool is_among(const char *const *names, size_t cnt, const char *name, size_t len)
{
	for (size_t i = 0; i < cnt; i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* Words that an option takes, itself among them. */
static size_t long_words(const char *option, const char *const *flags, size_t cnt)
{
	const char *name = option + 2;
	size_t len = strcspn(name, "=");

	return name[len] || is_among(flags, cnt, name, len) ? 1 : 2;
}

/* Where, in "-itp" and its like, the letter is that has a value; the length when there is none. */
static size_t short_value(const char *option, const char *flags)
{
	return 1 + strspn(option + 1, flags);
}

static bool is_verb(const char *word)
{
	return !strcmp(word, "run") || !strcmp(word, "create");
}

/* Index of "run" or "create", or negative errno. */
static int find_verb(const struct oracle_argv *create, size_t *ret_globals)
{
	size_t i = 1;

	while (i < create->cnt && create->word[i][0] == '-') {
		const char *option = create->word[i];
		size_t at = option[1] == '-' ? 0 : short_value(option, global_short_flags);

		if (option[1] == '-')
			i += long_words(option, global_flags, ARRAY_SIZE(global_flags));
		else
			i += option[at] && !option[at + 1] ? 2 : 1;
	}
	if (i > create->cnt)
		i = create->cnt;
	*ret_globals = i;
	if (i < create->cnt && !strcmp(create->word[i], "container"))
		i++;
	return i < create->cnt && is_verb(create->word[i]) ? (int)i : -EINVAL;
}

int oracle_argv_global(const struct oracle_argv *create, struct oracle_argv *into)
{
	size_t end = 0;
	int r = find_verb(create, &end);

	for (size_t i = 1; r >= 0 && i < end; i++)
		r = oracle_argv_add(into, create->word[i]);
	return r < 0 ? r : 0;
}

/* --- the twin's ------------------------------------------------------------------------------- */

struct twin {
	const struct oracle_argv *create;
	bool is_image;
	struct oracle_argv *into;
	size_t i; /* of `create`, what comes next */
};

static bool is_dropped(const struct twin *t, const char *name, size_t len)
{
	if (!t->is_image && len == strlen("entrypoint") && !strncmp(name, "entrypoint", len))
		return true;
	if (t->is_image && len == strlen("rootfs") && !strncmp(name, "rootfs", len))
		return true;
	return is_among(not_twins, ARRAY_SIZE(not_twins), name, len);
}

static int take_words(struct twin *t, size_t cnt, bool drop)
{
	int r = 0;

	if (t->i + cnt > t->create->cnt)
		return -EINVAL;
	for (size_t n = 0; r == 0 && !drop && n < cnt; n++)
		r = oracle_argv_add(t->into, t->create->word[t->i + n]);
	t->i += cnt;
	return r;
}

static int take_long(struct twin *t)
{
	const char *option = t->create->word[t->i], *name = option + 2;

	return take_words(t, long_words(option, run_flags, ARRAY_SIZE(run_flags)),
			  is_dropped(t, name, strcspn(name, "=")));
}

/* "-dp 80:80" is "-p 80:80": its letters one by one. */
static int take_short(struct twin *t)
{
	const char *option = t->create->word[t->i];
	size_t at = short_value(option, run_short_flags);
	bool more = option[at] && !option[at + 1]; /* its value is the next word */
	char one[3] = "-";
	int r = 0;

	for (size_t n = 1; r == 0 && n < at; n++) {
		one[1] = option[n];
		if (!strchr(not_twins_short, option[n]))
			r = oracle_argv_add(t->into, one);
	}
	t->i++;
	if (r < 0 || !option[at])
		return r;
	if (more && t->i >= t->create->cnt)
		return -EINVAL;
	if (!strchr(not_twins_short, option[at])) {
		const char *value = option + at + 1;

		one[1] = option[at];
		r = oracle_argv_add(t->into, one);
		if (r == 0)
			r = oracle_argv_add(t->into,
					    more ? t->create->word[t->i] : value + (*value == '='));
	}
	t->i += more;
	return r;
}

static int take_options(struct twin *t)
{
	int r = 0;

	while (r == 0 && t->i < t->create->cnt) {
		const char *word = t->create->word[t->i];

		if (word[0] != '-' || !word[1])
			return 0;
		if (!strcmp(word, "--")) {
			t->i++;
			return 0;
		}
		r = word[1] == '-' ? take_long(t) : take_short(t);
	}
	return r;
}

/* Its image and the words behind it. */
static int take_image(struct twin *t, const char *hardened)
{
	const char *image = t->i < t->create->cnt ? t->create->word[t->i++] : NULL;
	int r = image ? oracle_argv_add(t->into, hardened) : -EINVAL;

	while (r == 0 && t->i < t->create->cnt)
		r = oracle_argv_add(t->into, t->create->word[t->i++]);
	return r;
}

static int take_command(struct twin *t, const char *hardened)
{
	const char *image = t->i < t->create->cnt ? t->create->word[t->i] : NULL;
	_argv_ struct oracle_argv command = { 0 };
	int r = image ? oracle_argv_split(hardened, &command) : -EINVAL;

	if (r == 0)
		r = oracle_argv_add(t->into, "--entrypoint");
	if (r == 0)
		r = oracle_argv_add(t->into, command.word[0]);
	if (r == 0)
		r = oracle_argv_add(t->into, image);
	return r < 0 ? r : oracle_argv_adds(t->into, (const char *const *)command.word + 1);
}

int oracle_argv_twin(const struct oracle_argv *create, const char *name, const char *hardened,
		     bool is_image, struct oracle_argv *into)
{
	const char *const begin[] = { "run", "--detach",     "--replace", "--name",
				      name,  "--log-driver", "k8s-file",  NULL };
	struct twin t = { .create = create, .is_image = is_image, .into = into };
	size_t globals = 0;
	int r = find_verb(create, &globals);

	if (r < 0)
		return r;
	t.i = (size_t)r + 1;
	r = oracle_argv_adds(into, begin);
	if (r == 0)
		r = take_options(&t);
	if (r < 0)
		return r;
	return is_image ? take_image(&t, hardened) : take_command(&t, hardened);
}
