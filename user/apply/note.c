/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"

/* --- fields ------------------------------------------------------------------------------- */

int note_time_print(int64_t ms, const char *boot, char ret[NOTE_TIME_MAX])
{
	int len = boot ? (int)strspn(boot, "0123456789abcdef-") : 0;
	int n = snprintf(ret, NOTE_TIME_MAX, "%" PRId64 "@%.*s", ms, len ? len : 1,
			 len ? boot : "-");

	return n < 0 || n >= NOTE_TIME_MAX ? -EINVAL : 0;
}

int64_t note_now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int note_time(int64_t ms, char ret[NOTE_TIME_MAX])
{
	_free_ char *boot = NULL;

	if (file_read("/proc/sys/kernel/random/boot_id", 64, &boot, NULL) < 0)
		boot = NULL;
	return note_time_print(ms, boot, ret);
}

char *note_field(const char *s, size_t max)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);
	bool failed;

	if (!f)
		return NULL;
	for (; *s && max > 0; s++, max--)
		if (*s > ' ' && *s < 0x7f && *s != '%')
			(void)fputc(*s, f);
		else
			(void)fprintf(f, "%%%02X", (unsigned char)*s);
	failed = ferror(f) != 0;
	if (fclose(f) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}

const char *note_or_unknown(const char *s)
{
	return s && *s ? s : "-";
}

bool note_is_known(const char *field)
{
	return strcmp(field, "-") != 0;
}

void note_unescape(char *s)
{
	char *out = s;
	unsigned value;

	for (; *s; out++) {
		if (*s == '%' && sscanf(s, "%%%2X", &value) == 1 && s[1] && s[2]) {
			*out = (char)value;
			s += 3;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

bool note_split(char *line, char *field[], size_t max, size_t *ret_cnt)
{
	char *save = NULL, *word = strtok_r(line, " ", &save), *last = NULL;
	size_t cnt = 0;

	for (; word; word = strtok_r(NULL, " ", &save)) {
		if (last && cnt == max)
			return false;
		if (last)
			field[cnt++] = last;
		last = word;
	}
	if (cnt == 0 || strcmp(last, ".") != 0)
		return false;
	*ret_cnt = cnt;
	return true;
}

/* --- files -------------------------------------------------------------------------------- */

int note_open_dir(int at, const char *path, bool alone)
{
	_close_ int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || st.st_mode & (alone ? 077 : 022))
		return -EPERM;
	return TAKE_FD(fd);
}

int note_read(int dir, const char *name, size_t max, char **ret)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	return file_read_fd(fd, max, ret, NULL);
}

int note_append(int dir, const char *name, const char *text)
{
	_close_ int fd =
		openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -ENOSPC;
}

int note_cut(int dir, const char *name, const char *head, const char *text, size_t keep)
{
	size_t len = strlen(text);
	const char *from = len > keep ? strchr(text + len - keep, '\n') : text;
	_free_ char *kept = text_format("%s%s", head, from ? from : "");

	return kept ? file_replace_at(dir, name, kept, strlen(kept), 0600) : -ENOMEM;
}
