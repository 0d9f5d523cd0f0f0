/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growth of the set: what was seen, what any order of the tests would have shown, what is expected
 * of more tests, and the estimate of all there is. Lines are drawn in a box of 1000 x 1000 that is
 * stretched to the place there is; texts and dots stand beside it in per cent, so they keep their size.
 */
#include <math.h>

#include "mine/report_part.h"

#define OUTSIDE	 "start, stop"
#define BOX	 1000.0
#define DOTS_MAX 60 /* more would be a second line */

struct plot {
	const json_t *growth, *rarefaction, *estimate, *next;
	size_t units;	/* the growth has one value more: the start's */
	double seen;	/* at its end, with what the stop made: start and stop are in every life */
	double stop;	/* calls that only the stop made */
	double outside; /* what is missing in the rarefaction */
	bool is_open;	/* the estimate has no upper limit */
	double x_max, y_min, y_max, step;
	unsigned ticks; /* steps from y_min to y_max */
	size_t rare;	/* values of the rarefaction that there is room for */
};

/* No count of calls is larger; what is can't hold up the drawing. */
static double sane(double n)
{
	return fmin(fmax(n, 0), 100000);
}

static double value(const json_t *list, size_t i)
{
	return sane(json_number_value(json_array_get(list, i)));
}

static double real(const json_t *o, const char *key)
{
	return sane(report_real(o, key));
}

static double seen_after(const struct plot *p, size_t unit)
{
	return value(p->growth, unit) + p->stop;
}

/* 1, 2 or 5 times a power of ten: four to eight of them are the range. */
static double nice_step(double range)
{
	double power = pow(10, floor(log10(range / 4)));
	double steps = range / 4 / power;

	return power * (steps >= 5 ? 5 : steps >= 2 ? 2 : 1);
}

static void scale_y(struct plot *p)
{
	double low = seen_after(p, 0), high = p->seen;

	for (size_t i = 0; i < p->rare; i++)
		low = fmin(low, value(p->rarefaction, i) + p->outside);
	if (report_is(p->estimate, "known"))
		high = fmax(high, real(p->estimate, p->is_open ? "total" : "high"));
	if (p->next)
		high = fmax(high, p->seen + real(p->next, "high"));
	high = fmax(high, low + 4);
	p->step = fmax(1, nice_step(high - low));
	p->y_min = fmax(0, p->step * floor(low / p->step - 0.5));
	p->ticks = (unsigned)ceil((high - p->y_min) / p->step);
	p->y_max = p->y_min + p->step * p->ticks;
}

/* What comes next is drawn where it is known, and with it that there is an estimate. */
static const json_t *known_next(const json_t *estimate)
{
	const json_t *next = json_object_get(estimate, "next");

	return report_is(estimate, "known") && json_is_number(json_object_get(next, "expected"))
		       ? next
		       : NULL;
}

static bool measure(const json_t *doc, struct plot *p)
{
	size_t values = report_len(doc, "growth");

	if (values == 0)
		return false;
	*p = (struct plot){
		.growth = json_object_get(doc, "growth"),
		.rarefaction = json_object_get(doc, "rarefaction"),
		.estimate = json_object_get(doc, "estimate"),
		.units = values - 1,
	};
	p->next = known_next(p->estimate);
	p->is_open = json_is_false(json_object_get(p->estimate, "bounded"));
	p->seen = fmax(value(p->growth, p->units), (double)report_len(doc, "calls"));
	p->stop = p->seen - value(p->growth, p->units);
	p->rare = json_array_size(p->rarefaction);
	if (p->rare > p->units)
		p->rare = p->units;
	p->outside = p->rare ? p->seen - value(p->rarefaction, p->rare - 1) : 0;
	p->x_max = fmax(1, (double)p->units + (p->next ? real(p->next, "units") : 0));
	scale_y(p);
	return true;
}

static double x_of(const struct plot *p, double unit)
{
	return unit / p->x_max;
}

static double y_of(const struct plot *p, double calls)
{
	return (p->y_max - calls) / (p->y_max - p->y_min);
}

static void point(const struct plot *p, double unit, double calls, char command, FILE *f)
{
	fprintf(f, "%c%.1f %.1f", command, BOX * x_of(p, unit), BOX * y_of(p, calls));
}

static void grid(const struct plot *p, FILE *f)
{
	fputs("<path class=grid d=\"", f);
	for (unsigned i = 0; i <= p->ticks; i++) {
		double y = p->y_min + p->step * i;

		point(p, 0, y, 'M', f);
		point(p, p->x_max, y, 'L', f);
	}
	fputs("\"></path>\n", f);
}

