/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: allocations that fail.
 *
 * FAILALLOC="PROGRAM FIRST COUNT MARK": in processes whose name is PROGRAM (at most 15 characters) the
 * FIRSTth allocation (malloc, calloc, realloc, aligned ones, and whoever calls them: strdup, getline,
 * asprintf, ...) and the COUNT - 1 after it fail with ENOMEM. MARK is a file that exists once one did.
 * Forked children count on for themselves.
 *
 * FAILALLOC_LIVE=FILE: of the processes named so these numbers are in FILE, three of 64 bits that
 * whoever watches may change: how many allocations there were, FIRST, COUNT. FIRST 0: none fails.
 *
 * With AddressSanitizer its own allocator is below (ASAN_OPTIONS=verify_asan_link_order=0).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
__attribute__((weak)) void *__interceptor_malloc(size_t size);
__attribute__((weak)) void *__interceptor_calloc(size_t count, size_t size);
__attribute__((weak)) void *__interceptor_realloc(void *p, size_t size);
__attribute__((weak)) void *__interceptor_memalign(size_t align, size_t size);

struct numbers {
	uint64_t allocations, first, number;
};

static struct numbers own;
static struct numbers *numbers = &own;
static char mark[256];

/* The numbers are the file's from here on. */
static void share(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED
			 : mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		__atomic_store_n(&numbers, p, __ATOMIC_RELEASE);
	if (fd >= 0)
		close(fd);
}

__attribute__((constructor)) static void begin(void)
{
	const char *how = getenv("FAILALLOC"), *live = getenv("FAILALLOC_LIVE");
	unsigned long from, n;
	char name[64];

	if (!how || sscanf(how, "%63s %lu %lu %255s", name, &from, &n, mark) != 4)
		return;
	if (strncmp(name, program_invocation_short_name, 15))
		return;
	if (live) {
		share(live);
		return;
	}
	own = (struct numbers){ .number = n };
	__atomic_store_n(&own.first, from, __ATOMIC_RELEASE);
}

static bool fails(void)
{
	struct numbers *now = __atomic_load_n(&numbers, __ATOMIC_ACQUIRE);
	uint64_t from = __atomic_load_n(&now->first, __ATOMIC_ACQUIRE), n;
	int fd;

	if (!from && now == &own)
		return false;
	n = __atomic_add_fetch(&now->allocations, 1, __ATOMIC_RELAXED);
	if (!from || n < from || n - from >= now->number)
		return false;
	fd = n == from ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd >= 0)
		close(fd);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(count, size)
				    : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, size) : __libc_realloc(p, size);
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
	if (fails())
		return NULL;
	return __interceptor_memalign ? __interceptor_memalign(align, size)
				      : __libc_memalign(align, size);
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
