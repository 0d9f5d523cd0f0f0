/* SPDX-License-Identifier: Apache-2.0 */
/* An image: a container of its own, for each start a new one. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "mine/target_internal.h"

/* Layers that a pull was interrupted over are podman's to keep or drop. */
static int pull(struct target *t, char **ret_why)
{
	const char *const words[] = { "pull", "-q", t->o.name, NULL };
	const struct podman_how how = { .limit_ms = INT64_C(24) * 3600 * 1000 };
	_free_ char *why = NULL;
	int r = podman_do(t, words, &how, &why);

	if (r == 0 || r == -EINTR)
		return r;
	return text_why(-ENOENT, ret_why, "no such image: %s", why ?: strerror(-r));
}

static int open_image(struct target *t, char **ret_why)
{
	const char *const words[] = { "image", "exists", t->o.name, NULL };
	const struct podman_how how = { 0 };
	_run_result_ struct run_result result = { 0 };
	int r = podman_open(t);

	if (r == 0)
		r = podman_call(t, words, &how, &result);
	if (r == -EINTR)
		return r;
	if (r < 0)
		return text_why(r, ret_why, "%s: %s", t->podman.word ? t->podman.word[0] : "podman",
				strerror(-r));
	if (run_succeeded(&result))
		return 0;
	if (result.hung)
		return text_why(-ETIMEDOUT, ret_why, "podman doesn't answer");
	return pull(t, ret_why);
}

static int start_image(struct target *t, const char *profile, char **ret_why)
{
	static const char *const pulled[] = { "--pull", "never", NULL };
	static const char *const none[] = { NULL };
	_argv_ struct oracle_argv words = { 0 };
	int r = oracle_argv_adds(&words, pulled);

	if (r == 0)
		r = podman_options(t->o.options ?: none, profile != NULL, &words);
	if (r == 0)
		r = oracle_argv_add(&words, t->o.name);
	if (r == 0)
		r = oracle_argv_adds(&words, t->o.command ?: none);
	return r < 0 ? r : podman_start(t, (const char *const *)words.word, profile, ret_why);
}

const struct target_ops target_image = {
	.open = open_image,
	.start = start_image,
	.stop = podman_stop,
	.status = podman_status,
	.exec = podman_exec,
	.log = podman_log,
	.healthy = podman_healthy,
	.clean = podman_clean,
};