/* What all there is lies in. Without an upper limit it fades. */
static void interval(const struct plot *p, FILE *f)
{
	double low = real(p->estimate, "low"), high = real(p->estimate, "high");

	if (!report_is(p->estimate, "known"))
		return;
	if (p->is_open) {
		high = p->y_max;
		fputs("<linearGradient id=fade x1=0 x2=0 y1=0 y2=1><stop stop-opacity=0 "
		      "offset=0></stop>"
		      "<stop offset=1></stop></linearGradient>\n",
		      f);
	}
	html(f, "<rect id=interval%s x=0 width=1000 y=\"%.1f\" height=\"%.1f\"></rect>\n",
	     p->is_open ? " class=open" : "", BOX * y_of(p, high),
	     BOX * fmax(0, y_of(p, low) - y_of(p, high)));
	fputs("<path id=total d=\"", f);
	point(p, 0, real(p->estimate, "total"), 'M', f);
	point(p, p->x_max, real(p->estimate, "total"), 'L', f);
	fputs("\"></path>\n", f);
}

static void extrapolation(const struct plot *p, FILE *f)
{
	double from = (double)p->units;

	if (!p->next)
		return;
	fputs("<path id=fan d=\"", f);
	point(p, from, p->seen, 'M', f);
	point(p, p->x_max, p->seen + real(p->next, "high"), 'L', f);
	point(p, p->x_max, p->seen + real(p->next, "low"), 'L', f);
	fputs("Z\"></path>\n<path id=extrapolated d=\"", f);
	point(p, from, p->seen, 'M', f);
	point(p, p->x_max, p->seen + real(p->next, "expected"), 'L', f);
	fputs("\"></path>\n<path class=now d=\"", f);
	point(p, from, p->y_min, 'M', f);
	point(p, from, p->y_max, 'L', f);
	fputs("\"></path>\n", f);
}

static void curves(const struct plot *p, FILE *f)
{
	size_t i;

	if (p->rare > 0)
		fputs("<path id=expected d=\"", f);
	for (i = 0; i < p->rare; i++)
		point(p, (double)i + 1, value(p->rarefaction, i) + p->outside, i ? 'L' : 'M', f);
	fputs(p->rare > 0 ? "\"></path>\n<path id=observed d=\"" : "<path id=observed d=\"", f);
	for (i = 0; i <= p->units; i++)
		point(p, (double)i, seen_after(p, i), i ? 'L' : 'M', f);
	fputs("\"></path>\n", f);
}

static void dots(const struct plot *p, const json_t *tests, FILE *f)
{
	for (size_t i = 0; i <= p->units && p->units <= DOTS_MAX; i++) {
		const char *name = i ? report_str(json_array_get(tests, i - 1), "name") : OUTSIDE;

		html(f,
		     "<circle cx=\"%.2f%%\" cy=\"%.2f%%\" r=3><title>%s: %.0f calls"
		     "</title></circle>\n",
		     100 * x_of(p, (double)i), 100 * y_of(p, seen_after(p, i)), name,
		     seen_after(p, i));
	}
}

static void x_label(const struct plot *p, double unit, const char *anchor, FILE *f)
{
	html(f, "<text class=x x=\"%.2f%%\" y=\"100%%\" dy=20 text-anchor=%s>", 100 * x_of(p, unit),
	     anchor);
}

static void labels(const struct plot *p, FILE *f)
{
	bool is_apart = p->next && x_of(p, (double)p->units) < 0.85;

	for (unsigned i = 0; i <= p->ticks; i++) {
		double y = p->y_min + p->step * i;

		html(f, "<text class=y x=-10 y=\"%.2f%%\" dy=4 text-anchor=end>%.0f</text>\n",
		     100 * y_of(p, y), y);
	}
	x_label(p, 0, "start", f);
	fputs(OUTSIDE "</text>\n", f);
	x_label(p, is_apart ? (double)p->units : p->x_max, is_apart ? "middle" : "end", f);
	html(f, "%zu test%s", p->units, report_s((long long)p->units));
	if (is_apart) {
		fputs("</text>\n", f);
		x_label(p, p->x_max, "end", f);
	}
	if (p->next)
		html(f, "%s+%.0f", is_apart ? "" : ", ", real(p->next, "units"));
	fputs("</text>\n", f);
	if (report_is(p->estimate, "known"))
		html(f, "<text class=total x=8 y=\"%.2f%%\" dy=-6>estimate %.1f</text>\n",
		     100 * y_of(p, real(p->estimate, "total")), real(p->estimate, "total"));
}

