/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that answers, and every way in which one doesn't. */
#include "start/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"

#define LONG_MS 20000 /* a busy machine */

static int answer_text(void *ctx, char **ret, size_t *ret_len)
{
	*ret = strdup(ctx);
	*ret_len = strlen(ctx);
	return 1;
}

static int answer_much(void *ctx, char **ret, size_t *ret_len)
{
	*ret_len = *(size_t *)ctx;
	*ret = malloc(*ret_len);
	memset(*ret, 'x', *ret_len);
	return 1;
}

static int answer_nothing(void *ctx, char **ret, size_t *ret_len)
{
	return *(int *)ctx;
}

static int die(void *ctx, char **ret, size_t *ret_len)
{
	raise(*(int *)ctx);
	return 0;
}

static int leave(void *ctx, char **ret, size_t *ret_len)
{
	_exit(*(int *)ctx);
}

static int hang(void *ctx, char **ret, size_t *ret_len)
{
	while (pause() < 0)
		continue;
	return 0;
}

/* Its child has the pipe's other end: the answer isn't whole before that is gone too. */
static int leave_a_child(void *ctx, char **ret, size_t *ret_len)
{
	if (fork() == 0)
		hang(NULL, NULL, NULL);
	return answer_text(ctx, ret, ret_len);
}

static int by_hand(void *ctx, char **ret, size_t *ret_len)
{
	/* The only descriptor that it has besides the standard ones. */
	for (int fd = 3; fd < 64; fd++) {
		if (write(fd, ctx, strlen(ctx)) > 0)
			_exit(0);
	}
	_exit(1);
}

static void an_answer_comes_whole(void **state)
{
	static const size_t sizes[] = { 1, 4096, 65536, 1 << 20, WORKER_ANSWER_MAX };
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_free_ char *text = NULL;
		size_t len = 0, want = sizes[i];

		assert_int_equal(worker_ask(answer_much, &want, LONG_MS, &text, &len, &why), 1);
		assert_true(len == want && text[0] == 'x' && text[len - 1] == 'x');
		assert_true(text[len] == '\0');
	}
}

static void none_is_an_answer(void **state)
{
	static const int codes[] = { 0, -EINVAL };
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		int code = codes[i];
		char *text = NULL;
		size_t len = 0;

		assert_int_equal(worker_ask(answer_nothing, &code, LONG_MS, &text, &len, &why), 0);
		assert_null(text);
		assert_null(why);
	}
}

static const struct {
	int (*work)(void *ctx, char **ret, size_t *ret_len);
	int ctx;
	const char *text;
	unsigned wait_ms;
	int want;
	const char *why;
} failures[] = {
	{ die, SIGKILL, NULL, LONG_MS, -ECHILD, "died" },
	{ die, SIGUSR1, NULL, LONG_MS, -ECHILD, "died" },
	{ leave, 0, NULL, LONG_MS, -EBADMSG, "gave no proper answer" },
	{ leave, 3, NULL, LONG_MS, -ECHILD, "died" },
	{ hang, 0, NULL, 50, -ETIME, "did not answer in time" },
	{ leave_a_child, 0, "late", 200, -ETIME, "did not answer in time" },
	{ by_hand, 0, "garbage", LONG_MS, -EBADMSG, "gave no proper answer" },
	{ by_hand, 0, "garbage that is longer than a frame is, without being one at all", LONG_MS,
	  -EBADMSG, "gave no proper answer" },
};

static void failures_are_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		int number = failures[i].ctx;
		void *ctx = failures[i].text ? (void *)failures[i].text : &number;
		const char *why = NULL;
		char *text = NULL;
		size_t len = 0;

		assert_int_equal(
			worker_ask(failures[i].work, ctx, failures[i].wait_ms, &text, &len, &why),
			failures[i].want);
		assert_string_equal(why, failures[i].why);
		assert_null(text);
	}
	/* None of them is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int look_around(void *ctx, char **ret, size_t *ret_len)
{
	extern char **environ;
	char buf[2] = "";
	int cnt = 0;

	for (int fd = 3; fd < 256; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	*ret = text_format("%d descriptor%s, environment %s, input %s", cnt, cnt == 1 ? "" : "s",
			   environ && *environ ? "full" : "empty",
			   read(STDIN_FILENO, buf, 1) == 0 ? "empty" : "full");
	*ret_len = strlen(*ret);
	return 1;
}

static void it_has_nothing_of_its_parents(void **state)
{
	_close_ int low = open("/dev/zero", O_RDONLY), high = fcntl(low, F_DUPFD, 200);
	_free_ char *text = NULL;
	const char *why = NULL;
	size_t len = 0;

	assert_true(high >= 200);
	assert_int_equal(setenv("LEAK", "1", 1), 0);
	assert_int_equal(worker_ask(look_around, NULL, LONG_MS, &text, &len, &why), 1);
	assert_string_equal(text, "1 descriptor, environment empty, input empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_whole),
		cmocka_unit_test(none_is_an_answer),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(it_has_nothing_of_its_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
