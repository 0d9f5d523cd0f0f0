/* SPDX-License-Identifier: Apache-2.0 */
#include "start/faults.h"

#ifdef TAMIS_FAULTS

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "start/stream.h"

static bool is_asked(const char *name)
{
	char self[4096] = { 0 };
	_free_ char *path = NULL, *text = NULL;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	path = text_format("%s.fault", self);
	if (!path || file_read(path, 64, &text, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, name) == 0;
}

/* An answer by its frame, whose text is no spec. */
static void lie(int fd, const char *text)
{
	const unsigned long long magic = 0x74616d69732d616eULL;
	const unsigned long long frame[3] = { magic, strlen(text), 1 };

	stream_write(fd, (const char *)frame, sizeof(frame));
	stream_write(fd, text, strlen(text));
	stream_write(fd, (const char *)&magic, sizeof(magic));
	_exit(0);
}

/* The one descriptor that a worker has besides the standard ones. */
static int find_pipe(void)
{
	int fd = STDERR_FILENO + 1;

	while (fd < 1024 && fcntl(fd, F_GETFD) < 0)
		fd++;
	return fd;
}

void fault_at_work(void)
{
	volatile int *nowhere = NULL;
	int answer_fd = find_pipe();

	if (is_asked("worker-killed"))
		raise(SIGKILL);
	if (is_asked("worker-crashes"))
		*nowhere = 1;
	if (is_asked("worker-aborts"))
		abort();
	if (is_asked("worker-exits"))
		_exit(3);
	if (is_asked("worker-hangs"))
		pause();
	if (is_asked("worker-writes-garbage")) {
		for (int i = 0; i < 1000; i++)
			stream_write(answer_fd, "garbage\n{\"linux\":{}}", 20);
		_exit(0);
	}
	if (is_asked("worker-lies"))
		lie(answer_fd, "{\"process\":{\"args\":[\"/bin/false\"]},\"linux\":{}}");
}

void fault_at_home(void)
{
	volatile int *nowhere = NULL;

	if (is_asked("parent-crashes"))
		*nowhere = 1;
	if (is_asked("parent-hangs"))
		pause();
}

#endif
