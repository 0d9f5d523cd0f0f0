/* SPDX-License-Identifier: Apache-2.0 */
/* What an exploration is made of, and what its steps share while it runs. For explore*.c alone. */
#pragma once

#include <netinet/in.h>

#include "mine/explore.h"

#define EXPLORE_FILE_MAX    (64u << 10)
#define EXPLORE_LINE_MAX    4096
#define EXPLORE_STEPS_MAX   4096
#define EXPLORE_WORDS_MAX   64
#define EXPLORE_WANT_MAX    4
#define EXPLORE_BYTES_MAX   (64u << 20) /* of a single send, and of a single answer */
#define EXPLORE_FILES_MAX   256
#define EXPLORE_ITEMS_MAX   32
#define EXPLORE_PORTS_MAX   8 /* of one service, that one exploration goes to */
#define EXPLORE_CONNS_MAX   8
#define EXPLORE_CLIENTS_MAX 64

/* --- what is read (explore_word.c, explore_block.c, explore_parse.c, explore_step.c) --- */

/* A word as it stands in the line: without its quotes, its escapes still there. */
struct explore_word {
	const char *p;
	size_t len;
	bool quoted;
};
/* The next word of *line: 1, 0 at its end, -EINVAL for a quote that isn't closed. */
int explore_word_next(const char **line, struct explore_word *ret);
/* Its bytes, NUL-terminated beyond *ret_len. -EINVAL: an unknown escape. Caller frees. */
int explore_word_decode(const struct explore_word *w, char **ret, size_t *ret_len);
bool explore_word_is(const struct explore_word *w, const char *text);
/* A bare decimal number of at most `max`. */
int explore_word_number(const struct explore_word *w, uint64_t max, uint64_t *ret);
/* "500ms", "20s". At most an hour. */
int explore_word_ms(const struct explore_word *w, int64_t *ret);

enum explore_verb {
	EXPLORE_CONNECT,
	EXPLORE_ON,
	EXPLORE_SEND,
	EXPLORE_EXPECT,
	EXPLORE_CLOSE,
	EXPLORE_RESET,
	EXPLORE_SHUTDOWN,
	EXPLORE_SLOW,
	EXPLORE_HTTP,
	EXPLORE_CRAWL,
	EXPLORE_EXEC,
	EXPLORE_SIGNAL,
	EXPLORE_ROTATE,
	EXPLORE_PAUSE,
	EXPLORE_WITHIN,
	EXPLORE_WAIT_UP,
	EXPLORE_WAIT_END,
	EXPLORE_RESTART,
	EXPLORE_VERB_MAX,
};

enum explore_want { WANT_NOTHING, WANT_TEXT, WANT_ANY, WANT_CLOSED, WANT_STATUS };

struct explore_text {
	char *p; /* owned, NUL-terminated beyond len */
	size_t len;
};

struct explore_step {
	enum explore_verb verb;
	bool maybe;
	unsigned line;
	struct explore_text text; /* what is sent, or the body */
	uint32_t times;
	enum explore_want want;
	struct explore_text wanted[EXPLORE_WANT_MAX]; /* any of these */
	unsigned wanted_cnt;
	unsigned low, high; /* WANT_STATUS */
	char **word;	    /* exec: argv; http: method, path, headers; crawl: path; owned */
	size_t word_cnt;
	int64_t ms;
	unsigned number; /* family, connection, signal, clients, depth */
	unsigned limit;
	bool caught, ended; /* signal, restart: only if */
};
void explore_step_done(struct explore_step *s);

enum explore_item_kind {
	ITEM_ANY,
	ITEM_HTTP,
	ITEM_HTTPS,
	ITEM_TCP,
	ITEM_PORT,
	ITEM_PROGRAM,
	ITEM_IMAGE
};
struct explore_item {
	enum explore_item_kind kind;
	uint16_t low, high;
	char *pattern;
	bool not_for;
};

/* What was found out about the service in this process: the one part of an exploration that running it
 * changes. */
struct explore_seen {
	uint16_t port[EXPLORE_PORTS_MAX];
	bool tls[EXPLORE_PORTS_MAX];
	unsigned ports;
	int *first; /* for each port and step the status it answered first; -1: none yet */
};

struct exploration {
	char *name;
	char *file; /* as messages call it */
	bool last, container;
	struct explore_item item[EXPLORE_ITEMS_MAX];
	unsigned items;
	struct explore_step *step;
	size_t steps;
	struct explore_seen *seen;
};
void exploration_free(struct exploration *e);
CLEANUP_DEFINE(struct exploration *, exploration_free);

/* *ret_why: "FILE:LINE: what is wrong"; caller frees. */
int exploration_parse(const char *name, const char *file, const char *text, size_t len,
		      struct exploration **ret, char **ret_why);
