/* SPDX-License-Identifier: Apache-2.0 */
/* The policy for people. Names, images and paths in it are whatever a container chose. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "emit/formats.h"
#include "model/calls.h"

#define SHOWN_MAX 200 /* bytes of one hostile string */

static void print_time(FILE *f, int64_t seconds)
{
	time_t t = seconds;
	struct tm tm;
	char buf[32];

	if (seconds <= 0 || !gmtime_r(&t, &tm) ||
	    strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		strcpy(buf, "unknown");
	fputs(buf, f);
}

static void print_field(FILE *f, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	fprintf(f, "%-10s ", name);
	text_escape(f, value, SHOWN_MAX);
	fputc('\n', f);
}

static void print_losses(FILE *f, const struct evidence *e)
{
	const struct {
		uint64_t cnt;
		const char *what;
	} losses[] = {
		{ e->lost_full, "calls dropped because the kernel map was full" },
		{ e->lost_gaps, "intervals in which nobody observed" },
		{ e->lost_task, "tasks whose stage was lost: setup calls may be in here" },
		{ e->lost_range, "calls with a number out of range, which no filter can allow" },
		{ e->lost_ring, "events dropped: first processes may be missing below" },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		if (!losses[i].cnt)
			continue;
		fprintf(f, "%-10s %" PRIu64 " %s\n", any ? "" : "lost:", losses[i].cnt,
			losses[i].what);
		any = true;
	}
	if (!any)
		fputs("lost:      nothing\n", f);
}

static void print_evidence(FILE *f, const struct evidence *e)
{
	fputs("observed:  since ", f);
	print_time(f, e->since);
	fputs(", last news ", f);
	print_time(f, e->last);
	fprintf(f, "; starts seen: %" PRIu64 ", sampling units: %" PRIu64 "\n", e->starts,
		e->units);
	fputs("partial:   ", f);
	if (!evidence_is_partial(e))
		fputs("no\n", f);
	else if (e->starts == 0)
		fputs("yes, no start of it was seen from the entrypoint's exec on\n", f);
	else
		fputs("yes, a loss may have hidden a call\n", f);
	print_losses(f, e);
}

static void print_head(const struct policy *p, FILE *f)
{
	fputs("# tamis policy\n", f);
	print_field(f, "workload:", p->workload);
	print_field(f, "engine:", p->engine);
	print_field(f, "image:", p->image);
	print_field(f, "gate of:", p->runtimes);
	if (p->evidence)
		print_evidence(f, p->evidence);
}

/* --- calls -------------------------------------------------------------------------------- */

struct shown {
	const struct filter_rule *rule;
	size_t cnt;
	unsigned group; /* index in group_names */
	char name[CALLS_NAME_MAX];
};

struct shown_list {
	size_t cnt;
	struct shown item[];
};

static unsigned group_index(const char *name)
{
	const char *group = group_of(name);
	unsigned i = 0;

	while (group_names[i] != group)
		i++;
	return i;
}

static int compare_shown(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;
	int r = (int)x->rule->abi - (int)y->rule->abi;

	if (r == 0)
		r = (int)x->group - (int)y->group;
	return r ? r : strcmp(x->name, y->name);
}

/* What becomes of a call, at best. */
enum fate { ALLOWED, ASKS, REFUSED };

static enum fate fate_of(const struct filter_rule *rules, size_t cnt)
{
	if (rules_allow(rules, cnt))
		return ALLOWED;
	return rules_ask(rules, cnt) ? ASKS : REFUSED;
}

/* By ABI, group, name; those refused by ABI, name. */
static struct shown_list *list_calls(const struct filter *filter, enum fate fate)
{
	struct shown_list *l = calloc(1, sizeof(*l) + filter->rule_cnt * sizeof(l->item[0]));
	size_t n;

	for (size_t i = 0; l && i < filter->rule_cnt; i += n) {
		const struct filter_rule *rule = &filter->rule[i];
		struct shown *s = &l->item[l->cnt];

		n = rules_of_call(filter, i);
		if (fate_of(rule, n) != fate)
			continue;
		s->rule = rule;
		s->cnt = n;
		calls_print(rule->abi, rule->nr, s->name);
		s->group = fate != REFUSED ? group_index(s->name) : 0;
		l->cnt++;
	}
	if (l)
		qsort(l->item, l->cnt, sizeof(l->item[0]), compare_shown);
	return l;
}

static void print_why(uint32_t why, FILE *f)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ FILTER_WHY_WORKLOAD, "workload" },
		{ FILTER_WHY_SESSION, "session" },
		{ FILTER_WHY_GATE_SEEN, "gate (seen)" },
		{ FILTER_WHY_GATE_TABLE, "gate (table)" },
		{ FILTER_WHY_ALWAYS, "always" },
		{ FILTER_WHY_ENGINE, "narrowed by the engine's profile" },
		{ FILTER_WHY_FALLBACK, "fallback of clone3" },
		{ FILTER_WHY_DESCENDANTS, "not guarded, for what leaves the unit" },
		{ FILTER_WHY_PROBATION, "not learned, in probation" },
	};
	struct list l = { f };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (why & names[i].bit)
			list_add(&l, names[i].name);
	}
	if (!l.begun)
		fputs("from the policy file", f);
}

