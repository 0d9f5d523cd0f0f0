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

/* With other members; with a call that asks. */
#define WITH(members) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[]," members "}"
#define ASKS(name, rest)                                                                        \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":" \
	"\"SCMP_ACT_ALLOW\"},{\"names\":[\"" name "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]" rest "}"
#define LISTENER "/run/k.sock"
#define L	 ",\"listenerPath\":\"" LISTENER "\""

/* `want`: where LISTENER is what it may ask; `any`: where it isn't known. */
static const struct {
	const char *spec, *answer;
	int want, any;
} rows[] = {
	{ SPEC("{}"), SPEC(GOOD), 0 },
	{ SPEC("null"), SPEC(GOOD), 0 },
	{ BARE, "{\"linux\":{\"a\":1,\"seccomp\":" GOOD "}}", 0 },
	/* elsewhere */
	{ SPEC("{}"), "", -EBADMSG, -EBADMSG },
	{ SPEC("{}"), "garbage", -EBADMSG, -EBADMSG },
	{ SPEC("{}"), GOOD, -EBADMSG, -EBADMSG },
	{ SPEC("{}"), BARE, -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(GOOD) " ", -EBADMSG, -EBADMSG },
	{ SPEC("{}"), "{\"process\":{\"args\":[\"/bin/false\"]},\"linux\":{\"seccomp\":" GOOD "}}",
	  -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(GOOD ",\"hooks\":{}"), -EBADMSG, -EBADMSG },
	{ BARE, "{\"linux\":{\"a\":1},\"seccomp\":" GOOD "}", -EBADMSG, -EBADMSG },
	{ BARE, "{\"linux\":{\"a\":1, \"seccomp\":" GOOD "}}", -EBADMSG, -EBADMSG },
	/* no profile that a runtime takes */
	{ SPEC("{}"), SPEC("null"), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC("{}"), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC("[]"), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC("\"SCMP_ACT_ALLOW\""), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC("{\"defaultAction\":\"SCMP_ACT_NONSENSE\"}"), -EBADMSG, -EBADMSG },
	{ SPEC("{}"),
	  SPEC("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"frobnicate\"],"
	       "\"action\":\"SCMP_ACT_ALLOW\"}]}"),
	  -EBADMSG, -EBADMSG },
	/* how it is loaded: the engine's own way */
	{ SPEC("{\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":\"odd path\"}"),
	  SPEC(WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":\"odd path\"")), 0 },
	{ SPEC("{}"), SPEC(WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]")), 0 },
	{ SPEC("{}"), SPEC(WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]")), -EBADMSG, -EBADMSG },
	{ SPEC("{\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}"),
	  SPEC(WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"]")),
	  -EBADMSG, -EBADMSG },
	{ SPEC("{\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}"), SPEC(WITH("\"flags\":[1]")), -EBADMSG,
	  -EBADMSG },
	{ SPEC("{\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}"),
	  SPEC(WITH("\"Flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]")), -EBADMSG, -EBADMSG },
	/* one that asks */
	{ SPEC("{}"), SPEC(ASKS("mmap", L)), 0 },
	{ SPEC("null"), SPEC(ASKS("mmap", L)), 0 },
	{ SPEC("{}"), SPEC(ASKS("mmap", "")), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("mmap", ",\"listenerPath\":\"/run/other\"")), -EBADMSG, 0 },
	{ SPEC("{}"), SPEC(ASKS("mmap", ",\"listenerPath\":\"run/k.sock\"")), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("mmap", ",\"listenerPath\":\"/run/../k\"")), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("mmap", ",\"listenerPath\":1")), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("mmap", ",\"listenerPath\":null")), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("mmap", L ",\"ListenerPath\":\"/run/other\"")), -EBADMSG,
	  -EBADMSG },
	{ SPEC("{}"), SPEC(ASKS("write", L)), -EBADMSG, -EBADMSG },
	{ SPEC("{}"), SPEC("{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"syscalls\":[]" L "}"),
	  -EBADMSG, -EBADMSG },
	/* a spec that can't be read has no answer */
	{ "{\"Linux\":{}}", "{\"Linux\":{}}", -EBADMSG, -EBADMSG },
};

static void answers_are_judged(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%zu\n", i);
		assert_int_equal(answer_check(rows[i].spec, strlen(rows[i].spec), rows[i].answer,
					      strlen(rows[i].answer), LISTENER),
				 rows[i].want);
		assert_int_equal(answer_check(rows[i].spec, strlen(rows[i].spec), rows[i].answer,
					      strlen(rows[i].answer), NULL),
				 rows[i].any);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
