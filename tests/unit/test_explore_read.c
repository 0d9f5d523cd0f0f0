/* SPDX-License-Identifier: Apache-2.0 */
/* The format of explorations: what is read, what is refused and where, what is bounded. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_internal.h"

#include "recorded.h"

#define HEAD "for: any\n"

static struct exploration *must_read(const char *text)
{
	struct exploration *e = NULL;
	_free_ char *why = NULL;
	int r = exploration_parse("x", "x", text, strlen(text), &e, &why);

	if (r < 0)
		print_message("%s\n%s\n", text, why ? why : "no reason");
	assert_int_equal(r, 0);
	assert_null(why);
	return e;
}

/* Every message names the file and the line, and says what is wrong there. */
static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "dir/x:1: no line \"for:\" says which services it is for" },
	{ "connect\n", "dir/x:1: no line \"for:\" says which services it is for" },
	{ HEAD, "dir/x:1: it has no steps" },
	{ "for:\nconnect", "dir/x:1: it goes like: for: port 80, program nginx" },
	{ "for: any,\nconnect", "dir/x:1: it goes like: for: port 80, program nginx" },
	{ "for: everything\nconnect", "dir/x:1: there is no kind \"everything\"" },
	{ "for: port\nconnect", "dir/x:1: \"port\", \"program\" and \"image\" take one word more" },
	{ "for: port 0\nconnect", "dir/x:1: not a port: \"0\"" },
	{ "for: port 80-79\nconnect", "dir/x:1: not a port: \"80-79\"" },
	{ "for: port 65536\nconnect", "dir/x:1: not a port: \"65536\"" },
	{ "for: port -\nconnect", "dir/x:1: not a port: \"-\"" },
	{ "for: port 80 81\nconnect", "dir/x:1: a comma is missing" },
	{ "for: any\nin: unit\nconnect", "dir/x:2: \"in:\" knows \"container\" alone" },
	{ "for: any\nlast one\nconnect", "dir/x:2: too many words" },
	{ HEAD "connect\nfor: tcp\n", "dir/x:3: \"for:\" belongs before the steps" },
	{ HEAD "connect\n\n# no\nlast\n", "dir/x:5: \"last\" belongs before the steps" },
	{ "not: any\nconnect", "dir/x:1: no line \"for:\" says which services it is for" },
	{ HEAD "dance\n", "dir/x:2: no such step: \"dance\"" },
	{ HEAD "\"connect\"\n", "dir/x:2: no such step: \"connect\"" },
	{ HEAD "maybe\n", "dir/x:2: a step is missing" },
	{ HEAD "connect 5\n", "dir/x:2: \"5\" is one word too many" },
	{ HEAD "close now\n", "dir/x:2: \"now\" is one word too many" },
	{ HEAD "on 0\n", "dir/x:2: the connection is a number from 1 to 8" },
	{ HEAD "on 9\n", "dir/x:2: the connection is a number from 1 to 8" },
	{ HEAD "on\n", "dir/x:2: the connection is missing" },
	{ HEAD "send\n", "dir/x:2: a text is missing" },
	{ HEAD "send PING\n", "dir/x:2: a text is in quotes: \"PING\"" },
	{ HEAD "send \"PING\n", "dir/x:2: a quote is not closed, or goes on behind its end" },
	{ HEAD "send \"PING\"x\n", "dir/x:2: a quote is not closed, or goes on behind its end" },
	{ HEAD "send \"\\q\"\n",
	  "dir/x:2: an escape is none of \\r \\n \\t \\0 \\\\ \\\" \\$ \\xHH" },
	{ HEAD "send \"\\x4\"\n",
	  "dir/x:2: an escape is none of \\r \\n \\t \\0 \\\\ \\\" \\$ \\xHH" },
	{ HEAD "send \"\\xgg\"\n",
	  "dir/x:2: an escape is none of \\r \\n \\t \\0 \\\\ \\\" \\$ \\xHH" },
	{ HEAD "send \"a\" times 0\n", "dir/x:2: the times is a number from 1 to 67108864" },
	{ HEAD "send \"aa\" times 33554433\n",
	  "dir/x:2: the times is a number from 1 to 33554432" },
	{ HEAD "send \"a\" expect\n", "dir/x:2: a text is missing" },
	{ HEAD "send \"a\" expect \"\"\n", "dir/x:2: an empty text is always there" },
	{ HEAD "expect \"a\" or\n", "dir/x:2: a text is missing" },
	{ HEAD "expect \"a\" or \"b\" or \"c\" or \"d\" or \"e\"\n", "dir/x:2: more than 4 texts" },
	{ HEAD "slow \"a\" clients 65\n", "dir/x:2: the clients is a number from 1 to 64" },
	{ HEAD "slow \"a\" over 5\n", "dir/x:2: a time goes like 500ms or 20s, at most 3600s" },
	{ HEAD "pause 3601s\n", "dir/x:2: a time goes like 500ms or 20s, at most 3600s" },
	{ HEAD "pause s\n", "dir/x:2: a time goes like 500ms or 20s, at most 3600s" },
	{ HEAD "http GET\n", "dir/x:2: a path is missing" },
	{ HEAD "http GET index.html\n", "dir/x:2: a path begins with /" },
	{ HEAD "http GET http://example.org/\n", "dir/x:2: a path begins with /" },
	{ HEAD "http GET / header \"no colon\"\n", "dir/x:2: a header goes like \"Name: value\"" },
	{ HEAD "http GET / header \"A: b\\0\"\n", "dir/x:2: a word holds a NUL" },
	{ HEAD "http PUT / body \"a\" body \"b\"\n", "dir/x:2: a second body" },
	{ HEAD "http GET / expect 300..200\n", "dir/x:2: a status goes like 200 or 200..299" },
	{ HEAD "http GET / expect ..\n", "dir/x:2: a status goes like 200 or 200..299" },
	{ HEAD "http GET / 200\n", "dir/x:2: \"200\" is one word too many" },
	{ HEAD "crawl\n", "dir/x:2: a path is missing" },
	{ HEAD "crawl / limit 0\n", "dir/x:2: the limit is a number from 1 to 10000" },
	{ HEAD "exec\n", "dir/x:2: a command is missing" },
	{ HEAD "exec expect 0\n", "dir/x:2: a command is missing" },
	{ HEAD "exec sh \"-c\n", "dir/x:2: a quote is not closed, or goes on behind its end" },
	{ HEAD "signal\n", "dir/x:2: no such signal is known here" },
	{ HEAD "signal HUPP\n", "dir/x:2: no such signal is known here" },
	{ HEAD "signal HUP if\n", "dir/x:2: \"if\" knows \"caught\" alone" },
	{ HEAD "restart if hung\n", "dir/x:2: \"restart if\" knows \"ended\" alone" },
	{ HEAD "wait\n", "dir/x:2: \"wait\" goes like: wait up, wait end" },
	{ HEAD "end\n", "dir/x:2: \"end\" of nothing" },
	{ HEAD "connect\nrepeat 3\nconnect\n", "dir/x:3: the block has no \"end\"" },
	{ HEAD "repeat 0\nend\n", "dir/x:2: \"repeat\" takes a number from 1 to 1000" },
	{ HEAD "repeat 1001\nend\n", "dir/x:2: \"repeat\" takes a number from 1 to 1000" },
	{ HEAD "each A in\nend\n", "dir/x:2: \"each\" of nothing" },
	{ HEAD "each a in b\nend\n", "dir/x:2: \"each\" goes like: each NAME in WORD..." },
	{ HEAD "each A of b\nend\n", "dir/x:2: \"each\" goes like: each NAME in WORD..." },
	{ HEAD "each A in b\neach B in c\nexplode $A$B\nend\nend\n",
	  "dir/x:4: no such step: \"explode\"" },
	{ HEAD "repeat 2\nrepeat 2\nrepeat 2\nrepeat 2\nrepeat 2\n",
	  "dir/x:6: blocks nest too deeply" },
};

