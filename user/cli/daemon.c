/* SPDX-License-Identifier: Apache-2.0 */
/* The only place that wires the stages: sensor -> observer -> store, on one event loop. */
#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/bpffs.h"
#include "cli/cmd.h"
#include "cli/complain.h"
#include "cli/daemon_apply.h"
#include "cli/daemon_lock.h"
#include "cli/daemon_oracle.h"
#include "cli/daemon_probation.h"
#include "cli/daemon_thin.h"
#include "cli/daemon_told.h"
#include "cli/daemon_under.h"
#include "cli/daemon_wait.h"
#include "identity/cgroups.h"
#include "learn/coverage.h"
#include "learn/observer.h"

#define COVERAGE_MS 200 /* of processor time a sampling unit for estimates */

struct daemon {
	const struct daemon_options *o;
	struct sensor *sensor;
	struct store *store;
	struct observer *observer;
	struct daemon_apply *apply;
	struct daemon_under *under;
	struct daemon_probation *probation;
	struct daemon_oracle *oracle;
	struct coverage *coverage;
	struct identity_options identity;
	char *mount;
	char *pins;
	int state_lock, pins_lock; /* directories, locked */
	time_t complained;
	time_t thinned;
	struct daemon_told told;
};

/* All that has to do with the store. */
static void close_rest(struct daemon *d)
{
	observer_free(TAKE_PTR(d->observer));
	coverage_free(TAKE_PTR(d->coverage));
	daemon_oracle_free(TAKE_PTR(d->oracle));
	daemon_probation_free(TAKE_PTR(d->probation));
	daemon_under_free(TAKE_PTR(d->under));
	daemon_apply_free(TAKE_PTR(d->apply));
	store_close(TAKE_PTR(d->store));
}

static void daemon_close(struct daemon *d)
{
	close_rest(d);
	sensor_close(d->sensor);
	free(d->mount);
	free(d->pins);
	cleanup_closep(&d->state_lock);
	cleanup_closep(&d->pins_lock);
}

static inline void daemon_closep(struct daemon *d)
{
	daemon_close(d);
}

/* --- opening ----------------------------------------------------------------------------- */

static int open_cgroups(struct daemon *d)
{
	int mode = cgroups_find(&d->mount);

	if (mode < 0)
		return log_err_errno(mode, "can't read /proc/self/mountinfo");
	if (mode == CGROUPS_V1) {
		log_err("no cgroup v2 hierarchy is mounted: tamis knows containers by their v2 "
			"cgroup "
			"(boot with systemd.unified_cgroup_hierarchy=1, or mount one: mount -t "
			"cgroup2 "
			"none /sys/fs/cgroup/unified)");
		return -ENOTSUP;
	}
	return 0;
}

static int open_store(struct daemon *d)
{
	int r = store_open(d->o->state, STORE_WRITE, &d->store);

	if (r < 0 && r != -ENOSPC)
		log_err("%s: %s", d->o->state, store_error(NULL));
	return r;
}

static int open_sensor(struct daemon *d)
{
	struct sensor_options so = {
		.sets = d->o->map_entries,
		.cache_slots = d->o->cache_slots,
		.portable = d->o->portable,
		.legacy = d->o->legacy,
	};
	_free_ char *why = NULL;
	int r;

	if (!d->o->no_pin) {
		r = bpffs_prepare(d->o->bpffs, &d->pins);
		if (r >= 0)
			r = daemon_lock(d->pins, &d->pins_lock);
		if (r < 0)
			return r;
		so.pins = d->pins;
	}
	r = sensor_open(&so, &d->sensor, &why);
	if (r < 0)
		log_err("%s", why ? why : strerror(-r));
	return r;
}

static void on_started(void *arg, const struct observed_start *s)
{
	struct daemon *d = arg;

	daemon_apply_started(d->apply, s);
	daemon_under_started(d->under, s);
	daemon_oracle_started(d->oracle, s);
}

static void on_exited(void *arg, const struct observed_exit *e)
{
	struct daemon *d = arg;
	struct under_row row;

	daemon_apply_exited(d->apply, e);
	if (under_find(daemon_under_rows(d->under), e->key, e->container, &row) == 0 &&
	    row.mode == MODE_ENFORCE)
		daemon_oracle_ended(d->oracle, e, row.began_ms);
	daemon_under_exited(d->under, e);
}

