/* SPDX-License-Identifier: Apache-2.0 */
/* What an image and a twin have in common: a container of podman's that is made, started, stopped and
 * removed. It has a label, by which it is found when podman was interrupted while it made it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"
#include "mine/stop.h"
#include "mine/target_internal.h"

#define GRACE_MS  10000 /* what podman has begun is better ended */
#define CLEAN_MS  20000
#define LOG_MAX	  65536
#define WORDS_MAX 500 /* a name out of an image may be as long as its owner likes */
#define ID_LEN	  64
#define LOG_LINES "1000"

/* --- podman --------------------------------------------------------------------------------- */

int podman_open(struct target *t)
{
	static const char *const plain[] = { "podman", NULL };
	int r = oracle_argv_adds(&t->podman, t->o.podman ?: plain);

	if (r == 0 && t->o.runtime)
		r = oracle_argv_add(&t->podman, "--runtime");
	if (r == 0 && t->o.runtime)
		r = oracle_argv_add(&t->podman, t->o.runtime);
	return r;
}

int podman_call(struct target *t, const char *const *words, const struct podman_how *how,
		struct run_result *ret)
{
	_argv_ struct oracle_argv argv = { 0 };
	struct run_options o = {
		.limit_ms = how->limit_ms ?: t->o.limit_ms,
		.grace_ms = how->grace_ms,
		.stop_fd = how->always ? -1 : t->o.stop_fd,
	};
	int r = stop_asked(o.stop_fd) ? -EINTR : 0;

	if (r == 0)
		r = oracle_argv_adds(&argv, (const char *const *)t->podman.word);
	if (r == 0)
		r = oracle_argv_adds(&argv, words);
	if (r < 0)
		return r;
	o.argv = (const char *const *)argv.word;
	return run_program(&o, ret);
}

static int say_failure(const char *verb, const struct run_result *r, char **ret_why)
{
	static const char error[] = "Error: ";
	_free_ char *last = run_last_line(r, WORDS_MAX);
	const char *line = last;

	if (!last)
		return -ENOMEM;
	if (strncmp(line, error, strlen(error)) == 0)
		line += strlen(error);
	if (r->hung)
		return text_why(-ETIMEDOUT, ret_why, "podman %s takes more than %lld s", verb,
				(long long)(r->took_ms / 1000));
	if (*line)
		return text_why(-EIO, ret_why, "podman %s: %s", verb, line);
	return text_why(-EIO, ret_why, "podman %s ended with status %d", verb,
			WIFEXITED(r->status) ? WEXITSTATUS(r->status) : 128 + WTERMSIG(r->status));
}

int podman_do(struct target *t, const char *const *words, const struct podman_how *how,
	      char **ret_why)
{
	_run_result_ struct run_result result = { 0 };
	int r = podman_call(t, words, how, &result);

	if (r == -EINTR)
		return r;
	if (r < 0)
		return text_why(r, ret_why, "%s: %s", t->podman.word[0], strerror(-r));
	return run_succeeded(&result) ? 0 : say_failure(words[0], &result, ret_why);
}

/* --- start ---------------------------------------------------------------------------------- */

static int inspect(struct target *t)
{
	const char *const words[] = { "inspect", "--type", "container", t->id, NULL };
	const struct podman_how how = { .limit_ms = CLEAN_MS };
	_run_result_ struct run_result result = { 0 };
	int r = t->id ? podman_call(t, words, &how, &result) : -ESRCH;

	if (r < 0)
		return r;
	return run_succeeded(&result) ? inspected_parse(result.out, result.out_len, &t->facts)
				      : -ENOENT;
}

static int read_id(struct target *t, const char *path)
{
	_free_ char *id = NULL, *owned = NULL;
	int r = file_read_at(AT_FDCWD, path, 256, &id, NULL);

	if (r < 0)
		return r;
	id[strcspn(id, "\n")] = '\0';
	if (strlen(id) != ID_LEN || id[strspn(id, "0123456789abcdef")])
		return -EINVAL;
	owned = text_format("libpod-%s", id);
	r = owned ? oracle_argv_add(&t->owned, owned) : -ENOMEM;
	if (r == 0)
		r = oracle_argv_add(&t->owned, id);
	if (r < 0)
		return r;
	free(t->id);
	t->id = TAKE_PTR(id);
	return 0;
}

