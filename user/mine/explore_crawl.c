/* SPDX-License-Identifier: Apache-2.0 */
/* Following a service's own links, breadth first. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "mine/explore_curl.h"
#include "mine/explore_internal.h"

/* Names known and not visited; a page may name any number. */
#define QUEUE_MAX 4096

struct page {
	char *url;
	unsigned depth;
};

struct crawl {
	struct explore_run *r;
	const struct explore_step *s;
	const struct curl_lib *lib;
	struct page page[QUEUE_MAX]; /* those before `next` are done */
	size_t cnt, next;
	unsigned broken; /* pages that the service failed to give */
	char *first;	 /* of these */
};

static void crawl_free(struct crawl *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->cnt; i++)
		free(c->page[i].url);
	free(c->first);
	free(c);
}
CLEANUP_DEFINE(struct crawl *, crawl_free);

static bool is_part(const struct curl_lib *lib, CURLU *u, CURLUPart part, const char *want)
{
	char *have = NULL;
	bool same = lib->url_get(u, part, &have, CURLU_DEFAULT_PORT) == CURLUE_OK && have &&
		    !strcmp(have, want);

	if (have)
		lib->free(have);
	return same;
}

/* Scheme, host and port are those of the service; it may call itself localhost. */
static bool is_own(const struct crawl *c, CURLU *u)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", c->r->port);
	return is_part(c->lib, u, CURLUPART_SCHEME, c->r->tls ? "https" : "http") &&
	       is_part(c->lib, u, CURLUPART_PORT, port) &&
	       (is_part(c->lib, u, CURLUPART_HOST, "127.0.0.1") ||
		is_part(c->lib, u, CURLUPART_HOST, "localhost"));
}

/* The absolute form of a link on the page `base`; NULL: it leads elsewhere, or is none. */
static char *join(const struct crawl *c, const char *base, const char *link)
{
	CURLU *u = c->lib->url();
	char *whole = NULL, *ret = NULL;

	if (!u)
		return NULL;
	if (c->lib->url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    c->lib->url_set(u, CURLUPART_URL, link, CURLU_URLENCODE) == CURLUE_OK && is_own(c, u) &&
	    c->lib->url_set(u, CURLUPART_HOST, "127.0.0.1", 0) == CURLUE_OK &&
	    c->lib->url_set(u, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	    c->lib->url_set(u, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    c->lib->url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    c->lib->url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK)
		ret = strdup(whole);
	if (whole)
		c->lib->free(whole);
	c->lib->url_cleanup(u);
	return ret;
}

static int add(struct crawl *c, char *url, unsigned depth)
{
	for (size_t i = 0; i < c->cnt; i++) {
		if (strcmp(c->page[i].url, url) != 0)
			continue;
		free(url);
		return 0;
	}
	if (c->cnt == QUEUE_MAX || c->cnt >= 8 * (size_t)c->s->limit) {
		free(url);
		return 0;
	}
	c->page[c->cnt++] = (struct page){ url, depth };
	return 0;
}

static void add_link(struct crawl *c, const char *base, const char *link, unsigned depth)
{
	char *url = join(c, base, link);

	if (url)
		add(c, url, depth);
}

/* "&amp;" is the one reference that ordinary links hold. */
static void plain(char *link)
{
	char *amp = link;

	while ((amp = strstr(amp, "&amp;"))) {
		amp++;
		memmove(amp, amp + 4, strlen(amp + 4) + 1);
	}
}

static void add_links(struct crawl *c, const struct explore_answer *a, unsigned depth)
{
	const char *p = a->body, *end = p + a->len;
	struct explore_word w;

	while (explore_link_next(&p, end, &w)) {
		_free_ char *link = strndup(w.p, w.len);

		if (!link)
			return;
		plain(link);
		add_link(c, a->url, link, depth);
	}
}

/* 5xx is the service's own word for "I failed". */
static void judge(struct crawl *c, const char *url, int status)
{
	if (status < 500)
		return;
	c->broken++;
	if (!c->first)
		c->first = text_format("%.200s answered %d", url, status);
}

static int visit(struct crawl *c, const struct page *p)
{
	struct explore_answer a = { 0 };
	int err = explore_get(c->r, p->url, &a);

	if (err != 0)
		return err;
	judge(c, p->url, a.status);
	if (p->depth < c->s->number && a.location)
		add_link(c, p->url, a.location, p->depth + 1);
	if (p->depth < c->s->number && a.html && a.body && a.url)
		add_links(c, &a, p->depth + 1);
	explore_answer_done(&a);
	return 0;
}

int explore_crawl(struct explore_run *r, const struct explore_step *s)
{
	_cleanup_(crawl_free) struct crawl *c = calloc(1, sizeof(*c));
	char *url =
		text_format("%s://127.0.0.1:%u%s", r->tls ? "https" : "http", r->port, s->word[0]);
	int err = 0;

	if (!c || !url) {
		free(url);
		return -ENOMEM;
	}
	*c = (struct crawl){ .r = r, .s = s, .lib = explore_curl() };
	c->page[c->cnt++] = (struct page){ url, 0 };
	if (!r->port)
		return explore_fail(r, "it listens on no port");
	if (!c->lib)
		return explore_fail(r, "libcurl isn't installed here (libcurl.so.4)");
	for (; c->next < c->cnt && c->next < s->limit && err == 0; c->next++) {
		struct page page = c->page[c->next];

		err = visit(c, &page);
	}
	return err != 0 ? err : explore_at_most(r, s, c->broken, c->first);
}
