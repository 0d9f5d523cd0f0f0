/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker may say of a spec, and what nobody believes. */
#include "start/answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define GOOD                                                                                    \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":" \
	"\"SCMP_ACT_ALLOW\"}]}"
#define SPEC(p)                                                             \
	"{\"process\":{\"args\":[\"/bin/true\"]},\"linux\":{\"seccomp\":" p \
	", \"resources\":{\"memory\":{\"limit\":9223372036854775807}}},\"x\":1e400 }\n"
#define BARE "{\"linux\":{\"a\":1}}"

static const struct {
	const char *spec, *answer;
	int want;
} rows[] = {
	{ SPEC("{}"), SPEC(GOOD), 0 },
	{ SPEC("null"), SPEC(GOOD), 0 },
	{ BARE, "{\"linux\":{\"a\":1,\"seccomp\":" GOOD "}}", 0 },
	/* elsewhere */
	{ SPEC("{}"), "", -EBADMSG },
	{ SPEC("{}"), "garbage", -EBADMSG },
	{ SPEC("{}"), GOOD, -EBADMSG },
	{ SPEC("{}"), BARE, -EBADMSG },
	{ SPEC("{}"), SPEC(GOOD) " ", -EBADMSG },
	{ SPEC("{}"), "{\"process\":{\"args\":[\"/bin/false\"]},\"linux\":{\"seccomp\":" GOOD "}}",
	  -EBADMSG },
	{ SPEC("{}"), SPEC(GOOD ",\"hooks\":{}"), -EBADMSG },
	{ BARE, "{\"linux\":{\"a\":1},\"seccomp\":" GOOD "}", -EBADMSG },
	{ BARE, "{\"linux\":{\"a\":1, \"seccomp\":" GOOD "}}", -EBADMSG },
	/* no profile that a runtime takes */
	{ SPEC("{}"), SPEC("null"), -EBADMSG },
	{ SPEC("{}"), SPEC("{}"), -EBADMSG },
	{ SPEC("{}"), SPEC("[]"), -EBADMSG },
	{ SPEC("{}"), SPEC("\"SCMP_ACT_ALLOW\""), -EBADMSG },
	{ SPEC("{}"), SPEC("{\"defaultAction\":\"SCMP_ACT_NONSENSE\"}"), -EBADMSG },
	{ SPEC("{}"),
	  SPEC("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"frobnicate\"],"
	       "\"action\":\"SCMP_ACT_ALLOW\"}]}"),
	  -EBADMSG },
	/* a spec that can't be read has no answer */
	{ "{\"Linux\":{}}", "{\"Linux\":{}}", -EBADMSG },
};

static void answers_are_judged(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%zu\n", i);
		assert_int_equal(answer_check(rows[i].spec, strlen(rows[i].spec), rows[i].answer,
					      strlen(rows[i].answer)),
				 rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