static void says_what_is_wrong_where(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct exploration *e = NULL;
		_free_ char *why = NULL;
		int r = exploration_parse("x", "dir/x", bad[i].text, strlen(bad[i].text), &e, &why);

		same_text(bad[i].text, "why", why, bad[i].why);
		assert_int_equal(r, -EINVAL);
		assert_null(e);
	}
}

static void reads_whom_it_is_for(void **state)
{
	_cleanup_(exploration_free) struct exploration *e =
		must_read("# c\n\nfor: port 80, port 8000-8999\n  for: program \"nginx*\", http\n"
			  "in: container\nnot: program node\nlast\nconnect\n");

	assert_int_equal(e->items, 5);
	assert_true(e->item[4].not_for && !e->item[3].not_for);
	assert_int_equal(e->item[0].kind, ITEM_PORT);
	assert_int_equal(e->item[0].high, 80);
	assert_int_equal(e->item[1].low, 8000);
	assert_int_equal(e->item[1].high, 8999);
	assert_string_equal(e->item[2].pattern, "nginx*");
	assert_int_equal(e->item[3].kind, ITEM_HTTP);
	assert_true(e->container && e->last);
}

static void reads_texts(void **state)
{
	_cleanup_(exploration_free) struct exploration *e = must_read(
		HEAD "maybe send \"a\\r\\n\\0\\xFf\\\"$3\\$\" times 7 expect \"b\" or \"c\"\n"
		     "expect closed\nexpect any\n");
	const struct explore_step *s = e->step;

	assert_int_equal(e->steps, 3);
	assert_int_equal(s[0].verb, EXPLORE_SEND);
	assert_true(s[0].maybe);
	assert_int_equal(s[0].line, 2);
	assert_int_equal(s[0].text.len, 9);
	assert_memory_equal(s[0].text.p, "a\r\n\0\xff\"$3$", 9);
	assert_int_equal(s[0].times, 7);
	assert_int_equal(s[0].wanted_cnt, 2);
	assert_string_equal(s[0].wanted[1].p, "c");
	assert_int_equal(s[1].want, WANT_CLOSED);
	assert_int_equal(s[2].want, WANT_ANY);
}