static void on_stored(void *arg)
{
	daemon_under_stored(((struct daemon *)arg)->under);
}

static bool was_filtered(void *arg, const char *key, const char *container)
{
	return daemon_under_filtered(((struct daemon *)arg)->under, key, container);
}

/* In the observer's own thread. */
static void on_made(void *arg)
{
	daemon_under_made(((struct daemon *)arg)->under);
}

static void on_executed(void *arg)
{
	daemon_under_executed(((struct daemon *)arg)->under);
}

static void on_news(void *arg)
{
	daemon_under_news(((struct daemon *)arg)->under);
}

static int open_observer(struct daemon *d)
{
	struct observer_options oo;
	int r;

	d->identity.watch = (const char *const *)d->o->watch;
	oo = (struct observer_options){
		.sensor = d->sensor,
		.store = d->store,
		.identity = &d->identity,
		.mount = d->mount,
		.gate_unknown = daemon_told_gate,
		.started = on_started,
		.exited = on_exited,
		.stored = on_stored,
		.was_filtered = was_filtered,
		.made = on_made,
		.executed = on_executed,
		.news = on_news,
		.arg = d,
	};
	r = observer_new(&oo, &d->observer);
	if (r >= 0)
		r = daemon_under_attach(d->under, d->sensor, d->observer);
	if (r >= 0)
		r = observer_start(d->observer);
	if (r < 0 && r != -ENOSPC)
		log_err_errno(r, "can't begin to observe: %s", store_error(d->store));
	if (r < 0)
		return r;
	daemon_under_unit(d->under); /* what runs is in the store now */
	return r;
}

static void on_denied(void *arg, const char *key, const struct store_denial *denial)
{
	daemon_oracle_denied(((struct daemon *)arg)->oracle, key, denial);
}

static int open_appliers(struct daemon *d)
{
	const struct daemon_under_options uo = {
		.daemon = d->o,
		.store = d->store,
		.denied = on_denied,
		.arg = d,
	};
	int r = daemon_apply_new(d->o, d->store, d->mount, &d->apply);

	if (r >= 0)
		r = daemon_under_new(&uo, &d->under);
	if (r >= 0)
		r = daemon_probation_new(d->o, d->store, &d->probation);
	if (r >= 0)
		r = daemon_oracle_new(d->o, d->store, &d->oracle);
	if (r >= 0)
		r = coverage_new(&d->coverage);
	return r;
}

static int open_rest(struct daemon *d)
{
	int r = open_store(d);

	if (r >= 0)
		r = open_appliers(d);
	return r < 0 ? r : open_observer(d);
}

/* On a full disk there is nothing to write to, but the kernel's maps have room: they are kept until
 * there is. Who starts after us doesn't wait for that. */
static int open_rest_in_time(struct daemon *d)
{
	int r;

	while ((r = open_rest(d)) == -ENOSPC) {
		complain(&d->complained, r, "can't begin to store what is seen", d->store,
			 "the programs record, waiting for room");
		close_rest(d);
		(void)sd_notify(0, "READY=1");
		if (!daemon_wait())
			return -EINTR;
	}
	return r;
}

/* Root is asked for first: without it every later failure has a stranger reason. */
static int daemon_open(struct daemon *d)
{
	int r;

	if (geteuid() != 0) {
		log_err("not root: observing needs CAP_BPF and CAP_PERFMON, and everybody's "
			"cgroups");
		return -EPERM;
	}
	r = open_cgroups(d);
	if (r >= 0)
		r = daemon_lock_made(d->o->state, &d->state_lock);
	if (r >= 0)
		r = open_sensor(d);
	return r < 0 ? r : open_rest_in_time(d);
}

/* --- the loop ---------------------------------------------------------------------------- */

static void fail(struct daemon *d, int r, const char *what)
{
	complain(&d->complained, r, what, d->store, "nothing is lost yet, trying again");
}

static void tell_losses(struct daemon *d, bool now)
{
	struct observer_stats stats = observer_stats(d->observer);

	daemon_told_tell(&d->told, &stats, sensor_missed(d->sensor), now ? 0 : time(NULL));
}