static uint32_t why_all(const struct shown *s)
{
	uint32_t why = 0;

	for (size_t i = 0; i < s->cnt; i++)
		why |= s->rule[i].why;
	return why;
}

/* The origins of one call: sorted by (abi, nr, stage), so they lie together. */
static const struct policy_origin *origins_of(const struct policy *p, const struct filter_rule *r,
					      size_t *ret_cnt)
{
	size_t from = 0, cnt = 0;

	while (from < p->origin_cnt &&
	       (p->origin[from].abi < r->abi ||
		(p->origin[from].abi == r->abi && p->origin[from].nr < r->nr)))
		from++;
	while (from + cnt < p->origin_cnt && p->origin[from + cnt].abi == r->abi &&
	       p->origin[from + cnt].nr == r->nr)
		cnt++;
	*ret_cnt = cnt;
	return cnt ? p->origin + from : NULL;
}

static bool has_text(const char *s)
{
	return s && *s;
}

static void print_origin(const struct policy_origin *o, FILE *f)
{
	fprintf(f, "%28s%s: first ", "", stage_name(o->stage));
	print_time(f, o->first);
	fputs(", last ", f);
	print_time(f, o->last);
	if (has_text(o->comm)) {
		fputs(", by ", f);
		text_escape(f, o->comm, SHOWN_MAX);
	}
	if (has_text(o->exe)) {
		fputs(" (", f);
		text_escape(f, o->exe, SHOWN_MAX);
		fputc(')', f);
	}
	fputc('\n', f);
}

static void print_errno(uint32_t err, FILE *f)
{
	const char *name = strerrorname_np((int)err);

	if (name)
		fputs(name, f);
	else
		fprintf(f, "errno %u", err);
}

static void print_action(enum filter_action a, uint32_t err, FILE *f)
{
	static const char *const names[FILTER_ACTION_MAX] = {
		"kills the process",  "kills the thread", "signal SIGSYS", "", "asks", "traced",
		"allowed and logged", "allowed",
	};

	if (a == FILTER_ERRNO)
		print_errno(err, f);
	else
		fputs(names[a], f);
}

static void print_conditions(const struct shown *s, FILE *f)
{
	for (size_t i = 0; i < s->cnt; i++) {
		const struct filter_rule *r = &s->rule[i];

		if (r->cond_cnt == 0)
			continue;
		fprintf(f, "%28s", "");
		print_action(r->action, r->errno_ret, f);
		for (unsigned j = 0; j < r->cond_cnt; j++) {
			fputs(j ? " and " : " if ", f);
			cond_print(&r->cond[j], f);
		}
		fputc('\n', f);
	}
}

static void print_call(const struct policy *p, const struct shown *s, FILE *f)
{
	size_t cnt;
	const struct policy_origin *o = origins_of(p, s->rule, &cnt);

	fprintf(f, "    %-23s ", s->name);
	print_why(why_all(s), f);
	fputs(s->rule->cond_cnt == 0 && s->rule->action == FILTER_LOG ? ", logged\n" : "\n", f);
	print_conditions(s, f);
	for (size_t i = 0; i < cnt; i++) {
		if (o[i].stage != TAMIS_SETUP) /* no reason for anything in a policy */
			print_origin(&o[i], f);
	}
}

