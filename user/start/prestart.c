/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of oci-seccomp-bpf-hook: an OCI prestart hook that has a container traced when its
 * annotation asks for that, and its profile written when it ends. `tamis trace` does it, in a process
 * of its own that outlives the hook; the hook returns when that is ready, so that nothing is missed.
 * A trace that fails is said in the log, and the container starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "start/report.h"
#include "start/start.h"
#include "start/trace_request.h"

#define STATE_MAX	(1u << 20) /* bytes of the runtime's State JSON */
#define READY_MS	10000	   /* programs loaded and attached, on a busy machine too */
#define ALLOW_MAX	32
#define OUTPUT_DIRS_MAX 16
#define PRESTART_IDENT	"tamis-prestart"

/* Where a base profile may lie, besides the output directories. */
static const char *const input_dirs[] = { "/etc/containers", "/usr/share/containers", NULL };
static const char *const default_dirs[] = { "/tmp", "/var/tmp", "/var/lib/tamis/profiles", NULL };

struct prestart {
	const char *tamis; /* NULL: looked for */
	const char *state;
	const char *dir[OUTPUT_DIRS_MAX + 1];
	size_t dir_cnt;
	const char *allow[ALLOW_MAX]; /* guarded calls that the profile may have */
	size_t allow_cnt;
	char *id; /* the container's */
	int pid;
	struct trace_request request;
	const char *name; /* of the output, within `output` */
	int output;	  /* its directory */
	int input;	  /* the base, or -1 */
};

/* --- what is asked for ----------------------------------------------------------------------- */

/* 0: nothing is. */
static int read_state(struct prestart *p, const json_t *state)
{
	const char *id = json_string_value(json_object_get(state, "id"));
	const char *text = json_string_value(
		json_object_get(json_object_get(state, "annotations"), TRACE_ANNOTATION));
	const char *why = "";
	int r;

	if (!text)
		return 0;
	p->id = strdup(id ?: "?");
	p->pid = (int)json_integer_value(json_object_get(state, "pid"));
	if (!p->id)
		return -ENOMEM;
	r = trace_request_parse(text, &p->request, &why);
	if (r < 0)
		report_fault(p->id, "%s: %s", TRACE_ANNOTATION, why);
	else if (p->pid < 2)
		report_fault(p->id, "the runtime says no process id");
	return r < 0 || p->pid < 2 ? -EINVAL : 1;
}

static int take_state(struct prestart *p)
{
	_free_ char *text = NULL;
	json_t *state;
	size_t len;
	int r = file_read("/dev/stdin", STATE_MAX, &text, &len);

	if (r < 0) {
		report_fault("prestart", "standard input: %s", strerror(-r));
		return r;
	}
	state = json_loadb(text, len, 0, NULL);
	if (!json_is_object(state)) {
		report_fault("prestart", "standard input is not the state of a container");
		r = -EINVAL;
	} else {
		r = read_state(p, state);
	}
	json_decref(state);
	return r;
}

static int complain(const struct prestart *p, const char *path, int r)
{
	const char *why = r == -EPERM	? "outside of the directories that are allowed"
			  : r == -ELOOP ? "a symbolic link is on the way"
					: strerror(-r);

	report_fault(p->id, "%s: %s", path, why);
	return r;
}

static int open_input(struct prestart *p)
{
	const char *path = p->request.input, *name = NULL;
	_close_ int dir = -1;

	if (!path)
		return 0;
	dir = trace_request_dir(path, p->dir, &name);
	if (dir == -EPERM)
		dir = trace_request_dir(path, input_dirs, &name);
	if (dir < 0)
		return complain(p, path, dir);
	p->input = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return p->input < 0 ? complain(p, path, -errno) : 0;
}

static int open_output(struct prestart *p)
{
	p->output = trace_request_dir(p->request.output, p->dir, &p->name);
	return p->output < 0 ? complain(p, p->request.output, p->output) : 0;
}

/* --- tamis trace ----------------------------------------------------------------------------- */