static bool is_profile(const char *word)
{
	static const char begin[] = "seccomp=";

	return word && strncmp(word, begin, strlen(begin)) == 0;
}

int podman_options(const char *const *options, bool without_profile, struct oracle_argv *into)
{
	static const char own[] = "--security-opt";
	int r = 0;

	for (const char *const *o = options; r == 0 && *o; o++) {
		bool joined = strncmp(*o, own, strlen(own)) == 0 && (*o)[strlen(own)] == '=';

		if (without_profile && strcmp(*o, own) == 0 && is_profile(o[1]))
			o++;
		else if (!without_profile || !joined || !is_profile(*o + strlen(own) + 1))
			r = oracle_argv_add(into, *o);
	}
	return r;
}

/* Words before those of the caller's. */
static int create_words(struct target *t, const char *const *words, const char *cid,
			const char *option, struct oracle_argv *argv)
{
	_free_ char *label = text_format(TARGET_LABEL "=%s", t->token);
	const char *const begin[] = { "create", "--cidfile",	cid,	    "--label",
				      label,	"--log-driver", "k8s-file", NULL };
	int r = label ? oracle_argv_adds(argv, begin) : -ENOMEM;

	if (r == 0 && option)
		r = oracle_argv_add(argv, "--security-opt");
	if (r == 0 && option)
		r = oracle_argv_add(argv, option);
	return r < 0 ? r : oracle_argv_adds(argv, words);
}

static int create(struct target *t, const char *const *words, const char *option, char **ret_why)
{
	static const struct podman_how how = { .grace_ms = GRACE_MS };
	_free_ char *cid = text_format("%s/%u.cid", t->dir, ++t->starts);
	_argv_ struct oracle_argv argv = { 0 };
	int r = cid ? create_words(t, words, cid, option, &argv) : -ENOMEM, known;

	if (r < 0)
		return r;
	r = podman_do(t, (const char *const *)argv.word, &how, ret_why);
	known = read_id(t, cid); /* of one that is stopped, too: it may be there */
	(void)unlink(cid);
	return r < 0 ? r : known;
}

/* podman reads the profile when it makes the container: the file may go then. */
static int create_under(struct target *t, const char *const *words, const char *profile,
			char **ret_why)
{
	_free_ char *path = text_format("%s/profile.json", t->dir), *option = NULL;
	int r;

	if (!profile)
		return create(t, words, NULL, ret_why);
	option = text_format("seccomp=%s", path ?: "");
	if (!path || !option)
		return -ENOMEM;
	r = file_replace(path, profile, strlen(profile), 0600);
	if (r < 0)
		return text_why(r, ret_why, "%s: %s", path, strerror(-r));
	r = create(t, words, option, ret_why);
	(void)unlink(path);
	return r;
}

int podman_start(struct target *t, const char *const *words, const char *profile, char **ret_why)
{
	static const struct podman_how how = { .grace_ms = GRACE_MS };
	int r = create_under(t, words, profile, ret_why);

	if (r == 0) {
		const char *const start[] = { "start", t->id, NULL };

		r = podman_do(t, start, &how, ret_why);
	}
	if (r < 0)
		return r;
	r = inspect(t);
	if (r == -EINTR)
		return r;
	if (r < 0)
		return text_why(r, ret_why, "podman doesn't know its container any more");
	t->pid = t->facts.pid;
	return 0;
}

/* --- stop ----------------------------------------------------------------------------------- */

