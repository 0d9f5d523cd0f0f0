/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

static const char *entity(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(FILE *f, const char *s)
{
	const char *end = s ? s + strlen(s) : NULL;

	while (s < end) {
		size_t n = text_char(s, (size_t)(end - s));
		const char *name = entity(*s);

		if (name)
			fputs(name, f);
		else if (n > 0)
			fwrite(s, 1, n, f);
		else
			fprintf(f, "\\x%02x", (unsigned char)*s);
		s += n > 0 ? n : 1;
	}
}

/* One conversion, which begins after the per cent sign; returns what follows it. */
static const char *convert(FILE *f, const char *p, va_list *args)
{
	int precision = 6;

	if (*p == '.') {
		precision = p[1] - '0';
		p += 2;
	}
	if (*p == 's')
		html_text(f, va_arg(*args, const char *));
	else if (*p == 'd')
		fprintf(f, "%d", va_arg(*args, int));
	else if (*p == 'u')
		fprintf(f, "%u", va_arg(*args, unsigned));
	else if (*p == 'f')
		fprintf(f, "%.*f", precision, va_arg(*args, double));
	else if (*p == '%')
		putc('%', f);
	else if (strncmp(p, "zu", 2) == 0)
		fprintf(f, "%zu", va_arg(*args, size_t));
	else if (strncmp(p, "lld", 3) == 0)
		fprintf(f, "%lld", va_arg(*args, long long));
	return p + (*p == 'z' ? 2 : *p == 'l' ? 3 : 1);
}

void html(FILE *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");

		fwrite(fmt, 1, plain, f);
		fmt += plain;
		if (*fmt)
			fmt = convert(f, fmt + 1, &args);
	}
	va_end(args);
}

void html_share(FILE *f, double share)
{
	int tenths = share <= 0 ? 0 : share >= 0.999 ? 999 : (int)(share * 1000);

	fprintf(f, "%d.%d %%", tenths / 10, tenths % 10);
}

void html_duration(FILE *f, int64_t ms)
{
	if (ms < 1000)
		fprintf(f, "%" PRId64 " ms", ms);
	else if (ms < 60000)
		fprintf(f, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
	else
		fprintf(f, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
}

void html_bar(FILE *f, double part, double whole)
{
	double share = whole > 0 && part > 0 ? part / whole : 0;

	html(f,
	     "<svg class=bar viewBox=\"0 0 100 1\" preserveAspectRatio=none aria-hidden=true>"
	     "<rect width=\"%.1f\" height=1></rect></svg>",
	     100 * (share > 1 ? 1 : share));
}