static int again(sd_event_source *source, uint64_t usec)
{
	int r = sd_event_source_set_time_relative(source, usec);

	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void tell_cost(const struct daemon *d)
{
	struct drain_cost c = observer_cost(d->observer);

	if (c.walk_ns)
		log_debug("drained: %zu sets with news; the walk %" PRIu64 " us, the store %" PRIu64
			  " us",
			  c.news, c.walk_ns / 1000, c.store_ns / 1000);
}

static int on_interval(sd_event_source *source, uint64_t usec, void *arg)
{
	struct daemon *d = arg;
	int r = observer_drain(d->observer);

	if (r < 0)
		fail(d, r, "can't store what was seen");
	tell_cost(d);
	daemon_apply_interval(d->apply);
	daemon_probation_interval(d->probation);
	daemon_oracle_interval(d->oracle, r >= 0);
	daemon_under_need_denials(d->under, daemon_oracle_needs_denials(d->oracle));
	daemon_under_interval(d->under);
	return again(source, d->o->interval_ms * 1000);
}

static void thin_sometimes(struct daemon *d)
{
	int r = daemon_thin(d->o, d->store, &d->thinned);

	if (r < 0)
		fail(d, r, "can't thin out what is old");
}

static void estimate(struct daemon *d)
{
	int r = coverage_update(d->coverage, d->store, time(NULL), COVERAGE_MS);

	if (r < 0)
		fail(d, r, "can't say how complete workloads are");
}

static int on_unit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct daemon *d = arg;
	int r = observer_unit(d->observer);

	if (r < 0)
		fail(d, r, "can't begin a sampling unit");
	daemon_apply_unit(d->apply);
	daemon_under_unit(d->under);
	daemon_oracle_unit(d->oracle);
	thin_sometimes(d);
	estimate(d);
	tell_losses(d, false);
	(void)malloc_trim(0); /* what a burst of containers took */
	return again(source, d->o->unit_s * 1000000);
}

/* Signals arrive through the loop: blocked everywhere else. */
static int add_signals(sd_event *event)
{
	static const int stop[] = { SIGTERM, SIGINT };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(stop); i++)
		sigaddset(&set, stop[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(stop); i++) {
		r = sd_event_add_signal(event, NULL, stop[i], NULL, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_sources(struct daemon *d, sd_event *event)
{
	uint64_t interval = d->o->interval_ms * 1000, unit = d->o->unit_s * 1000000;
	int r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, interval, 0, on_interval,
					   d);

	if (r >= 0)
		r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, unit, 0, on_unit, d);
	if (r >= 0)
		r = daemon_oracle_attach(d->oracle, event);
	return r;
}

static int last_drain(struct daemon *d)
{
	int r = observer_drain(d->observer);

	if (r < 0)
		log_err_errno(r, "last drain: %s", store_error(d->store));
	tell_losses(d, true);
	return r;
}

static int no_loop(int r)
{
	log_err_errno(r, "can't make an event loop");
	return EXIT_FAIL;
}

int daemon_run(const struct daemon_options *o)
{
	__attribute__((cleanup(daemon_closep))) struct daemon d = { .o = o,
								    .state_lock = -1,
								    .pins_lock = -1 };
	_cleanup_(sd_event_unref) sd_event *event = NULL;
	int r = sd_event_new(&event);

	(void)mallopt(M_ARENA_MAX, 1); /* two threads: what one frees the other can use */
	if (r >= 0)
		r = add_signals(event);
	if (r < 0)
		return no_loop(r);
	if (daemon_open(&d) < 0)
		return EXIT_FAIL;
	r = add_sources(&d, event);
	if (r < 0)
		return no_loop(r);
	daemon_apply_begin(d.apply);
	daemon_oracle_unit(d.oracle);
	daemon_under_need_denials(d.under, daemon_oracle_needs_denials(d.oracle));
	log_info("ready: observing %" PRIu64 " workload cgroups below %s (%s door, %s)",
		 observer_stats(d.observer).workload_cgroups, d.mount, sensor_door(d.sensor),
		 d.pins ? d.pins : "nothing pinned");
	(void)malloc_trim(0); /* what loading and looking around took */
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(event);
	(void)sd_notify(0, "STOPPING=1");
	daemon_oracle_end(d.oracle);
	if (last_drain(&d) < 0 || r < 0)
		return EXIT_FAIL;
	log_info("stopped; %s", d.pins ? "the programs go on recording until tamis daemon --unpin"
				       : "nothing records any more");
	return EXIT_OK;
}
