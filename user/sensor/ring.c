/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

/* Pages of the map as mmap(2) counts them: where the reader is, where the kernel is, then all data
 * twice, so that a record which goes over the end is in one piece. */
enum { PAGE_READER, PAGE_KERNEL, PAGE_DATA };

#define WINDOW (128 * 1024)

struct ring {
	int map, epoll;
	size_t page, size;
	unsigned long *reader;	     /* position, only growing */
	const unsigned long *kernel; /* likewise */
	char *window;
	size_t room;  /* bytes that the window shows, */
	size_t shown; /* from here in the data on, */
	bool is_set;  /* if any */
};

static void *map_page(const struct ring *r, int which, int prot)
{
	void *at = mmap(NULL, r->page, prot, MAP_SHARED, r->map, (off_t)(which * r->page));

	return at == MAP_FAILED ? NULL : at;
}

static int open_epoll(struct ring *r)
{
	struct epoll_event e = { .events = EPOLLIN };

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->map, &e) < 0)
		return -errno;
	return 0;
}

int ring_new(int map_fd, uint32_t size, struct ring **ret)
{
	_cleanup_(ring_free) struct ring *r = calloc(1, sizeof(*r));
	void *window;
	int err;

	if (!r)
		return -ENOMEM;
	r->map = map_fd;
	r->epoll = -1;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->size = size;
	/* a record may begin at the end of the first page that is shown */
	r->room = (size < WINDOW ? size : WINDOW) + r->page;
	r->reader = map_page(r, PAGE_READER, PROT_READ | PROT_WRITE);
	r->kernel = r->reader ? map_page(r, PAGE_KERNEL, PROT_READ) : NULL;
	if (!r->kernel)
		return -errno;
	window = mmap(NULL, r->room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (window == MAP_FAILED)
		return -errno;
	r->window = window;
	err = open_epoll(r);
	if (err < 0)
		return err;
	*ret = TAKE_PTR(r);
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	if (r->window)
		munmap(r->window, r->room);
	if (r->kernel)
		munmap((void *)r->kernel, r->page);
	if (r->reader)
		munmap(r->reader, r->page);
	if (r->epoll >= 0)
		close(r->epoll);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->epoll;
}

/* The data from a position on, at least a record's. */
static int look_at(struct ring *r, unsigned long pos, const char **ret)
{
	size_t off = pos & (r->size - 1), from = off - off % r->page;

	if (!r->is_set || off < r->shown || off + RING_RECORD_MAX > r->shown + r->room) {
		off_t at = (off_t)(PAGE_DATA * r->page + from);

		r->is_set = false;
		if (mmap(r->window, r->room, PROT_READ, MAP_SHARED | MAP_FIXED, r->map, at) ==
		    MAP_FAILED)
			return -errno;
		r->is_set = true;
		r->shown = from;
	}
	*ret = r->window + (off - r->shown);
	return 0;
}

/* 1: one was taken; 0: it isn't written yet. */
static int read_one(struct ring *r, unsigned long *pos, ring_fn fn, void *arg)
{
	const char *head = NULL;
	size_t shown = RING_RECORD_MAX - BPF_RINGBUF_HDR_SZ;
	uint32_t len;
	int err = look_at(r, *pos, &head);

	if (err < 0)
		return err;
	len = __atomic_load_n((const uint32_t *)head, __ATOMIC_ACQUIRE);
	if (len & BPF_RINGBUF_BUSY_BIT)
		return 0;
	if (!(len & BPF_RINGBUF_DISCARD_BIT))
		fn(head + BPF_RINGBUF_HDR_SZ, len < shown ? len : shown, arg);
	len &= ~BPF_RINGBUF_DISCARD_BIT;
	*pos += (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
	__atomic_store_n(r->reader, *pos, __ATOMIC_RELEASE);
	return 1;
}

int ring_read(struct ring *r, ring_fn fn, void *arg)
{
	unsigned long pos = __atomic_load_n(r->reader, __ATOMIC_ACQUIRE);
	int err = 1;

	while (err > 0 && pos < __atomic_load_n(r->kernel, __ATOMIC_ACQUIRE))
		err = read_one(r, &pos, fn, arg);
	return err < 0 ? err : 0;
}
