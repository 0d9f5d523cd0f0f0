/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and crawls against a small site that keeps a list of who asked for what. */
#include "base/text.h"

#include "explore_fixture.h"

static struct service service;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char requests[16384]; /* "GET / 0", a line each: method, path, bytes of body */
static int status_of_page;   /* what /page answers */
static unsigned broken;	     /* how many of /broken/N answer 500 */

static void note(const char *method, const char *path, size_t body)
{
	size_t used;

	pthread_mutex_lock(&lock);
	used = strlen(requests);
	snprintf(requests + used, sizeof(requests) - used, "%s %s %zu\n", method, path, body);
	pthread_mutex_unlock(&lock);
}

static bool requested(const char *what)
{
	_free_ char *line = text_format("%s\n", what);
	bool was;

	pthread_mutex_lock(&lock);
	was = strstr(requests, line) != NULL;
	pthread_mutex_unlock(&lock);
	return was;
}

static void answer(int fd, int status, const char *headers, const char *body)
{
	_free_ char *text =
		text_format("HTTP/1.1 %d X\r\nContent-Type: text/html\r\n%sContent-Length: "
			    "%zu\r\n\r\n%s",
			    status, headers, strlen(body), body);

	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void site(int fd, const char *path)
{
	if (!strcmp(path, "/"))
		answer(fd, 200, "",
		       "<a href=one>1</a><a href=/two#x><a href=http://example.org/away>"
		       "<a href='http://localhost:1/other'><a href=javascript:x()><img "
		       "src=/i.png?a=1&amp;b=2>"
		       "<a href=/redirect><a href=mailto:a@b><a href=//example.org/away2>");
	else if (!strcmp(path, "/one"))
		answer(fd, 200, "", "<a href=deep/1>");
	else if (!strncmp(path, "/deep/", 6))
		answer(fd, 200, "", "<a href=1><a href=2><a href=3><a href=4>");
	else if (!strcmp(path, "/redirect"))
		answer(fd, 302, "Location: /there\r\n", "");
	else if (!strcmp(path, "/page"))
		answer(fd, status_of_page, "", "");
	else if (!strcmp(path, "/all-broken"))
		answer(fd, 200, "", "<a href=/broken/1><a href=/broken/2><a href=/broken/3>");
	else if (!strncmp(path, "/broken/", 8))
		answer(fd, (unsigned)(path[8] - '0') <= broken ? 500 : 200, "", "");
	else
		answer(fd, 200, "", "ok");
}

/* The head of a request, up to its empty line. */
static bool read_head(int fd, char *buf, size_t room)
{
	size_t len = 0;

	while (len + 1 < room && read(fd, buf + len, 1) == 1) {
		buf[++len] = '\0';
		if (len >= 4 && !strcmp(buf + len - 4, "\r\n\r\n"))
			return true;
	}
	return false;
}

static size_t read_body(int fd, size_t len)
{
	char buf[65536];
	size_t all = 0;

	while (all < len) {
		ssize_t n = read(fd, buf, len - all < sizeof(buf) ? len - all : sizeof(buf));

		if (n <= 0)
			break;
		all += (size_t)n;
	}
	return all;
}

static void serve(int fd)
{
	char head[16384], method[32], path[8192];

	while (read_head(fd, head, sizeof(head))) {
		const char *len = strstr(head, "Content-Length: ");

		if (sscanf(head, "%31s %8191s", method, path) != 2)
			return;
		note(method, path, read_body(fd, len ? strtoul(len + 16, NULL, 10) : 0));
		if (strcmp(method, "HEAD") != 0)
			site(fd, path);
		else
			(void)send(fd, "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n", 38,
				   MSG_NOSIGNAL);
	}
}

static int set_up(void **state)
{
	requests[0] = '\0';
	status_of_page = 200;
	broken = 0;
	service_start(&service, serve);
	target_is(service.port);
	return 0;
}

static int tear_down(void **state)
{
	service_stop(&service);
	return 0;
}

static void asks(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL;

	explorations_of(
		"for: http\nhttp GET /page\nhttp HEAD /page\nhttp PUT /put body \"abc\" times 4\n"
		"http POST /post body \"0123456789\" times 300000\nhttp TAMIS /x header \"A: b\"\n"
		"http GET /a%20b?c=d expect 200\nhttp DELETE /page\n",
		&e);
	assert_int_equal(chosen(&e), 1);
	service.connections = 0;
	why = run_one(&e);
	assert_null(why);
	assert_true(requested("GET /page 0"));
	assert_true(requested("HEAD /page 0"));
	assert_true(requested("PUT /put 12"));
	assert_true(requested("POST /post 3000000"));
	assert_true(requested("TAMIS /x 0"));
	assert_true(requested("GET /a%20b?c=d 0"));
	assert_true(requested("DELETE /page 0"));
	assert_int_equal(service.connections, 1); /* kept alive */
}

static void remembers_the_first_answer(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL;

	explorations_of("for: http\nhttp GET /page\n", &e);
	assert_int_equal(chosen(&e), 1);
	status_of_page = 404;
	assert_null(run_one(&e));
	status_of_page = 410; /* of the same class */
	assert_null(run_one(&e));
	status_of_page = 500;
	why = run_one(&e);
	assert_string_equal(why, "x:2: GET /page: 500, was 404 the first time");
}

static void wants_the_status_said(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL;

	explorations_of(
		"for: http\nmaybe http GET /page expect 500\nhttp GET /page expect 201..299\n", &e);
	assert_int_equal(chosen(&e), 1);
	why = run_one(&e);
	assert_string_equal(why, "x:3: GET /page: 200, expected 201..299");
}

static void follows_own_links(void **state)
{
	static const char *const own[] = { "/",		"/one",	  "/two",    "/i.png?a=1&b=2",
					   "/redirect", "/there", "/deep/1", "/deep/2" };
	_explorations_ struct explorations e;

	explorations_of("for: http\ncrawl / depth 3\n", &e);
	assert_int_equal(chosen(&e), 1);
	assert_null(run_one(&e));
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		_free_ char *line = text_format("GET %s 0", own[i]);

		if (!requested(line))
			fail_msg("not asked for: %s of\n%s", line, requests);
	}
	assert_null(strstr(requests, "away"));
	assert_null(strstr(requests, "other"));
	assert_null(strstr(requests, "javascript"));
}

