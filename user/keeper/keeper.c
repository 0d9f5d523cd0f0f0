/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "identity/cgroups.h"
#include "keeper/keeper_internal.h"
#include "policy/data.h"

#define EVENTS	       64
#define TICK_MS	       1000
#define TELL_MS	       10000
#define TELL_RARELY_MS 600000
#define WATCHDOG_MS    5000
#define MINUTE_MS      60000
#define SAY_MAX	       20 /* lines a minute */

static volatile sig_atomic_t ending;

static void end(int signal)
{
	ending = 1;
}

static void wake(int signal)
{
}

int64_t keeper_now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool keeper_may_say(struct keeper *k)
{
	int64_t now = keeper_now();

	if (now - k->said_since >= MINUTE_MS) {
		if (k->said > SAY_MAX)
			log_warn("%u more lines like these", k->said - SAY_MAX);
		k->said = 0;
		k->said_since = now;
	}
	return ++k->said <= SAY_MAX;
}

/* --- signals and limits --------------------------------------------------------------------- */

/* An alarm each second, while there is work, ends a wait in the kernel that shouldn't be one: nothing
 * here waits but epoll. Requests to end come there only. */
static void set_signals(sigset_t *ret_waiting)
{
	const struct sigaction end_action = { .sa_handler = end };
	const struct sigaction wake_action = { .sa_handler = wake };
	sigset_t blocked;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
	(void)sigdelset(ret_waiting, SIGTERM);
	(void)sigdelset(ret_waiting, SIGINT);
	(void)sigaction(SIGTERM, &end_action, NULL);
	(void)sigaction(SIGINT, &end_action, NULL);
	(void)sigaction(SIGALRM, &wake_action, NULL);
}

/* As many filters as leave room for connections and for /proc: without it a call would be nobody's. */
static size_t set_limits(void)
{
	const size_t others = CONNS_MAX + 64;
	struct rlimit l;
	size_t max;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return KEEPER_FDS;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	max = l.rlim_max > 2 * others ? l.rlim_max - others : l.rlim_max / 2;
	return max < KEEPER_FDS ? max : KEEPER_FDS;
}

static void set_alarm(bool on)
{
	const struct timeval tick = { .tv_sec = on ? TICK_MS / 1000 : 0 };
	const struct itimerval t = { .it_interval = tick, .it_value = tick };
	static bool is_on;

	if (on != is_on && setitimer(ITIMER_REAL, &t, NULL) == 0)
		is_on = on;
}

/* --- events --------------------------------------------------------------------------------- */

static void handle(struct keeper *k, const struct epoll_event *e)
{
	struct source *s = e->data.ptr;

	if (s->kind == SOURCE_LISTENER)
		conns_accept(k);
	else if (s->kind == SOURCE_CONN)
		conns_read(k, (struct conn *)s);
	else if (e->events & EPOLLIN)
		serve_filter(k, (struct kept *)s);
	else if (e->events & (EPOLLHUP | EPOLLERR)) {
		filters_drop(k, (struct kept *)s);
		k->told -= k->behind ? 0 : TELL_MS;
	}
}

static void tick(struct keeper *k)
{
	int64_t now = keeper_now();

	if (now - k->told >= (k->behind ? TELL_RARELY_MS : TELL_MS)) {
		serve_tell(k);
		k->told = now;
	}
	if (now - k->ticked < TICK_MS)
		return;
	k->ticked = now;
	conns_expire(k, now);
	if (k->watched && now - k->alive >= WATCHDOG_MS) {
		(void)sd_notify(0, "WATCHDOG=1");
		k->alive = now;
	}
}

static int loop(struct keeper *k, const sigset_t *waiting)
{
	struct epoll_event events[EVENTS];

	while (!ending) {
		int n;

		set_alarm(k->watched || k->filter_cnt > 0 || k->conn_cnt > 0 || serve_waits(k));
		n = epoll_pwait(k->epoll, events, EVENTS, -1, waiting);
		if (n < 0 && errno != EINTR)
			return log_err_errno(-errno, "epoll");
		for (int i = 0; i < n; i++)
			handle(k, &events[i]);
		tick(k);
	}
	return 0;
}

/* --- beginning and end ---------------------------------------------------------------------- */

/* Without it a keeper that is killed may leave a caller waiting; better than none at all. */
static int open_slot(struct keeper *k)
{
	int r = slot_open(k->options.run, &k->slot);

	if (r == 0)
		return 0;
	log_err_errno(r,
		      "%s/slot: a call that is being answered when this is killed waits for good",
		      k->options.run);
	k->slot = calloc(1, 4096);
	return k->slot ? 0 : -ENOMEM;
}

static int open_whose(struct keeper *k)
{
	_free_ char *mount = NULL;
	int r = cgroups_find(&mount);

	if (r < 0 || !mount)
		log_err("no cgroup v2 is mounted: whose a call is can't be told");
	return whose_new(k->options.state, mount ? mount : "/sys/fs/cgroup", &k->whose);
}

static int begin(struct keeper *k)
{
	int r;

	(void)mkdir(k->options.state, 0711);
	(void)mkdir(k->options.run, 0700);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	k->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (k->epoll < 0 || k->reserve < 0)
		return -errno;
	r = open_slot(k);
	if (r == 0)
		r = open_whose(k);
	if (r == 0)
		r = tally_new(serve_told, k, &k->tally);
	if (r == 0)
		r = data_guard(k->decide.guard);
	return r == 0 ? data_eperm(k->decide.eperm) : r;
}

static int take_over(struct keeper *k)
{
	int r = 0;

	listen_inherit(k);
	serve_slot(k);
	serve_tell(k);
	if (k->listener.fd < 0)
		r = listen_make(k);
	/* Who asks already is answered, though nobody new can come. */
	return k->filter_cnt > 0 ? 0 : r;
}

static void finish(struct keeper *k)
{
	if (k->tally)
		serve_tell(k);
	listen_end(k);
	conns_close(k);
	filters_close(k);
	journal_close(k->journal);
	tally_free(k->tally);
	whose_free(k->whose);
}

int keeper_run(const struct keeper_options *o)
{
	struct keeper k = { .options = *o,
			    .epoll = -1,
			    .listener = { SOURCE_LISTENER, -1 },
			    .reserve = -1,
			    .next_number = 1 };
	sigset_t waiting;
	int r;

	log_set_name("tamis-keeper");
	set_signals(&waiting);
	k.filter_max = set_limits();
	k.journal_failed = keeper_now() - MINUTE_MS;
	k.said_since = keeper_now();
	k.watched = sd_watchdog_enabled(0, NULL) > 0;
	r = begin(&k);
	if (r < 0)
		log_err_errno(r, "can't begin");
	if (r == 0)
		r = take_over(&k);
	if (r == 0)
		(void)sd_notify(0, "READY=1");
	if (r == 0)
		r = loop(&k, &waiting);
	finish(&k);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
