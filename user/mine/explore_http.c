/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over HTTP, plain and in TLS, from outside the service's network namespace. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mine/explore_curl.h"
#include "mine/explore_internal.h"
#include "mine/stop.h"

/* Of an answer's body; what is longer is read and dropped. */
#define BODY_KEPT (1u << 20)

/* One connection for all requests of an exploration, where the service keeps it. */
struct explore_http {
	const struct curl_lib *lib;
	CURL *curl;
};

struct request {
	const struct explore_run *r;
	int netns, stop_fd;
	const char *method; /* NULL: GET */
	const struct explore_text *body;
	uint32_t times;
	uint64_t sent, got;
	int64_t until;
	bool stopped;
	struct explore_answer answer;
};

void explore_answer_done(struct explore_answer *a)
{
	free(a->body);
	free(a->url);
	free(a->location);
	*a = (struct explore_answer){ 0 };
}

void explore_http_free(struct explore_http *h)
{
	if (!h)
		return;
	h->lib->easy_cleanup(h->curl);
	free(h);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	const struct request *q = arg;
	int fd = explore_socket(q->netns, to->family, to->socktype);

	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *q = arg;
	struct explore_answer *a = &q->answer;
	size_t keep = a->len + n < BODY_KEPT ? n : BODY_KEPT - a->len;
	char *more;

	q->got += n;
	if (q->got > EXPLORE_BYTES_MAX)
		return 0;
	if (!keep)
		return n;
	more = realloc(a->body, a->len + keep + 1);
	if (!more)
		return 0;
	memcpy(more + a->len, p, keep);
	a->body = more;
	a->len += keep;
	more[a->len] = '\0';
	return n;
}

static size_t give_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *q = arg;
	uint64_t all = (uint64_t)q->body->len * q->times;
	size_t room = size * n, i;

	for (i = 0; i < room && q->sent < all; i++)
		p[i] = q->body->p[q->sent++ % q->body->len];
	return i;
}

/* A request that is to be made again, after a redirection or on another connection. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct request *q = arg;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	q->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int go_on(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct request *q = arg;

	q->stopped = stop_asked(q->stop_fd) == 1;
	return q->stopped;
}

static void set_body(const struct curl_lib *lib, CURL *curl, struct request *q)
{
	if (!q->body || !q->body->len)
		return;
	lib->easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	lib->easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(q->body->len * q->times));
	lib->easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
	lib->easy_setopt(curl, CURLOPT_READDATA, q);
	lib->easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
	lib->easy_setopt(curl, CURLOPT_SEEKDATA, q);
}

/* The environment's proxy, the user's .netrc and the rest of the world are not asked. */
static void set_up(const struct curl_lib *lib, CURL *curl, struct request *q, const char *url)
{
	int64_t left = q->until - explore_now_ms();

	lib->easy_reset(curl);
	lib->easy_setopt(curl, CURLOPT_URL, url);
	lib->easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	lib->easy_setopt(curl, CURLOPT_PROXY, "");
	lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib->easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	lib->easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	lib->easy_setopt(curl, CURLOPT_USERAGENT, "tamis-explore");
	lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, left > 0 ? (long)left : 1L);
	lib->easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	lib->easy_setopt(curl, CURLOPT_OPENSOCKETDATA, q);
	lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	lib->easy_setopt(curl, CURLOPT_WRITEDATA, q);
	lib->easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	lib->easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
	lib->easy_setopt(curl, CURLOPT_XFERINFODATA, q);
	if (q->method && !strcmp(q->method, "HEAD"))
		lib->easy_setopt(curl, CURLOPT_NOBODY, 1L);
	set_body(lib, curl, q);
	if (q->method)
		lib->easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
}

static void take_answer(const struct curl_lib *lib, CURL *curl, struct explore_answer *a)
{
	const char *type = NULL, *url = NULL;
	long status = 0;

	lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib->easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	lib->easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
	a->status = (int)status;
	a->html = type && (strcasestr(type, "html") || strcasestr(type, "xml"));
	a->url = url ? strdup(url) : NULL;
	url = NULL;
	lib->easy_getinfo(curl, CURLINFO_REDIRECT_URL, &url);
	a->location = url ? strdup(url) : NULL;
}

