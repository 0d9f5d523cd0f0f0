/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mine_tests.h"

#include <errno.h>
#include <sha2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_MAX (16u << 20)

static int add_all(struct mine_tests *to, const struct mine_tests *from)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->cnt; i++)
		r = mine_tests_add(to, from->test[i].name, (const char *const *)from->test[i].argv);
	return r;
}

static int take_dir(const char *dir, struct mine_tests *tests)
{
	_mine_tests_ struct mine_tests more = { 0 };
	int r = mine_tests_dir(dir, &more);

	if (r == -ENODATA) {
		log_err("mine: --tests %s: no executable file in it", dir);
		return r;
	}
	if (r == 0)
		r = add_all(tests, &more);
	return r < 0 ? log_err_errno(r, "mine: --tests %s", dir) : 0;
}

int mine_tests_take(const char *text, struct mine_tests *tests)
{
	_argv_ struct oracle_argv words = { 0 };
	struct stat st;
	int r;

	if (stat(text, &st) == 0 && S_ISDIR(st.st_mode))
		return take_dir(text, tests);
	r = oracle_argv_split(text, &words);
	/* said before minutes of work; one without a slash is looked for when it is run */
	if (r == 0 && strchr(words.word[0], '/') && access(words.word[0], X_OK) < 0)
		r = -errno;
	if (r == 0)
		r = mine_tests_add(tests, text, (const char *const *)words.word);
	return r < 0 ? log_err_errno(r, "mine: --tests %s", text) : 0;
}

/* Names and contents: tests that changed are others. */
static void add_test(const struct mine_test *t, SHA2_CTX *sha)
{
	_free_ char *text = NULL;
	size_t len = 0;

	SHA256Update(sha, (const uint8_t *)t->name, strlen(t->name) + 1);
	for (char **word = t->argv; word && *word; word++)
		SHA256Update(sha, (const uint8_t *)*word, strlen(*word) + 1);
	if (t->argv && file_read(t->argv[0], FILE_MAX, &text, &len) == 0)
		SHA256Update(sha, (const uint8_t *)text, len);
}

static int digest(struct mine_job *j)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];
	SHA2_CTX sha;

	SHA256Init(&sha);
	for (size_t i = 0; i < j->tests.cnt; i++)
		add_test(&j->tests.test[i], &sha);
	j->digest = text_format("sha256:%s", SHA256End(&sha, hex));
	return j->digest ? 0 : -ENOMEM;
}

int mine_tests_check(struct mine_job *j)
{
	_free_ char *why = NULL;
	int r = j->tests.cnt ? 0 : explorations_load(j->explore, &j->explorations, &why);

	if (r < 0) {
		log_err("mine: %s", why ?: strerror(-r));
		return r;
	}
	return digest(j);
}