static void reads_requests(void **state)
{
	_cleanup_(exploration_free) struct exploration *e = must_read(
		HEAD "http PUT /a?b=c header \"A: b\" body \"x\" times 3 header \"C: d\" expect "
		     "200..204\nhttp OPTIONS *\ncrawl / depth 0 limit 7\n");
	const struct explore_step *s = e->step;

	assert_int_equal(s[0].word_cnt, 4);
	assert_string_equal(s[0].word[0], "PUT");
	assert_string_equal(s[0].word[3], "C: d");
	assert_int_equal(s[0].times, 3);
	assert_int_equal(s[0].low, 200);
	assert_int_equal(s[0].high, 204);
	assert_int_equal(s[1].want, WANT_NOTHING);
	assert_int_equal(s[2].number, 0);
	assert_int_equal(s[2].limit, 7);
}

static void reads_the_rest(void **state)
{
	_cleanup_(exploration_free) struct exploration *e = must_read(
		HEAD
		"exec expect 0..1 sh -c \"echo $HOME\" maybe\nsignal USR2 if caught\nwithin 20s\n"
		"pause 5ms\nwait up\nwait end\nrestart\nrotate\nslow \"x\" clients 9 over 4s\n"
		"connect 6\r\n");
	const struct explore_step *s = e->step;

	assert_int_equal(e->steps, 10);
	assert_string_equal(s[0].word[2], "echo $HOME");
	assert_string_equal(s[0].word[3], "maybe");
	assert_null(s[0].word[4]);
	assert_int_equal(s[1].number, SIGUSR2);
	assert_true(s[1].caught);
	assert_int_equal(s[2].ms, 20000);
	assert_int_equal(s[3].ms, 5);
	assert_int_equal(s[4].verb, EXPLORE_WAIT_UP);
	assert_int_equal(s[5].verb, EXPLORE_WAIT_END);
	assert_int_equal(s[8].number, 9);
	assert_int_equal(s[8].ms, 4000);
	assert_int_equal(s[9].number, 6);
}

static void writes_blocks_out(void **state)
{
	_cleanup_(exploration_free) struct exploration *e =
		must_read(HEAD "each A in x \"y\\n\" z\n  repeat 2\n    each A2 in 1 2\n"
			       "send \"$A$A2$B \\$A\"\n    end\n  end\nend\nclose\n");

	assert_int_equal(e->steps, 3 * 2 * 2 + 1);
	assert_string_equal(e->step[0].text.p, "x1$B $A");
	assert_string_equal(e->step[5].text.p, "y\n2$B $A");
	assert_int_equal(e->step[5].line, 5);
	assert_int_equal(e->step[12].verb, EXPLORE_CLOSE);
}

/* A line goes on behind a backslash; lines are counted as they stand in the file. */
static void joins_lines(void **state)
{
	_cleanup_(exploration_free) struct exploration *e =
		must_read(HEAD "# no \\\nsend \\\n\t\"a\" \\\n times 2\nclose\n");

	assert_int_equal(e->steps, 2);
	assert_int_equal(e->step[0].line, 3);
	assert_int_equal(e->step[0].times, 2);
	assert_int_equal(e->step[1].line, 6);
}

