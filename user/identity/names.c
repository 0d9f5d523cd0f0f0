/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/names.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
__asm__(".section .rodata\n"
	".local names_text\n"
	"names_text: .incbin \"policies/names/engine-made\"\n"
	".byte 0\n"
	".previous\n");
/* clang-format on */
extern const char names_text[] __attribute__((visibility("hidden")));

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static bool has_word(const char *line, const char *word, size_t len)
{
	while (*line == ' ') {
		size_t n = strcspn(++line, " \n");

		if (n == len && memcmp(line, word, len) == 0)
			return true;
		line += n;
	}
	return false;
}

/* Whether a line that begins with `kind` holds the word. */
static bool is_known(const char *kind, const char *word, size_t len)
{
	const char *line = names_text;

	while (*line) {
		if (strncmp(line, kind, strlen(kind)) == 0 &&
		    has_word(line + strlen(kind), word, len))
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

bool names_is_made(const char *name)
{
	size_t left = strspn(name, LETTERS), right;
	const char *rest = name + left;

	if (*rest++ != '_')
		return false;
	right = strspn(rest, LETTERS);
	/* Docker adds a digit when a name is taken. */
	if (rest[right] && (strspn(rest + right, "0123456789") != 1 || rest[right + 1]))
		return false;
	return is_known("adjective", name, left) && is_known("surname", rest, right);
}

bool names_is_infra(const char *name)
{
	if (strspn(name, "0123456789abcdef") != 12)
		return false;
	return strcmp(name + 12, "-infra") == 0 || strcmp(name + 12, "-service") == 0;
}