/* 1: a whole answer, or the beginning of one without end. */
static int perform(const struct curl_lib *lib, CURL *curl, struct request *q, const char *url,
		   struct curl_slist *headers, const char **ret_why)
{
	CURLcode err;

	set_up(lib, curl, q, url);
	lib->easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	err = lib->easy_perform(curl);
	take_answer(lib, curl, &q->answer);
	if (q->stopped)
		return -EINTR;
	if (err == CURLE_OK || (q->answer.status >= 100 && q->got &&
				(err == CURLE_OPERATION_TIMEDOUT || q->got > EXPLORE_BYTES_MAX)))
		return 1;
	*ret_why = lib->easy_strerror(err);
	return err == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : 0;
}

static int ready(struct explore_run *r)
{
	const struct curl_lib *lib = explore_curl();

	if (r->http)
		return 0;
	if (!lib)
		return explore_fail(r, "libcurl isn't installed here (libcurl.so.4)");
	r->http = calloc(1, sizeof(*r->http));
	if (!r->http)
		return -ENOMEM;
	r->http->lib = lib;
	r->http->curl = lib->easy_init();
	if (r->http->curl)
		return 0;
	free(TAKE_PTR(r->http));
	return -ENOMEM;
}

static int ask(struct explore_run *r, struct request *q, const char *url,
	       struct curl_slist *headers)
{
	const char *why = "";
	int err;

	q->r = r;
	q->netns = r->netns;
	q->stop_fd = r->stop_fd;
	q->until = explore_deadline(r);
	err = perform(r->http->lib, r->http->curl, q, url, headers, &why);
	if (err == 1)
		return 0;
	explore_answer_done(&q->answer);
	if (err == -ETIMEDOUT)
		return explore_late(r, err, "no answer");
	return err < 0 ? err : explore_fail(r, "%s: %s", url, why);
}

int explore_get(struct explore_run *r, const char *url, struct explore_answer *ret)
{
	struct request q = { 0 };
	int err = ready(r);

	if (err == 0)
		err = ask(r, &q, url, NULL);
	if (err == 0)
		*ret = q.answer;
	return err;
}

static struct curl_slist *headers_of(const struct curl_lib *lib, const struct explore_step *s)
{
	/* Ours alone: not what libcurl adds to an upload. */
	struct curl_slist *list = lib->slist_append(NULL, "Expect:"), *more;

	for (size_t i = 2; i < s->word_cnt && list; i++) {
		more = lib->slist_append(list, s->word[i]);
		if (!more)
			lib->slist_free_all(list);
		list = more;
	}
	return list;
}

int explore_http(struct explore_run *r, const struct explore_step *s)
{
	struct request q = { .method = s->word[0], .body = &s->text, .times = s->times };
	_free_ char *url = text_format("%s://127.0.0.1:%u%s", r->tls ? "https" : "http", r->port,
				       s->word[1][0] == '/' ? s->word[1] : "/");
	_free_ char *what = text_format("%s %.60s", s->word[0], s->word[1]);
	struct curl_slist *headers;
	int err;

	if (!url || !what)
		return -ENOMEM;
	if (!r->port)
		return explore_fail(r, "it listens on no port");
	err = ready(r);
	if (err != 0)
		return err;
	headers = headers_of(r->http->lib, s);
	if (!headers)
		return -ENOMEM;
	err = ask(r, &q, url, headers);
	r->http->lib->slist_free_all(headers);
	if (err == 0)
		err = explore_status(r, s, q.answer.status, 100, what);
	explore_answer_done(&q.answer);
	return err;
}

bool explore_https_answers(int netns, uint16_t port, int stop_fd)
{
	const struct curl_lib *lib = explore_curl();
	struct request q = { .netns = netns, .stop_fd = stop_fd, .until = explore_now_ms() + 3000 };
	_free_ char *url = text_format("https://127.0.0.1:%u/", port);
	CURL *curl = lib ? lib->easy_init() : NULL;
	const char *why;
	bool answers;

	if (!curl)
		return false;
	answers = url && perform(lib, curl, &q, url, NULL, &why) == 1 && q.answer.status >= 100;
	explore_answer_done(&q.answer);
	lib->easy_cleanup(curl);
	return answers;
}