static unsigned asked_for(void)
{
	unsigned cnt = 0;

	for (const char *p = requests; (p = strchr(p, '\n')); p++)
		cnt++;
	return cnt;
}

static void crawls_within_bounds(void **state)
{
	_explorations_ struct explorations flat, few;

	explorations_of("for: http\ncrawl /one depth 1\n", &flat);
	assert_int_equal(chosen(&flat), 1);
	requests[0] = '\0';
	assert_null(run_one(&flat));
	assert_string_equal(requests, "GET /one 0\nGET /deep/1 0\n");
	explorations_of("for: http\ncrawl / depth 9 limit 4\n", &few);
	assert_int_equal(chosen(&few), 1);
	requests[0] = '\0';
	assert_null(run_one(&few));
	assert_int_equal(asked_for(), 4);
}

static void counts_what_fails(void **state)
{
	_explorations_ struct explorations e;
	_free_ char *why = NULL, *want = NULL;

	explorations_of("for: http\ncrawl /all-broken\n", &e);
	assert_int_equal(chosen(&e), 1);
	broken = 1;
	assert_null(run_one(&e));
	broken = 0;
	assert_null(run_one(&e));
	broken = 2;
	why = run_one(&e);
	want = text_format(
		"x:2: http://127.0.0.1:%u/broken/1 answered 500 (2 failed, 1 the first time)",
		service.port);
	assert_string_equal(why, want);
}

/* A port that another one speaks a protocol to is not asked for HTTP. */
static void asks_nobody_who_is_known(void **state)
{
	_free_ char *own = text_format("for: port %u\nsend \"x\"\n", service.port), *why = NULL;
	_mine_tests_ struct mine_tests tests = { 0 };
	_explorations_ struct explorations e;
	struct exploration **list;

	explorations_of("for: http, https\nhttp GET /\n", &e);
	assert_int_equal(chosen(&e), 1);
	requests[0] = '\0';
	list = reallocarray(e.list, 2, sizeof(*list));
	assert_non_null(list);
	e.list = list;
	assert_int_equal(exploration_parse("own", "own", own, strlen(own), &e.list[1], &why), 0);
	e.cnt = 2;
	assert_int_equal(explorations_for(&e, &target.facts, &tests), 0);
	assert_int_equal(tests.cnt, 1);
	assert_string_equal(tests.test[0].name, "explore/own");
	assert_string_equal(requests, "");
}

#define WITH_SITE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SITE(asks),
		WITH_SITE(remembers_the_first_answer),
		WITH_SITE(wants_the_status_said),
		WITH_SITE(follows_own_links),
		WITH_SITE(crawls_within_bounds),
		WITH_SITE(counts_what_fails),
		WITH_SITE(asks_nobody_who_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
