/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/herald.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

/* Beyond this the ring waits, and counts what it then has no room for. */
#define NOTICES_MAX 65536

struct herald {
	struct herald_options o;
	pthread_t thread;
	int stop;	      /* eventfd */
	pthread_mutex_t lock; /* the queue */
	pthread_cond_t room;
	struct notice *first, **last;
	size_t cnt;
	bool stopping;
};

void notice_free(struct notice *n)
{
	free(n->path);
	identity_done(&n->identity);
	free(n);
}

void notices_free(struct notice *n)
{
	while (n) {
		struct notice *next = n->next;

		notice_free(n);
		n = next;
	}
}

static void push(struct herald *h, struct notice *n)
{
	pthread_mutex_lock(&h->lock);
	while (h->cnt >= NOTICES_MAX && !h->stopping)
		pthread_cond_wait(&h->room, &h->lock);
	*h->last = n;
	h->last = &n->next;
	h->cnt++;
	pthread_mutex_unlock(&h->lock);
}

/* The event's path, unless it was cut: then the tree is asked, later. */
static char *path_of(const struct tamis_event *e, const char *text)
{
	return e->text_len < TAMIS_TEXT_PATH - 1 ? strdup(text) : NULL;
}

static bool fill_made(struct herald *h, const struct tamis_event *e, const char *text,
		      struct notice *n)
{
	n->kind = NOTICE_MADE;
	n->path = path_of(e, text);
	if (!n->path && e->text_len < TAMIS_TEXT_PATH - 1)
		return false;
	n->identity_r = n->path ? identity_of_path(h->o.identity, n->path, &n->identity) : -ENODATA;
	return n->identity_r != -ENOMEM;
}

/* False: nothing to tell, or no memory to tell it with. */
static bool fill(struct herald *h, const struct tamis_event *e, const char *text, struct notice *n)
{
	switch (e->kind) {
	case TAMIS_EV_MKDIR:
		return fill_made(h, e, text, n);
	case TAMIS_EV_RMDIR:
		n->kind = NOTICE_GONE;
		n->path = path_of(e, text);
		return true;
	case TAMIS_EV_CALL:
		n->kind = NOTICE_CALL;
		return origin_read(e, text, &n->origin) == 0;
	case TAMIS_EV_EXIT:
		n->kind = NOTICE_ENDED;
		return ended_read(e, &n->ended) == 0;
	case TAMIS_EV_EXEC:
		n->kind = NOTICE_EXEC;
		return true;
	default:
		return false;
	}
}

/* Before all else: whose it is takes milliseconds, and what starts in it doesn't wait. */
static void tell_at_once(const struct herald *h, uint32_t kind)
{
	if (kind == TAMIS_EV_MKDIR && h->o.made)
		h->o.made(h->o.arg);
	if (kind == TAMIS_EV_EXEC && h->o.executed)
		h->o.executed(h->o.arg);
}

static struct notice *notice_of(struct herald *h, const struct tamis_event *e, const char *text)
{
	struct notice *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->cgroup = e->cgroup;
	if (fill(h, e, text, n))
		return n;
	notice_free(n);
	return NULL;
}

/* Out of memory once more, for an engine's files may be gone when the drain asks; then it is provenance
 * that is missing, and a path is asked of the tree. */
static void on_event(const struct tamis_event *e, const char *text, void *arg)
{
	struct herald *h = arg;
	struct notice *n;

	tell_at_once(h, e->kind);
	n = notice_of(h, e, text);
	if (!n)
		n = notice_of(h, e, text);
	if (n)
		push(h, n);
}

static void *run(void *arg)
{
	struct herald *h = arg;
	struct pollfd fds[] = {
		{ .fd = h->stop, .events = POLLIN },
		{ .fd = sensor_fd(h->o.sensor), .events = POLLIN },
	};

	/* Ahead of those who keep the machine busy: a bare runc container may be gone, its files too,
	 * some milliseconds after it was made. The thread alone; without CAP_SYS_NICE it stays. */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	/* quiet events ring no bell: a look every second keeps provenance fresh */
	while (poll(fds, 2, 1000) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			break;
		(void)sensor_events(h->o.sensor, on_event, h);
	}
	return NULL;
}

int herald_new(const struct herald_options *o, struct herald **ret)
{
	struct herald *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->o = *o;
	h->last = &h->first;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->room, NULL);
	h->stop = eventfd(0, EFD_CLOEXEC);
	r = h->stop < 0 ? errno : pthread_create(&h->thread, NULL, run, h);
	if (r) {
		if (h->stop >= 0)
			close(h->stop);
		free(h);
		return -r;
	}
	*ret = h;
	return 0;
}

struct notice *herald_take(struct herald *h)
{
	struct notice *all;

	pthread_mutex_lock(&h->lock);
	all = h->first;
	h->first = NULL;
	h->last = &h->first;
	h->cnt = 0;
	pthread_cond_signal(&h->room);
	pthread_mutex_unlock(&h->lock);
	return all;
}

void herald_free(struct herald *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_signal(&h->room);
	pthread_mutex_unlock(&h->lock);
	(void)eventfd_write(h->stop, 1);
	(void)pthread_join(h->thread, NULL);
	notices_free(h->first);
	close(h->stop);
	pthread_cond_destroy(&h->room);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