static void print_count(enum tamis_abi abi, enum fate fate, size_t n, FILE *f)
{
	static const char *const one[] = { "call allowed", "call asks" }, *const many[] = {
		"calls allowed", "calls ask"
	};

	fprintf(f, "\n%s: %zu %s\n", abi_name(abi), n, n == 1 ? one[fate] : many[fate]);
}

/* Those allowed, or those that ask. */
static int print_passing(const struct policy *p, enum fate fate, FILE *f)
{
	_free_ struct shown_list *l = list_calls(p->filter, fate);

	if (!l)
		return -ENOMEM;
	for (size_t i = 0; i < l->cnt; i++) {
		const struct shown *s = &l->item[i], *before = i ? s - 1 : NULL;
		bool new_abi = !before || before->rule->abi != s->rule->abi;
		size_t n = 0;

		while (new_abi && i + n < l->cnt && l->item[i + n].rule->abi == s->rule->abi)
			n++;
		if (new_abi)
			print_count(s->rule->abi, fate, n, f);
		if (new_abi || before->group != s->group)
			fprintf(f, "  %s\n", group_names[s->group]);
		print_call(p, s, f);
	}
	return 0;
}

/* --- refusals ----------------------------------------------------------------------------- */

static bool same_answer(const struct filter_rule *a, const struct filter_rule *b)
{
	return a->abi == b->abi && a->action == b->action && a->errno_ret == b->errno_ret;
}

/* One line for each answer of an ABI: those before `upto` in the list have had theirs. */
static void print_answer(const struct shown_list *l, size_t upto, FILE *f)
{
	const struct filter_rule *rule = l->item[upto].rule;
	struct list names = { f };

	for (size_t i = 0; i < upto; i++) {
		if (same_answer(l->item[i].rule, rule))
			return;
	}
	fprintf(f, "  %s, ", abi_name(rule->abi));
	print_action(rule->action, rule->errno_ret, f);
	fputs(": ", f);
	for (size_t i = upto; i < l->cnt; i++) {
		if (same_answer(l->item[i].rule, rule))
			list_add(&names, l->item[i].name);
	}
	fputc('\n', f);
}

static int print_refused(const struct policy *p, FILE *f)
{
	_free_ struct shown_list *l = list_calls(p->filter, REFUSED);

	if (!l)
		return -ENOMEM;
	fputs("\nrefused\n", f);
	for (size_t i = 0; i < l->cnt; i++)
		print_answer(l, i, f);
	fputs("  every other call: ", f);
	print_action(p->filter->default_action, p->filter->default_errno, f);
	fputs("\n  calls of other ABIs: killed\n", f);
	return 0;
}

/* --- what can't be trusted, what formats can't say ------------------------------------------ */

struct section {
	FILE *f;
	const char *title;
	bool begun;
};

static void print_line(void *ctx, const char *line)
{
	struct section *s = ctx;

	if (!s->begun)
		fprintf(s->f, "\n%s\n", s->title);
	s->begun = true;
	fputs("  ", s->f);
	text_escape(s->f, line, SIZE_MAX);
	fputc('\n', s->f);
}

/* Those that are about some of its calls; what a format shares with another is said once. */
static int print_limits(const struct emit_format *e, const struct policy *p, struct section *s)
{
	int r = 0;

	for (const struct emit_limit *l = e->limits; r == 0 && l->what; l++) {
		if (l->calls)
			r = limit_say(e->name, l, p, print_line, s);
	}
	return r;
}

const struct emit_limit text_limits[] = { { 0 } };

int text_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	struct section caveats = { f, "beware" }, limits = { f, "not said" };
	int r;

	print_head(p, f);
	r = print_passing(p, ALLOWED, f);
	if (r == 0)
		r = print_passing(p, ASKS, f);
	if (r == 0)
		r = print_refused(p, f);
	if (r == 0)
		r = emit_caveats(p, print_line, &caveats);
	for (const struct emit_format *e = emit_formats; r == 0 && e->name; e++)
		r = print_limits(e, p, &limits);
	return r < 0 ? r : ferror(f) ? -EIO : 0;
}