/* Where a reader is, for messages. */
struct explore_at {
	const char *file;
	unsigned line;
	char **ret_why;
};
/* -EINVAL, with its sentence. */
int explore_bad(const struct explore_at *at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int explore_step_parse(const char *line, const struct explore_at *at, struct explore_step *ret);
/* Calls `fn` with each line that isn't a comment, with `each` and `repeat` written out. */
int explore_lines(const char *text, const struct explore_at *at,
		  int (*fn)(void *arg, const char *line, const struct explore_at *at), void *arg);
/* Whether it talks to ports, by any step; by steps other than http and crawl. */
bool exploration_has_port(const struct exploration *e);
bool exploration_speaks(const struct exploration *e);

/* --- what is embedded (explore_data.c) --- */
struct explore_file {
	const char *name, *text, *end;
};
extern const struct explore_file explore_files[];
extern const size_t explore_files_cnt;

/* --- for whom (explore_match.c, explore_procs.c, explore_probe.c) --- */
#define EXPLORE_PROCS_MAX 512
struct explore_procs {
	int64_t pid[EXPLORE_PROCS_MAX];
	size_t cnt;
};
/* A process and all below it. */
void explore_procs(int64_t pid, struct explore_procs *ret);
/* The pattern matches the entrypoint's name, or the name or file of one of its processes. */
bool explore_runs(const struct target_facts *facts, const char *pattern);
enum explore_speaks { SPEAKS_OTHER, SPEAKS_HTTP, SPEAKS_HTTPS };
enum explore_speaks explore_probe(int netns, uint16_t port, int stop_fd);

/* --- while it runs --- */
struct explore_conn {
	int fd; /* -1: none */
	char *in;
	size_t len, room;
	bool ended;
};

struct explore_run {
	const struct exploration *e;
	struct target *t;
	struct target_facts facts;
	int netns;
	unsigned slot; /* which of e->seen->port */
	uint16_t port; /* 0: none */
	bool tls;
	int64_t until;		  /* CLOCK_MONOTONIC */
	int64_t step_ms, life_ms; /* of a step; of a wait for its start or end */
	int stop_fd;
	struct explore_conn conn[EXPLORE_CONNS_MAX];
	unsigned on;
	struct explore_http *http;
	char *why;
	bool restarts;
};

/* The service did otherwise than expected: `why` says what. Negative errno: -EINTR (a stop was asked),
 * -ETIME (the exploration's time is over), else a failure of ours or of its machine. */
#define EXPLORE_FAILED 1
int explore_fail(struct explore_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t explore_now_ms(void);
/* When a step that begins now must be over. */
int64_t explore_deadline(const struct explore_run *r);
/* What a wait that ended for `err` comes to: -EINTR and -ETIME as they are, where it was the
 * exploration's own time; else it failed. */
int explore_late(struct explore_run *r, int err, const char *what);
/* Holds a status against the step's wish, or where it has none against what it was the first time. */
int explore_status(struct explore_run *r, const struct explore_step *s, int status, int class,
		   const char *what);
/* The same of a number of failures: no more than the first time. */
int explore_at_most(struct explore_run *r, const struct explore_step *s, unsigned cnt,
		    const char *what);
/* Its processes and ports, anew. */
int explore_look(struct explore_run *r);

/* explore_net.c: sockets in another network namespace. */
int explore_socket(int netns, int family, int type);
/* Waits for events; 0, -ETIMEDOUT, -EINTR. */
int explore_poll(int fd, short events, int64_t until, int stop_fd);
/* `family` 0: loopback of IPv4, else of IPv6. A socket that doesn't block. */
int explore_connect(int netns, int family, uint16_t port, int64_t until, int stop_fd);
/* 0, or what explore_poll says, or the error of the connection. */
int explore_write(int fd, const char *p, size_t len, int64_t until, int stop_fd);

/* explore_talk.c */
int explore_talk(struct explore_run *r, const struct explore_step *s);
void explore_hang_up(struct explore_run *r);

/* explore_http.c: through libcurl, which is loaded when it is needed first. */
struct explore_answer {
	int status;
	char *body; /* NUL-terminated; as much as is kept */
	size_t len;
	char *url, *location; /* NULL: none */
	bool html;
};
void explore_answer_done(struct explore_answer *a);
int explore_get(struct explore_run *r, const char *url, struct explore_answer *ret);
int explore_http(struct explore_run *r, const struct explore_step *s);
void explore_http_free(struct explore_http *h);
/* Whether a TLS handshake and an answer come of it. */
bool explore_https_answers(int netns, uint16_t port, int stop_fd);
/* explore_crawl.c */
int explore_crawl(struct explore_run *r, const struct explore_step *s);
/* explore_links.c, pure: the next value of an attribute that names a page; false: no more. */
bool explore_link_next(const char **html, const char *end, struct explore_word *ret);

/* explore_serve.c: what is done to the service and its processes. */
int explore_serve(struct explore_run *r, const struct explore_step *s);
/* explore_rotate.c */
int explore_rotate(struct explore_run *r);
