/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the estimators say of a matrix in a file.
 * usage: unseen FILE             the estimate as JSON
 *        unseen --holdout N FILE N times half of the units, and as many as an estimate needs, drawn at
 *                                random (always the same draws): how often what the others bring is
 *                                within what was predicted, and how often all calls of the file are
 *                                within the estimate; exit 1: either in less than 90 %, or nothing
 *                                could be said
 * FILE has a line "UNIT<TAB>CALL CALL ..." for each unit, of x86_64 or "ABI:CALL".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/calls.h"
#include "model/unseen.h"

#define HOLDS_MIN 0.9

/* --- reading ----------------------------------------------------------------------------- */

static int add_call(struct matrix_unit *u, char *text)
{
	enum tamis_abi abi = TAMIS_ABI_X86_64;
	char *name = strchr(text, ':');
	int nr;

	if (name) {
		*name++ = '\0';
		if (abi_from_name(text, &abi) < 0)
			return -ENOENT;
	}
	nr = calls_parse(abi, name ?: text);
	if (nr < 0)
		return nr;
	sysset_add(&u->set[abi], (unsigned)nr);
	return 0;
}

static int add_line(struct matrix *m, char *line)
{
	char *calls = strchr(line, '\t'), *save = NULL;
	struct matrix_unit *u;
	int r;

	if (!calls)
		return -EINVAL;
	*calls++ = '\0';
	r = matrix_add(m, line, 0, &u);
	for (char *c = strtok_r(calls, " \n", &save); r == 0 && c; c = strtok_r(NULL, " \n", &save))
		r = add_call(u, c);
	return r;
}

static int read_matrix(const char *path, struct matrix *ret)
{
	_fclose_ FILE *f = fopen(path, "re");
	_free_ char *line = NULL;
	size_t room = 0;

	if (!f) {
		fprintf(stderr, "unseen: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	for (unsigned at = 1; getline(&line, &room, f) > 0; at++) {
		int r = *line == '#' || *line == '\n' ? 0 : add_line(ret, line);

		if (r < 0) {
			fprintf(stderr, "unseen: %s:%u: %s\n", path, at, strerror(-r));
			return r;
		}
	}
	return 0;
}

/* --- the estimate ------------------------------------------------------------------------ */

static void print_rarefied(const struct incidence *in)
{
	printf("\"rarefaction\": [");
	for (uint32_t k = 1; k <= in->units; k++)
		printf("%s%.2f", k > 1 ? ", " : "", unseen_rarefy(in, k));
	printf("]");
}

static int print_estimate(const struct matrix *m)
{
	_incidence_ struct incidence in = { 0 };
	struct unseen_next next;
	struct unseen u;
	int r = incidence_of(m, &in);

	if (r < 0)
		return r;
	unseen_estimate(&in, &u);
	unseen_next(&in, in.units, &next);
	printf("{\"known\": %s, \"why\": \"%s\", \"units\": %u, \"seen\": %u, \"once\": %u, "
	       "\"twice\": %u, \"clump\": %.2f, ",
	       u.is_known ? "true" : "false", u.why, u.units, u.seen, u.once, u.twice, in.clump);
	printf("\"total\": %.1f, \"low\": %.1f, \"high\": %.1f, \"bounded\": %s, ", u.total,
	       u.total_low, u.total_high, u.is_bounded ? "true" : "false");
	printf("\"coverage\": %.4f, \"coverage_low\": %.4f, \"coverage_high\": %.4f, ", u.coverage,
	       u.coverage_low, u.coverage_high);
	printf("\"next\": {\"units\": %u, \"expected\": %.1f, \"low\": %.0f, \"high\": %.0f}, ",
	       in.units, next.expected, next.low, next.high);
	print_rarefied(&in);
	puts("}");
	return 0;
}

/* --- holding out ------------------------------------------------------------------------- */

static uint64_t state = UINT64_C(88172645463325252);

static size_t below(size_t end)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)((state * UINT64_C(2685821657736338717)) >> 11) % end;
}

static void shuffle(size_t *order, size_t cnt)
{
	for (size_t i = cnt; i > 1; i--) {
		size_t j = below(i), swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

struct held {
	unsigned said, next, total, bounded;
	double brought, high;
};

/* The units order[0 .. half - 1] are seen, the others held out. */
static int hold_out(const struct matrix *m, const size_t *order, size_t half, uint32_t all,
		    struct held *h)
{
	_matrix_ struct matrix seen = { 0 };
	_incidence_ struct incidence in = { 0 };
	struct unseen_next next;
	struct matrix_unit *to;
	struct unseen u;
	uint32_t brought;
	int r = 0;

	for (size_t i = 0; i < half && r == 0; i++) {
		r = matrix_add(&seen, NULL, 0, &to);
		if (r == 0)
			memcpy(to->set, m->unit[order[i]].set, sizeof(to->set));
	}
	if (r == 0)
		r = incidence_of(&seen, &in);
	if (r < 0)
		return r;
	unseen_estimate(&in, &u);
	unseen_next(&in, (uint32_t)(m->cnt - half), &next);
	brought = all - in.seen;
	h->said += u.is_known;
	h->next += next.is_known && next.low <= brought && brought <= next.high;
	h->total += u.is_known && u.total_low <= all && all <= u.total_high;
	h->bounded += u.is_bounded;
	h->brought += next.is_known ? brought : 0;
	h->high += next.is_known ? next.high : 0;
	return 0;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int hold_out_often(const struct matrix *m, unsigned times)
{
	_free_ size_t *order = calloc(m->cnt + 1, sizeof(*order));
	_incidence_ struct incidence in = { 0 };
	struct held h = { 0 };
	size_t half = most(m->cnt / 2, UNSEEN_UNITS_MIN);
	int r = order ? incidence_of(m, &in) : -ENOMEM;

	if (half >= m->cnt)
		times = 0;
	for (size_t i = 0; r == 0 && i < m->cnt; i++)
		order[i] = i;
	for (unsigned i = 0; r == 0 && i < times; i++) {
		shuffle(order, m->cnt);
		r = hold_out(m, order, half, in.seen, &h);
	}
	if (r < 0)
		return r;
	printf("{\"units\": %zu, \"seen\": %zu, \"times\": %u, \"said\": %u, \"next_within\": %u, "
	       "\"total_within\": %u, \"bounded\": %u, \"brought\": %.2f, \"high\": %.2f}\n",
	       m->cnt, half, times, h.said, h.next, h.total, h.bounded,
	       h.said ? h.brought / h.said : 0, h.said ? h.high / h.said : 0);
	return h.said == 0 || h.next < HOLDS_MIN * h.said || h.total < HOLDS_MIN * h.said;
}

int main(int argc, char **argv)
{
	_matrix_ struct matrix m = { 0 };
	bool holdout = argc == 4 && strcmp(argv[1], "--holdout") == 0;
	int r;

	if (argc != 2 && !holdout) {
		fprintf(stderr, "usage: unseen [--holdout N] FILE\n");
		return 2;
	}
	r = read_matrix(argv[argc - 1], &m);
	if (r == 0)
		r = holdout ? hold_out_often(&m, (unsigned)strtoul(argv[2], NULL, 10))
			    : print_estimate(&m);
	return r != 0;
}