/* Beside this program, or where `make install` puts it. */
static char *find_tamis(void)
{
	static const char *const places[] = { "tamis", "../sbin/tamis", "../bin/tamis" };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_free_ char *path = text_format("%.*s/%s", (int)(slash - self), self, places[i]);

		if (path && access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

/* In the child: standard input is the base, output says "ready", errors are for the supervisor. The
 * output's name is all that is left of its path: the directory is held. */
static void run_tamis(const struct prestart *p, const char *tamis, int out, int err)
{
	_free_ char *pid = text_format("%d", p->pid);
	_free_ char *name = text_format("./%s", p->name);
	const char *argv[8 + 2 * ALLOW_MAX] = { "tamis", "trace", pid, "-o", name };
	size_t argc = 5;
	static char *const none[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < p->allow_cnt; i++) {
		argv[argc++] = "--allow";
		argv[argc++] = p->allow[i];
	}
	if (p->input >= 0) {
		argv[argc++] = "--base";
		argv[argc++] = "-";
	}
	if (fchdir(p->output) < 0 || dup2(p->input >= 0 ? p->input : null, 0) < 0 ||
	    dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	execve(tamis, (char *const *)argv, none);
	dprintf(2, "%s: %s\n", tamis, strerror(errno));
	_exit(127);
}

/* Passes the tracer's lines on for as long as it lives. */
static void relay(const struct prestart *p, int err)
{
	_fclose_ FILE *f = fdopen(err, "r");
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		report_done(p->id, "%s", line);
	}
}

static void supervise(const struct prestart *p, const char *tamis, int out)
{
	int err[2], status = 0, null = open("/dev/null", O_RDWR);
	pid_t child;

	if (setsid() < 0 || null < 0 || pipe2(err, O_CLOEXEC) < 0)
		_exit(1);
	/* The runtime waits for whoever holds its pipes. */
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null, fd);
	child = fork();
	if (child == 0)
		run_tamis(p, tamis, out, err[1]);
	close(out);
	close(err[1]);
	relay(p, err[0]);
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
		report_done(p->id, "profile written to %s", p->request.output);
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* "ready", or the tracer's end, or too late. */
static bool wait_ready(int fd)
{
	int64_t end = now_ms() + READY_MS, left;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte;

	while ((left = end - now_ms()) > 0)
		if (poll(&pfd, 1, (int)left) > 0)
			return read(fd, &byte, 1) == 1;
	return false;
}

static void trace(const struct prestart *p, const char *tamis)
{
	int out[2];
	pid_t child;

	if (pipe2(out, O_CLOEXEC) < 0) {
		report_fault(p->id, "not traced: %s", strerror(errno));
		return;
	}
	child = fork();
	if (child == 0) {
		close(out[0]);
		supervise(p, tamis, out[1]);
	}
	close(out[1]);
	if (child < 0 || !wait_ready(out[0]))
		report_fault(p->id, "not traced: %s did not begin; its own lines say why", tamis);
	close(out[0]);
}

/* ------------------------------------------------------------------------------------------- */

/* oci-seccomp-bpf-hook's own options (-s) mean nothing here, and stay in its users' JSON. */
static void read_options(struct prestart *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (more && strcmp(argv[i], "--tamis") == 0)
			p->tamis = argv[++i];
		else if (more && strcmp(argv[i], "--state") == 0)
			p->state = argv[++i];
		else if (more && strcmp(argv[i], "--allow") == 0 && p->allow_cnt < ALLOW_MAX)
			p->allow[p->allow_cnt++] = argv[++i];
		else if (more && strcmp(argv[i], "--output-dir") == 0 &&
			 p->dir_cnt < OUTPUT_DIRS_MAX)
			p->dir[p->dir_cnt++] = argv[++i];
	}
	for (size_t i = 0; p->dir_cnt == 0 && default_dirs[i]; i++)
		p->dir[i] = default_dirs[i];
}

static void prestart(struct prestart *p)
{
	_free_ char *found = NULL;

	if (take_state(p) <= 0)
		return;
	if (open_output(p) < 0 || open_input(p) < 0)
		return;
	found = p->tamis ? strdup(p->tamis) : find_tamis();
	if (found)
		trace(p, found);
	else
		report_fault(p->id, "not traced: tamis isn't installed beside tamis-start");
}

int start_prestart(int argc, char **argv)
{
	struct prestart p = { .state = START_STATE, .output = -1, .input = -1 };

	read_options(&p, argc, argv);
	report_to(p.state, PRESTART_IDENT);
	prestart(&p);
	cleanup_closep(&p.output);
	cleanup_closep(&p.input);
	trace_request_done(&p.request);
	free(p.id);
	return 0;
}