/* `cnt` times `what`, after HEAD. */
static char *many(const char *what, size_t cnt)
{
	size_t len = strlen(what), head = strlen(HEAD);
	char *text = malloc(head + len * cnt + 1);

	assert_non_null(text);
	memcpy(text, HEAD, head);
	for (size_t i = 0; i < cnt; i++)
		memcpy(text + head + i * len, what, len);
	text[head + len * cnt] = '\0';
	return text;
}

static void refused(const char *text, const char *part)
{
	struct exploration *e = NULL;
	_free_ char *why = NULL;

	assert_int_equal(exploration_parse("x", "x", text, strlen(text), &e, &why), -EINVAL);
	assert_non_null(why);
	if (!strstr(why, part))
		fail_msg("%s, not %s", why, part);
}

static void is_bounded(void **state)
{
	_free_ char *steps = many("repeat 1000\nconnect\nconnect\nend\n", 3);
	_free_ char *nothing = many("repeat 1000\nrepeat 1000\nrepeat 1000\nend\nend\nend\n", 1);
	_free_ char *words = text_format(HEAD "each A in %01000d\neach B in $A$A$A$A\neach C in "
					      "$B$B$B$B\nclose\nend\nend\nend\n",
					 1);
	_free_ char *line = many("x", 5000);
	_free_ char *any = many(",any ", 40);
	_free_ char *items = text_format("for: any%s\nconnect\n", strchr(any, '\n') + 1);

	refused(steps, "more than 4096 steps");
	refused(nothing, "the blocks come to too many lines");
	refused(words, "the line is too long");
	refused(line, "the line is too long");
	refused(items, "too many kinds of service");
}

static void refuses_a_nul(void **state)
{
	static const char text[] = "for: any\nconnect\n\0close\n";
	struct exploration *e = NULL;
	_free_ char *why = NULL;

	assert_int_equal(exploration_parse("x", "x", text, sizeof(text) - 1, &e, &why), -EINVAL);
	assert_string_equal(why, "x:1: it holds a NUL");
}

/* What is embedded can be read, all of it, and every kind of service that is promised is there. */
static void reads_what_is_embedded(void **state)
{
	static const char *const names[] = { "http",	 "http-slow", "redis",	 "memcached",
					     "postgres", "mysql",     "tcp",	 "signals",
					     "logs",	 "shell",     "restart", "nginx",
					     "apache" };
	_explorations_ struct explorations all = { 0 };
	_free_ char *why = NULL;
	int r = explorations_load(NULL, &all, &why);

	assert_string_equal(why ? why : "", "");
	assert_int_equal(r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool there = false;

		for (size_t j = 0; j < all.cnt; j++)
			there |= !strcmp(exploration_name(all.list[j]), names[i]);
		if (!there)
			fail_msg("no exploration %s", names[i]);
	}
}

/* A unit is in service, and its programs are the host's. */
static bool is_harmless(const struct explore_step *s)
{
	static const char *const writes[] = { "POST",	  "PUT",    "PATCH",	  "DELETE",
					      "FLUSH",	  "flush_", "CONFIG SET", "CONFIG REWRITE",
					      "REPLICAOF" };
	const char *text = s->verb == EXPLORE_HTTP ? s->word[0] : s->text.p;

	for (size_t i = 0; text && i < ARRAY_SIZE(writes); i++)
		if (strstr(text, writes[i]))
			return false;
	return s->verb != EXPLORE_EXEC && s->verb != EXPLORE_ROTATE &&
	       s->text.len * s->times <= 1u << 20;
}

static void leaves_units_as_they_are(void **state)
{
	_explorations_ struct explorations all = { 0 };
	_free_ char *why = NULL;
	size_t units = 0;

	assert_int_equal(explorations_load(NULL, &all, &why), 0);
	for (size_t i = 0; i < all.cnt; i++) {
		const struct exploration *e = all.list[i];

		units += !e->container;
		for (size_t n = 0; !e->container && n < e->steps; n++)
			if (!is_harmless(&e->step[n]))
				fail_msg("%s:%u changes a unit", e->name, e->step[n].line);
	}
	assert_true(units > 5 && units < all.cnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong_where),
		cmocka_unit_test(reads_whom_it_is_for),
		cmocka_unit_test(reads_texts),
		cmocka_unit_test(reads_requests),
		cmocka_unit_test(reads_the_rest),
		cmocka_unit_test(writes_blocks_out),
		cmocka_unit_test(joins_lines),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(refuses_a_nul),
		cmocka_unit_test(reads_what_is_embedded),
		cmocka_unit_test(leaves_units_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