int podman_stop(struct target *t, char **ret_why)
{
	const char *const stop[] = { "stop", "-i", t->id, NULL };
	/* -v: volumes without a name, which its image may have: each start makes one. */
	const char *const rm[] = { "rm", "-f", "-v", "-i", "-t", "0", t->id, NULL };
	static const struct podman_how now = { .grace_ms = GRACE_MS, .limit_ms = CLEAN_MS },
				       softly = { .grace_ms = 0 };
	_free_ char *why = NULL;
	int r;

	if (!t->id)
		return 0;
	r = podman_do(t, stop, &softly, &why);
	/* What doesn't stop as it is told to is removed all the same. */
	if (r == 0 || r == -EIO || r == -ETIMEDOUT)
		r = podman_do(t, rm, &now, ret_why);
	else
		*ret_why = TAKE_PTR(why);
	if (r == 0)
		r = podman_reap(t->id);
	if (r < 0)
		return r;
	free(t->id);
	t->id = NULL;
	return 0;
}

static int clean_one(struct target *t, const char *id, char **ret_why)
{
	const char *const rm[] = { "rm", "-f", "-v", "-i", "-t", "0", id, NULL };
	static const struct podman_how how = { .always = true, .limit_ms = CLEAN_MS };
	int r;

	if (strlen(id) != ID_LEN)
		return 0;
	r = podman_do(t, rm, &how, ret_why);
	return r < 0 ? r : podman_reap(id);
}

static int clean_all(struct target *t, char **ret_why)
{
	_free_ char *filter = text_format("label=" TARGET_LABEL "=%s", t->token);
	const char *const list[] = { "ps", "-aq", "--no-trunc", "--filter", filter, NULL };
	const struct podman_how how = { .always = true, .limit_ms = CLEAN_MS };
	_run_result_ struct run_result result = { 0 };
	char *next = NULL;
	int r = filter ? 0 : -ENOMEM;

	/* the one that is known, whatever label an option gave it */
	if (r == 0 && t->id)
		r = clean_one(t, t->id, ret_why);
	if (r == 0)
		r = podman_call(t, list, &how, &result);
	if (r < 0)
		return r;
	if (!run_succeeded(&result))
		return say_failure(list[0], &result, ret_why);
	for (char *id = strtok_r(result.out, "\n", &next); r == 0 && id;
	     id = strtok_r(NULL, "\n", &next))
		r = clean_one(t, id, ret_why);
	return r;
}

/* Every container of this run, however far podman came with it. */
int podman_clean(struct target *t, char **ret_why)
{
	_free_ char *why = NULL;
	int r = t->starts ? clean_all(t, &why) : 0;

	if (r == 0)
		return 0;
	return text_why(r, ret_why,
			"%s; a container may be left: podman ps -a --filter label=" TARGET_LABEL
			"=%s",
			why ?: strerror(-r), t->token);
}

/* --- asking --------------------------------------------------------------------------------- */

int podman_status(struct target *t)
{
	return inspect(t) < 0 ? 255 : t->facts.code;
}

int podman_exec(struct target *t, const char *const *argv, int64_t limit_ms, struct run_result *ret)
{
	const struct podman_how how = { .limit_ms = limit_ms };
	_argv_ struct oracle_argv words = { 0 };
	int r = t->id ? oracle_argv_add(&words, "exec") : -ESRCH;

	if (r == 0)
		r = oracle_argv_add(&words, t->id);
	if (r == 0)
		r = oracle_argv_adds(&words, argv);
	return r < 0 ? r : podman_call(t, (const char *const *)words.word, &how, ret);
}

int podman_log(struct target *t, char **ret)
{
	const char *const words[] = { "logs", "--tail", LOG_LINES, t->id, NULL };
	const struct podman_how how = { .limit_ms = CLEAN_MS };
	_run_result_ struct run_result result = { 0 };
	int r = t->id ? podman_call(t, words, &how, &result) : -ESRCH;
	size_t from = result.out_len > LOG_MAX ? result.out_len - LOG_MAX : 0;

	if (r < 0)
		return r;
	*ret = strdup(result.out + from);
	return *ret ? 0 : -ENOMEM;
}

int podman_healthy(struct target *t)
{
	const char *const words[] = { "healthcheck", "run", t->id, NULL };
	const struct podman_how how = { 0 };
	_run_result_ struct run_result result = { 0 };
	int r;

	if (!t->facts.health)
		return -ENOENT;
	r = podman_call(t, words, &how, &result);
	return r < 0 ? r : run_succeeded(&result);
}