static void legend(const struct plot *p, FILE *f)
{
	const struct {
		const char *key, *text;
	} entries[] = {
		{ "observed", "seen: the start, the stop, and the tests in their order" },
		{ "expected", "expected of so many tests in any order" },
		{ "extrapolated", "expected of more tests, with 95 % of what they would show" },
		{ "interval",
		  p->is_open
			  ? "all there is: the estimate and its lower limit; the upper isn't known"
			  : "all there is: the estimate and its 95 % interval" },
	};

	fputs("<figcaption><ul class=legend>", f);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (i == 1 && p->rare == 0)
			continue;
		if ((i == 2 && !p->next) || (i == 3 && !report_is(p->estimate, "known")))
			continue;
		html(f,
		     "<li><svg class=\"key %s\" viewBox=\"0 0 24 12\" aria-hidden=true>"
		     "<rect width=24 height=12></rect><path d=\"M0 6H24\"></path></svg>%s",
		     entries[i].key, entries[i].text);
	}
	fputs("</ul></figcaption>", f);
}

/* The same for who can't see it, or wants the figures. */
static void table(const struct plot *p, const json_t *tests, FILE *f)
{
	fputs("<details><summary>The curve as a table</summary><div class=scroll><table id=growth>"
	      "<thead><tr><th scope=col>After<th scope=col class=n>Seen"
	      "<th scope=col class=n>Expected of so many tests</thead><tbody>\n",
	      f);
	for (size_t i = 0; i <= p->units; i++) {
		html(f, "<tr><th scope=row>%s<td class=n>%.0f<td class=n>",
		     i ? report_str(json_array_get(tests, i - 1), "name") : OUTSIDE,
		     seen_after(p, i));
		if (i > 0 && i <= p->rare)
			html(f, "%.1f", value(p->rarefaction, i - 1) + p->outside);
	}
	fputs("</tbody></table></div></details>\n", f);
}

void report_curve(const json_t *doc, FILE *f)
{
	const json_t *tests = json_object_get(doc, "tests");
	struct plot p;

	if (!measure(doc, &p)) {
		fputs("<p>No unit was sampled.</p>\n", f);
		return;
	}
	fputs("<figure class=plot><svg id=curve role=img aria-labelledby=curve-title>"
	      "<title id=curve-title>",
	      f);
	html(f, "Calls seen grew from %.0f at start and stop to %.0f with %zu test%s.</title>\n",
	     seen_after(&p, 0), p.seen, p.units, report_s((long long)p.units));
	fputs("<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=none width=\"100%\" "
	      "height=\"100%\">\n",
	      f);
	interval(&p, f);
	grid(&p, f);
	extrapolation(&p, f);
	curves(&p, f);
	fputs("</svg>\n", f);
	dots(&p, tests, f);
	labels(&p, f);
	fputs("</svg>", f);
	legend(&p, f);
	fputs("</figure>\n", f);
	table(&p, tests, f);
}

static void say_next(const json_t *next, FILE *f)
{
	double low = real(next, "low"), high = real(next, "high");

	html(f, " <b>%.0f</b> more tests like these would bring about <b>%.1f</b> new calls",
	     real(next, "units"), real(next, "expected"));
	if (low < high)
		html(f, " (%.0f to %.0f, 95 %%)", low, high);
	putc('.', f);
}

/* The number, and how sure it is. */
static void say_total(const json_t *e, FILE *f)
{
	html(f, " From that, there are about <b>%.1f</b>", real(e, "total"));
	if (json_is_false(json_object_get(e, "bounded")))
		html(f, ", at least %.0f: more tests are needed to say how many at most.",
		     floor(real(e, "low")));
	else
		html(f, " (%.0f to %.0f, 95 %%).", floor(real(e, "low")), ceil(real(e, "high")));
}

void report_estimate(const json_t *doc, FILE *f)
{
	const json_t *e = json_object_get(doc, "estimate");
	const char *why = report_str(e, "why");

	if (!report_is(e, "known")) {
		html(f, "<p class=lead>How much is still unseen is <b>not known</b>%s%s.</p>\n",
		     why ? ": " : "", why);
		return;
	}
	html(f,
	     "<p class=lead>%lld tests, <b>%lld</b> calls; <b>%lld</b> of them in one test alone, "
	     "<b>%lld</b> in two.",
	     report_int(e, "units"), report_int(e, "seen"), report_int(e, "once"),
	     report_int(e, "twice"));
	say_total(e, f);
	if (known_next(e))
		say_next(known_next(e), f);
	fputs("</p>\n<p class=note>An estimate of tests like these: what none of their kind "
	      "exercises is not in it.</p>\n",
	      f);
}
