/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of the filters that ask. */
#include <errno.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "keeper/fdstore.h"
#include "keeper/keeper_internal.h"

#define KEPT_AS "notify"

int filters_add(struct keeper *k, int fd, uint64_t number)
{
	_close_ int own = fd;
	_free_ struct kept *f = calloc(1, sizeof(*f));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = f };

	if (!f)
		return -ENOMEM;
	if (k->filter_cnt >= k->filter_max)
		return -EMFILE;
	f->source = (struct source){ SOURCE_FILTER, fd };
	f->number = number ? number : k->next_number++;
	if (!number)
		fdstore_put(KEPT_AS, f->number, fd, true);
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		int r = -errno;

		fdstore_drop(KEPT_AS, f->number);
		return r;
	}
	f->next = k->filters;
	f->at = &k->filters;
	if (f->next)
		f->next->at = &f->next;
	k->filters = TAKE_PTR(f);
	k->filter_cnt++;
	(void)TAKE_FD(own);
	log_debug("filter %llu is kept", (unsigned long long)k->filters->number);
	return 0;
}

static void forget(struct keeper *k, struct kept *f)
{
	*f->at = f->next;
	if (f->next)
		f->next->at = f->at;
	k->filter_cnt--;
	/* The service manager has it too, so that closing it isn't enough. */
	(void)epoll_ctl(k->epoll, EPOLL_CTL_DEL, f->source.fd, NULL);
	close(f->source.fd);
	free(f);
}

void filters_drop(struct keeper *k, struct kept *f)
{
	log_debug("filter %llu is nobody's any more", (unsigned long long)f->number);
	fdstore_drop(KEPT_AS, f->number);
	forget(k, f);
}

void filters_close(struct keeper *k)
{
	while (k->filters)
		forget(k, k->filters);
}

struct kept *filters_find(const struct keeper *k, uint64_t number)
{
	struct kept *f = k->filters;

	while (f && f->number != number)
		f = f->next;
	return f;
}

bool filters_has(const struct keeper *k, int fd)
{
	long self = getpid();

	for (const struct kept *f = k->filters; f; f = f->next)
		if (syscall(SYS_kcmp, self, self, KCMP_FILE, (long)f->source.fd, (long)fd) == 0)
			return true;
	return false;
}
