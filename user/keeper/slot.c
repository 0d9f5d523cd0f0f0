/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "apply/note.h"
#include "base/cleanup.h"

#define SLOT_NAME "slot"
/* A page, for a kernel whose notifications are longer. */
#define SLOT_LEN  4096

/* Root's own file, and of that length: a mapping past its end would be the end of the keeper. */
static int open_file(const char *run)
{
	_close_ int dir = note_open_dir(AT_FDCWD, run, false), fd = -1;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, SLOT_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_mode & 077)
		return -EPERM;
	if (st.st_size != SLOT_LEN && (ftruncate(fd, 0) < 0 || ftruncate(fd, SLOT_LEN) < 0))
		return -errno;
	/* Room for it now: a full disk would be a SIGBUS later. */
	if (posix_fallocate(fd, 0, SLOT_LEN) != 0)
		return -ENOSPC;
	return TAKE_FD(fd);
}

int slot_open(const char *run, struct slot **ret)
{
	_close_ int fd = open_file(run);
	struct slot *s;

	if (fd < 0)
		return fd;
	s = mmap(NULL, SLOT_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return -errno;
	if (s->magic != SLOT_MAGIC || s->busy > 1) {
		memset(s, 0, SLOT_LEN);
		s->magic = SLOT_MAGIC;
	}
	*ret = s;
	return 0;
}

void slot_close(struct slot *s)
{
	if (s)
		(void)munmap(s, SLOT_LEN);
}

/* Whoever is killed stops between two instructions, so their order is all that counts. */
#define IN_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

void slot_take(struct slot *s, uint64_t filter)
{
	memset(&s->notif, 0, SLOT_LEN - offsetof(struct slot, notif));
	IN_ORDER();
	s->filter = filter;
	IN_ORDER();
	s->busy = 1;
	IN_ORDER();
}

void slot_release(struct slot *s)
{
	IN_ORDER();
	s->busy = 0;
	IN_ORDER();
}
