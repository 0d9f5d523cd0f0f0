/* SPDX-License-Identifier: Apache-2.0 */
/* Making filters in tests of formats. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emit/emit.h"
#include "model/calls.h"

#define X86_64	(1u << TAMIS_ABI_X86_64)
#define I386	(1u << TAMIS_ABI_I386)
#define X32	(1u << TAMIS_ABI_X32)
#define AARCH64 (1u << TAMIS_ABI_AARCH64)
#define ARM	(1u << TAMIS_ABI_ARM)

static inline struct filter *filter_make(uint32_t abis)
{
	struct filter *f = NULL;

	assert_int_equal(filter_new(&f), 0);
	f->default_action = FILTER_ERRNO;
	f->default_errno = 38;
	f->abis = abis;
	return f;
}

static inline void add_cond(struct filter *f, enum tamis_abi abi, uint32_t nr,
			    enum filter_action action, uint32_t err, unsigned cnt,
			    const struct filter_cond *cond)
{
	struct filter_rule r = { .abi = abi, .nr = nr, .action = action, .errno_ret = err };

	r.cond_cnt = cnt;
	for (unsigned i = 0; i < cnt; i++)
		r.cond[i] = cond[i];
	assert_int_equal(filter_add(f, &r), 0);
}

static inline void add(struct filter *f, enum tamis_abi abi, uint32_t nr, enum filter_action action,
		       uint32_t err)
{
	add_cond(f, abi, nr, action, err, 0, NULL);
}

/* Allows names of one ABI, "read write". */
static inline void allow(struct filter *f, enum tamis_abi abi, const char *names)
{
	_free_ char *copy = strdup(names);
	char *save = NULL;

	for (char *n = strtok_r(copy, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
		assert_true(calls_number(abi, n) >= 0);
		add(f, abi, calls_number(abi, n), FILTER_ALLOW, 0);
	}
}

static inline char *emitted(const char *format, const struct policy *p,
			    const struct emit_options *o, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(emit_find(format)->write(p, o, f), 0);
	assert_int_equal(fclose(f), 0);
	if (ret_len)
		*ret_len = len;
	return text;
}

static inline void keep_line(void *ctx, const char *line)
{
	FILE *f = ctx;

	fprintf(f, "%s\n", line);
}

/* All limits that apply, one per line. */
static inline char *limits_of(const char *format, const struct policy *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(emit_limits(emit_find(format), p, keep_line, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static inline uint64_t next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005ULL + 1442695040888963407ULL;
	return *s >> 33;
}
