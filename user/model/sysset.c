/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sysset.h"

#include <string.h>

void sysset_merge(struct sysset *into, const struct sysset *from)
{
	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		into->bits[i] |= from->bits[i];
}

void sysset_remove(struct sysset *from, const struct sysset *what)
{
	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		from->bits[i] &= ~what->bits[i];
}

unsigned sysset_count(const struct sysset *s)
{
	unsigned cnt = 0;

	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		cnt += (unsigned)__builtin_popcountll(s->bits[i]);
	return cnt;
}

bool sysset_is_empty(const struct sysset *s)
{
	for (unsigned i = 0; i < TAMIS_SEEN_WORDS; i++)
		if (s->bits[i])
			return false;
	return true;
}

bool sysset_equal(const struct sysset *a, const struct sysset *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

int sysset_next(const struct sysset *s, unsigned from)
{
	for (unsigned i = from / 64; i < TAMIS_SEEN_WORDS; i++) {
		uint64_t word = s->bits[i];

		if (i == from / 64)
			word &= ~UINT64_C(0) << (from % 64);
		if (word)
			return (int)(i * 64 + (unsigned)__builtin_ctzll(word));
	}
	return -1;
}
