/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needs NUMBER FILE: a service that can't do without a call. Ends with 70 where the call isn't
 * there (ENOSYS); else makes FILE and stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (syscall(strtol(argv[1], NULL, 10), 0, 0, 0, 0, 0, 0) < 0 && errno == ENOSYS)
		return 70;
	close(open(argv[2], O_WRONLY | O_CREAT, 0644));
	for (;;)
		pause();
}
