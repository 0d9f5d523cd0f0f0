/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: allocations that fail.
 *
 * FAILALLOC="PROGRAM FIRST COUNT MARK": in processes whose name is PROGRAM (at most 15 characters) the
 * FIRSTth allocation (malloc, calloc, realloc, aligned ones, and whoever calls them: strdup, getline,
 * asprintf, ...) and the COUNT - 1 after it fail with ENOMEM. MARK is a file that exists once one did.
 * Forked children count on for themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static unsigned long first, number, allocations;
static char mark[256];

__attribute__((constructor)) static void begin(void)
{
	const char *how = getenv("FAILALLOC");
	unsigned long from, n;
	char name[64];

	if (!how || sscanf(how, "%63s %lu %lu %255s", name, &from, &n, mark) != 4)
		return;
	if (strncmp(name, program_invocation_short_name, 15))
		return;
	number = n;
	__atomic_store_n(&allocations, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&first, from, __ATOMIC_RELEASE);
}

static bool fails(void)
{
	unsigned long from = __atomic_load_n(&first, __ATOMIC_ACQUIRE), n;
	int fd;

	if (!from)
		return false;
	n = __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
	if (n < from || n - from >= number)
		return false;
	fd = n == from ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd >= 0)
		close(fd);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

void *memalign(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	void *p = memalign(align, size);

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}
