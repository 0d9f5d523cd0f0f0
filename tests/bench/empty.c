/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the empty program attached until its standard input ends. Prints "ready" before. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

#include "empty.skel.h"

int main(void)
{
	struct empty_bpf *empty = empty_bpf__open_and_load();
	char byte;

	if (!empty || empty_bpf__attach(empty))
		return 1;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	empty_bpf__destroy(empty);
	return 0;
}
