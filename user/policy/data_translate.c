/* SPDX-License-Identifier: Apache-2.0 */
/* policies/widen/translate: the syntax is in the file. */
#include <errno.h>

#include "model/calls.h"
#include "model/widen.h"
#include "policy/data.h"
#include "policy/data_text.h"

/* Where a line speaks of NAME, and where of what is used instead. */
static const struct pair {
	enum tamis_abi of, instead;
	bool back; /* also the other way round */
} pairs[] = {
	{ TAMIS_ABI_X86_64, TAMIS_ABI_AARCH64, true },
	{ TAMIS_ABI_X32, TAMIS_ABI_AARCH64, false },
	{ TAMIS_ABI_I386, TAMIS_ABI_ARM, true },
	/* Calls that arm has and i386 lacks. */
	{ TAMIS_ABI_ARM, TAMIS_ABI_I386, true },
};

struct rows {
	struct translation *row;
	size_t cnt, room;
};

static int push(struct rows *rows, enum tamis_abi from, int nr, enum tamis_abi to, int nr_to)
{
	if (rows->cnt == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 256;
		struct translation *grown = reallocarray(rows->row, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		rows->row = grown;
		rows->room = room;
	}
	rows->row[rows->cnt++] = (struct translation){ from, to, (uint32_t)nr, (uint32_t)nr_to };
	return 0;
}

/* 1: the line says something about the pair. */
static int add_pair(struct rows *rows, const struct pair *p, const char *name, const char *instead)
{
	int nr = calls_number(p->of, name), other = calls_number(p->instead, instead);
	int r;

	if (nr < 0 || other < 0 || calls_number(p->instead, name) >= 0)
		return 0;
	r = push(rows, p->of, nr, p->instead, other);
	if (r == 0 && p->back)
		r = push(rows, p->instead, other, p->of, nr);
	return r < 0 ? r : 1;
}

static int add_word(struct rows *rows, const char *name, const char *instead)
{
	bool said = false;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		int r = add_pair(rows, &pairs[i], name, instead);

		if (r < 0)
			return r;
		said |= r > 0;
	}
	return said ? 0 : -EINVAL;
}

static int add_line(struct rows *rows, struct data_text *line)
{
	char name[DATA_WORD], instead[DATA_WORD];
	unsigned cnt = 0;
	int r = data_word(line, name);

	while (r > 0 && (r = data_word(line, instead)) > 0) {
		int e = add_word(rows, name, instead);

		if (e < 0)
			return e;
		cnt++;
	}
	return r < 0 || cnt == 0 ? -EINVAL : 0;
}

int data_translate(struct translation **ret, size_t *ret_cnt)
{
	struct data_text text = data_text_translate(), line;
	struct rows rows = { 0 };
	int r = 0;

	while (r == 0 && data_line(&text, &line))
		r = add_line(&rows, &line);
	if (r < 0) {
		free(rows.row);
		return r;
	}
	*ret = rows.row;
	*ret_cnt = rows.cnt;
	return 0;
}
