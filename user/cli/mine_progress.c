/* SPDX-License-Identifier: Apache-2.0 */
/* What a run is doing, on standard error. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/stream.h"
#include "base/text.h"
#include "cli/mine_job.h"

#define BAR 20

static bool shown; /* a line that changes is there */

static unsigned columns(void)
{
	struct winsize w = { 0 };

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

void mine_progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

static const char *doing(enum mine_phase p)
{
	static const char *const words[] = {
		[MINE_START] = "starting",    [MINE_OBSERVE] = "observing",
		[MINE_ENFORCE] = "enforcing", [MINE_MINIMISE] = "minimising",
		[MINE_END] = "ending",
	};

	return words[p];
}

/* Rounded down: "100.0" is never the truth. */
double mine_percent(double part)
{
	return (double)(int)(part * 1000) / 10;
}

static void print_estimate(const struct unseen *u, FILE *f)
{
	if (u->is_known)
		fprintf(f, ", coverage %.1f %% (%.1f-%.1f)", mine_percent(u->coverage),
			mine_percent(u->coverage_low), mine_percent(u->coverage_high));
}

/* Kept from one report to the next: it is told between tests alone. */
static struct unseen last_estimate;

static void print_line(const struct mine_progress *p, FILE *f)
{
	size_t full = p->tests ? p->test * BAR / p->tests : 0;
	_free_ char *name = p->name ? text_escaped(p->name, 40) : NULL;

	fprintf(f, "%-10s [", doing(p->phase));
	for (size_t i = 0; i < BAR; i++)
		fputc(i < full ? '#' : '.', f);
	fprintf(f, "] %zu/%zu  %u calls", p->test, p->tests, p->calls);
	if (p->grown)
		fprintf(f, " +%u", p->grown);
	print_estimate(&last_estimate, f);
	if (name)
		fprintf(f, "  %s", name);
}

static void show_changing(const struct mine_progress *p)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);

	if (!f)
		return;
	print_line(p, f);
	if (fclose(f) != 0)
		return;
	fprintf(stderr, "\r%.*s\033[K", (int)columns() - 1, text);
	(void)fflush(stderr);
	shown = true;
}

static void show_plain(const struct mine_progress *p)
{
	_free_ char *name = p->name ? text_escaped(p->name, 200) : NULL;

	if (name)
		fprintf(stderr, "%s %zu/%zu %s\n", doing(p->phase), p->test + 1, p->tests, name);
	else if (p->test == p->tests)
		fprintf(stderr, "%s: %zu tests, %u calls, %.1f s\n", doing(p->phase), p->tests,
			p->calls, (double)p->took_ms / 1000);
}

void mine_progress(void *arg, const struct mine_progress *p)
{
	if (!p->name && p->phase == MINE_OBSERVE)
		last_estimate = p->unseen;
	if (isatty(STDERR_FILENO))
		show_changing(p);
	else
		show_plain(p);
}
