/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is being started, until it ends: what tamis-start prestart runs. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stream.h"
#include "base/text.h"
#include "cli/allowed.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "emit/emit.h"
#include "identity/cgroups.h"
#include "learn/tracing.h"

#define BASE_MAX (4u << 20)

struct trace {
	const char *output, *base_path;
	char *base; /* its text */
	size_t base_len;
	struct policy_options policy;
	struct allowed allowed;
	pid_t pid;
	int end; /* readable when the recording ends */
};

/* --- when it ends -------------------------------------------------------------------------- */

static int add_to(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* Whoever stops us early gets what was seen so far. Both descriptors are the process's for good. */
static int watch_end(struct trace *t)
{
	sigset_t stop;
	int r;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0)
		return -errno;
	t->end = epoll_create1(EPOLL_CLOEXEC);
	if (t->end < 0)
		return -errno;
	r = add_to(t->end, signalfd(-1, &stop, SFD_CLOEXEC));
	return r;
}

/* --- what comes out ------------------------------------------------------------------------ */

static int write_plain(const struct policy *p, char **ret)
{
	const struct emit_options none = { 0 };
	size_t len = 0;
	FILE *f = stream_open(ret, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = emit_find("oci")->write(p, &none, f);
	return fclose(f) != 0 && r == 0 ? -ENOMEM : r;
}

static int write_profile(const struct trace *t, const struct policy *p)
{
	_free_ char *text = NULL, *why = NULL;
	int r;

	if (t->base)
		r = oci_extend(t->base, t->base_len, p, &text, &why);
	else
		r = write_plain(p, &text);
	if (r < 0) {
		log_err("%s: %s", t->base_path ?: t->output, why ?: strerror(-r));
		return r;
	}
	r = file_replace(t->output, text, strlen(text), 0644);
	return r < 0 ? log_err_errno(r, "%s", t->output) : 0;
}

static void say_caveat(void *ctx, const char *line)
{
	log_warn("%s: %s", (const char *)ctx, line);
}

static int finish(const struct trace *t, struct tracing *tracing)
{
	_cleanup_(filter_free) struct filter *filter = NULL;
	_free_ char *runtimes = NULL;
	struct policy_calls calls = { 0 };
	struct evidence evidence;
	struct policy p = { .workload = t->output, .engine = "record", .evidence = &evidence };
	int r = tracing_read(tracing, &calls.learned, &evidence, &p.origin, &p.origin_cnt);

	if (r < 0)
		return log_err_errno(r, "can't read what was seen");
	if (evidence.starts == 0)
		log_warn("%s: the container's program was never started", t->output);
	allowed_say(&t->allowed, &calls);
	r = policy_sift(&t->policy, &calls);
	if (r == 0)
		r = policy_compose(&t->policy, NULL, &calls.learned, &filter, &runtimes);
	if (r < 0)
		return r;
	policy_borrow(&calls, &p);
	p.filter = filter;
	p.runtimes = runtimes;
	(void)emit_caveats(&p, say_caveat, (void *)t->output);
	return write_profile(t, &p);
}

/* ------------------------------------------------------------------------------------------- */

static int open_sensor(struct sensor **ret)
{
	_free_ char *why = NULL;
	int r = sensor_open(&(struct sensor_options){ 0 }, ret, &why);

	if (r < 0)
		log_err("%s", why ?: strerror(-r));
	return r;
}

/* Read before the container runs: a base that can't be used is said while somebody looks. */
static int read_base(struct trace *t)
{
	_cleanup_(filter_free) struct filter *valid = NULL;
	_free_ char *why = NULL;
	const char *path = t->base_path;
	int r;

	if (!path)
		return 0;
	r = file_read(strcmp(path, "-") ? path : "/dev/stdin", BASE_MAX, &t->base, &t->base_len);
	if (r == 0)
		r = oci_parse(t->base, t->base_len, NULL, &valid, NULL, &why);
	if (r < 0)
		log_err("%s: %s", path, why ?: strerror(-r));
	return r;
}

static int trace(struct trace *t)
{
	/* the tracing borrows the two before it: cleaned up in the other order */
	_free_ char *mount = NULL;
	_cleanup_(sensor_close) struct sensor *sensor = NULL;
	_cleanup_(tracing_free) struct tracing *tracing = NULL;
	int r;

	if (read_base(t) < 0)
		return EXIT_FAIL;
	if (cgroups_find(&mount) < 0 || !mount) {
		log_err("no cgroup v2 hierarchy is mounted");
		return EXIT_FAIL;
	}
	if (open_sensor(&sensor) < 0)
		return EXIT_FAIL;
	r = watch_end(t);
	if (r == 0)
		r = tracing_new(sensor, mount, t->pid, t->end, &tracing);
	if (r < 0) {
		log_err_errno(r, "process %d", t->pid);
		return EXIT_FAIL;
	}
	if (puts("ready") < 0 || fflush(stdout) != 0)
		log_warn_errno(-errno, "standard output");
	r = tracing_wait(tracing);
	if (r < 0)
		log_err_errno(r, "process %d", t->pid);
	return finish(t, tracing) < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct trace t = { .end = -1 };
	const struct option_row options[] = {
		{ "output", 'o', .text = &t.output },
		{ "base", .text = &t.base_path },
		{ "runtime", .take = policy_take_runtime, .ctx = &t.policy },
		{ "allow", .take = allowed_take, .ctx = &t.allowed },
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = 1 };
	uint64_t pid;
	int r;

	if (options_parse(&cmd_trace, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	if (!t.output || text_u64(args.arg[0], INT32_MAX, &pid) < 0 || pid < 2) {
		log_err("trace: %s", t.output ? "not a process id" : "-o FILE is missing");
		return EXIT_USAGE;
	}
	t.pid = (pid_t)pid;
	r = trace(&t);
	cleanup_closep(&t.end);
	free(t.base);
	return r;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.args = "PID -o FILE [--base FILE] [--runtime NAME[@VERSION]]... [--allow CALL]...",
	.help = "record a container that a runtime is starting, until it ends",
	.run = run,
};
