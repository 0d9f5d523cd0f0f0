/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page is made here, whole, and can be read where no script may run. The script only adds what needs
 * one: details of a call, a filter, copying. Its text and the style's are allowed by their digests, nothing
 * else is.
 */
#include "mine/report.h"

#include <errno.h>
#include <sha2.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "mine/report_part.h"

struct text {
	const char *p, *end;
};

/* Of this very file: by the global offset table clang 14 misses them on arm64. */
#define HIDDEN __attribute__((visibility("hidden")))

/* The build runs in the top folder, so paths are from there whatever O= is. */
#define EMBED(name, path)                                                       \
	__asm__(".pushsection .rodata\n"                                        \
		"report_" #name ":\n.incbin \"" path "\"\n"                     \
		"report_" #name "_end:\n.byte 0\n.popsection\n");               \
	extern const char report_##name[] HIDDEN, report_##name##_end[] HIDDEN; \
	static struct text name(void)                                           \
	{                                                                       \
		return (struct text){ report_##name, report_##name##_end };     \
	}

EMBED(page, "user/mine/report.html")
EMBED(style, "user/mine/report.css")
EMBED(script, "user/mine/report.js")

static void write_text(struct text t, FILE *f)
{
	fwrite(t.p, 1, (size_t)(t.end - t.p), f);
}

static void write_digest(struct text t, FILE *f)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	_free_ char *text = NULL;
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)t.p, (size_t)(t.end - t.p));
	SHA256Final(digest, &ctx);
	text = base64_encode(digest, sizeof(digest));
	/* Without a digest nothing is allowed: the page is plain, and still whole. */
	html(f, "sha256-%s", text);
}

static void write_style(const json_t *doc, FILE *f)
{
	write_text(style(), f);
}

static void write_style_digest(const json_t *doc, FILE *f)
{
	write_digest(style(), f);
}

static void write_script(const json_t *doc, FILE *f)
{
	write_text(script(), f);
}

static void write_script_digest(const json_t *doc, FILE *f)
{
	write_digest(script(), f);
}

static void write_target(const json_t *doc, FILE *f)
{
	html(f, "%s", report_str(doc, "target"));
}

/* These three stand in strings alone, where JSON has another way to spell them. What isn't ASCII is
 * spelled so already. */
static int put_json(const char *buffer, size_t size, void *arg)
{
	FILE *f = arg;

	for (size_t i = 0; i < size; i++) {
		if (strchr("<>&", buffer[i]) && buffer[i])
			fprintf(f, "\\u%04x", (unsigned char)buffer[i]);
		else
			putc(buffer[i], f);
	}
	return 0;
}

static void write_data(const json_t *doc, FILE *f)
{
	json_dump_callback(doc, put_json, f, JSON_COMPACT | JSON_ENSURE_ASCII);
}

static const struct {
	const char *name;
	void (*write)(const json_t *doc, FILE *f);
} parts[] = {
	{ "target", write_target },
	{ "style", write_style },
	{ "style-digest", write_style_digest },
	{ "script", write_script },
	{ "script-digest", write_script_digest },
	{ "data", write_data },
	{ "head", report_head },
	{ "figures", report_figures },
	{ "curve", report_curve },
	{ "estimate", report_estimate },
	{ "tests", report_tests },
	{ "heat", report_heat },
	{ "groups", report_groups },
	{ "calls", report_calls },
	{ "minimised", report_minimised },
	{ "score", report_score },
	{ "policy", report_policy },
};

static void write_part(struct text name, const json_t *doc, FILE *f)
{
	size_t len = (size_t)(name.end - name.p);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strlen(parts[i].name) == len && memcmp(parts[i].name, name.p, len) == 0)
			parts[i].write(doc, f);
}

static const char *find(const struct text *in, const char *what)
{
	return memmem(in->p, (size_t)(in->end - in->p), what, strlen(what));
}

int report_write(const json_t *doc, FILE *f)
{
	struct text left = page();
	const char *open;

	while ((open = find(&left, "{{"))) {
		struct text name = { open + 2, NULL };

		write_text((struct text){ left.p, open }, f);
		left.p = open;
		name.end = find(&left, "}}");
		if (!name.end)
			return -EINVAL;
		write_part(name, doc, f);
		left.p = name.end + 2;
	}
	write_text(left, f);
	return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}
