/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup that is a container of runc's by its name and by runc's directory, and processes in it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "identity/cgroups.h"

static char *container_mount, *container_id, *container_dir, *container_runtime;

static inline int container_make_cgroup(void)
{
	return mkdir(container_dir, 0755);
}

/* Without it the cgroup is nobody's. */
static inline int container_make_runtime(void)
{
	return mkdir(container_runtime, 0700);
}

static inline int container_setup(void **state)
{
	if (cgroups_find(&container_mount) < 0 || !container_mount)
		return -1;
	container_id = text_format("tamis-test-container-%d", getpid());
	container_dir = text_format("%s/%s", container_mount, container_id);
	container_runtime = text_format("/run/runc/%s", container_id);
	(void)mkdir("/run/runc", 0700);
	return container_make_cgroup();
}

/* A cgroup is busy for a while after its last process. */
static inline int container_remove_cgroup(const char *dir)
{
	int r = rmdir(dir);

	for (int i = 0; i < 1000 && r < 0 && errno == EBUSY; i++) {
		(void)usleep(10000);
		r = rmdir(dir);
	}
	return r;
}

/* What a test that failed left there. */
static inline void container_kill(void)
{
	char *file = text_format("%s/cgroup.kill", container_dir);
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	(void)!write(fd, "1", 1);
	close(fd);
	free(file);
}

static inline int container_teardown(void **state)
{
	container_kill();
	(void)rmdir(container_runtime);
	(void)container_remove_cgroup(container_dir);
	free(container_mount);
	free(container_id);
	free(container_dir);
	free(container_runtime);
	return 0;
}

static inline int container_join(const char *dir)
{
	char *file = text_format("%s/cgroup.procs", dir);
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int r = fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;

	close(fd);
	free(file);
	return r;
}

/* One that waits in that cgroup until it is ended. */
static inline pid_t container_process(const char *dir)
{
	int in[2];
	char c;
	pid_t pid;

	if (pipe(in) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		/* A test that fails doesn't come to end it. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || container_join(dir) < 0 ||
		    write(in[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(in[1]);
	if (read(in[0], &c, 1) != 1)
		pid = -1;
	close(in[0]);
	return pid;
}

static inline void container_end(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
