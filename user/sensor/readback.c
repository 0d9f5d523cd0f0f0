/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/readback.h"

#include <errno.h>
#include <string.h>

bool readback_event(const void *data, size_t len, struct tamis_event *ret,
		    char text[TAMIS_TEXT_PATH + 1])
{
	const char *from = (const char *)data + sizeof(*ret);
	struct tamis_event e;
	size_t room, n;

	if (len < sizeof(e))
		return false;
	memcpy(&e, data, sizeof(e));
	if (e.kind == 0 || e.kind >= TAMIS_EV_MAX)
		return false;
	room = len - sizeof(e) < TAMIS_TEXT_PATH ? len - sizeof(e) : TAMIS_TEXT_PATH;
	n = strnlen(from, e.text_len < room ? e.text_len : room);
	memcpy(text, from, n);
	text[n] = '\0';
	e.text_len = n;
	e.comm[TAMIS_COMM - 1] = '\0';
	if (e.call > TAMIS_CALLS || e.abi >= TAMIS_ABI_MAX)
		e.call = TAMIS_CALLS;
	*ret = e;
	return true;
}

bool readback_key(const struct tamis_key *key)
{
	return key->abi < TAMIS_ABI_MAX && key->stage < TAMIS_STAGE_MAX;
}

/* The unit that a mark is of: the last one, up to `now`, that has it. `now` is even for the marks of
 * even units, odd for the others. */
static uint32_t unit_of_mark(uint16_t mark, uint32_t now)
{
	return now - (uint16_t)(TAMIS_LEGACY_MARK(now) - mark);
}

static uint64_t legacy_word(const uint16_t *marks, uint32_t now)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < 32; i++) {
		uint32_t unit = marks[i] ? unit_of_mark(marks[i], now) : 0;

		if (!marks[i] || unit < word >> 32)
			continue;
		if (unit > word >> 32)
			word = (uint64_t)unit << 32;
		word |= UINT64_C(1) << i;
	}
	return word;
}

void readback_legacy(const struct tamis_legacy_set *kept, uint32_t unit, struct tamis_set *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned half = 0; half < 2; half++) {
		uint32_t now = unit - ((unit ^ half) & 1);

		for (unsigned i = 0; i < TAMIS_UNIT_WORDS; i++)
			ret->unit[half][i] = legacy_word(&kept->unit[half][i * 32], now);
		for (unsigned nr = 0; nr < TAMIS_CALLS; nr++)
			if (kept->unit[half][nr])
				ret->seen[nr / 64] |= UINT64_C(1) << (nr % 64);
	}
}

int readback_path(const struct tamis_path *path, char **ret)
{
	char *copy;

	if (path->text[0] != '/')
		return -ENOENT;
	copy = strndup(path->text, sizeof(path->text));
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

uint64_t readback_number(uint64_t n)
{
	return n < READBACK_COUNT_MAX ? n : READBACK_COUNT_MAX;
}

struct tamis_loss readback_loss(const struct tamis_loss *loss)
{
	return (struct tamis_loss){
		.range = readback_number(loss->range),
		.full = readback_number(loss->full),
		.ring = readback_number(loss->ring),
		.task = readback_number(loss->task),
		.rest = readback_number(loss->rest),
	};
}

bool readback_denied(const struct tamis_denied_key *key, const struct tamis_denied *d,
		     struct tamis_denied *ret)
{
	if (key->abi >= TAMIS_ABI_MAX || key->nr >= TAMIS_CALLS || !d->count)
		return false;
	*ret = *d;
	ret->count = readback_number(d->count);
	ret->last_ms = readback_number(d->last_ms);
	/* read while it is being written: not there yet */
	ret->first_ms = d->first_ms && d->first_ms < ret->last_ms ? d->first_ms : ret->last_ms;
	ret->comm[sizeof(ret->comm) - 1] = '\0';
	return true;
}

bool readback_leave(const struct tamis_leave *leave, struct tamis_leave *ret)
{
	if (!leave->count)
		return false;
	*ret = *leave;
	ret->count = readback_number(leave->count);
	ret->comm[sizeof(ret->comm) - 1] = '\0';
	return true;
}
