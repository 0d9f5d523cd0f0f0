/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/data.h"

#include <errno.h>
#include <string.h>

#include "model/calls.h"
#include "policy/data_text.h"

/* Of this very file: by the global offset table clang 14 misses them on arm64. */
#define HIDDEN __attribute__((visibility("hidden")))

/* The build runs in the top folder, so paths are from there whatever O= is. */
#define EMBED(name, path)                                                            \
	__asm__(".pushsection .rodata\n"                                             \
		"embedded_" #name ":\n.incbin \"" path "\"\n"                        \
		"embedded_" #name "_end:\n.byte 0\n.popsection\n");                  \
	extern const char embedded_##name[] HIDDEN, embedded_##name##_end[] HIDDEN;  \
	struct data_text data_text_##name(void)                                      \
	{                                                                            \
		return (struct data_text){ embedded_##name, embedded_##name##_end }; \
	}

EMBED(always, "policies/always/calls")
EMBED(eperm, "policies/errno/eperm")
EMBED(fallback, "policies/engine/fallback")
EMBED(runc, "policies/runtime/runc.tbl")
EMBED(crun, "policies/runtime/crun.tbl")
EMBED(guard, "policies/guard/calls")
EMBED(widen, "policies/widen/groups")
EMBED(translate, "policies/widen/translate")
EMBED(never, "policies/never/units")
EMBED(keep, "policies/keep/calls")
EMBED(cves, "policies/risk/cves")
EMBED(subsystems, "policies/risk/subsystems")
EMBED(asan, "policies/sanitizer/asan")
EMBED(lsan, "policies/sanitizer/lsan")
EMBED(msan, "policies/sanitizer/msan")
EMBED(tsan, "policies/sanitizer/tsan")
EMBED(ubsan, "policies/sanitizer/ubsan")

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_blank(const struct data_text *line)
{
	for (const char *p = line->p; p < line->end; p++)
		if (!is_space(*p))
			return false;
	return true;
}

bool data_line(struct data_text *text, struct data_text *ret)
{
	while (text->p < text->end) {
		size_t left = (size_t)(text->end - text->p);
		const char *nl = memchr(text->p, '\n', left);
		struct data_text line = { text->p, nl ? nl : text->end };
		const char *comment = memchr(line.p, '#', (size_t)(line.end - line.p));

		text->p = nl ? nl + 1 : text->end;
		if (comment)
			line.end = comment;
		if (!is_blank(&line)) {
			*ret = line;
			return true;
		}
	}
	return false;
}

int data_word(struct data_text *line, char ret[DATA_WORD])
{
	const char *start;
	size_t len;

	while (line->p < line->end && is_space(*line->p))
		line->p++;
	start = line->p;
	while (line->p < line->end && !is_space(*line->p))
		line->p++;
	len = (size_t)(line->p - start);
	if (len == 0)
		return 0;
	if (len >= DATA_WORD)
		return -EINVAL;
	memcpy(ret, start, len);
	ret[len] = '\0';
	return 1;
}

int data_add_call(const char *name, struct sysset ret[TAMIS_ABI_MAX])
{
	bool known = false;

	for (unsigned abi = 0; abi < TAMIS_ABI_MAX; abi++) {
		int nr = calls_number((enum tamis_abi)abi, name);

		if (nr < 0)
			continue;
		sysset_add(&ret[abi], (unsigned)nr);
		known = true;
	}
	return known ? 0 : -EINVAL;
}

int data_list(struct data_text text, struct sysset ret[TAMIS_ABI_MAX])
{
	struct sysset set[TAMIS_ABI_MAX] = { 0 };
	struct data_text line;
	char word[DATA_WORD];
	int r;

	while (data_line(&text, &line)) {
		while ((r = data_word(&line, word)) > 0)
			if (data_add_call(word, set) < 0)
				return -EINVAL;
		if (r < 0)
			return r;
	}
	memcpy(ret, set, sizeof(set));
	return 0;
}

int data_always(struct sysset ret[TAMIS_ABI_MAX])
{
	return data_list(data_text_always(), ret);
}

int data_eperm(struct sysset ret[TAMIS_ABI_MAX])
{
	return data_list(data_text_eperm(), ret);
}
